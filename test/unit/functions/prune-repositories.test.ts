import { beforeEach, describe, expect, it } from 'vitest';
import { putJson } from '../../../functions/adapters/s3/documents.ts';
import { COPIES, type CopyName } from '../../../functions/contract/copies.ts';
import { leaseFor } from '../../../functions/core/vault/lease.ts';
import { vaultKeys } from '../../../functions/core/vault/vault-keys.ts';
import {
  copiesWith,
  endRun,
  itemsWithRepository,
  repositoryOutcome,
} from '../../../functions/prune/reconcile-prune/repositories.ts';
import type { PruneItem } from '../../../functions/prune/reconcile-prune/repository-job.ts';
import { jobEnd } from '../../support/builders.ts';
import { MemoryVault } from '../../support/memory-vault.ts';
import { resticId } from '../../support/restic-id.ts';

const keys = vaultKeys('paris');
const NOW = new Date('2026-02-01T02:00:00Z');
const PRUNE = 'prune-20260201020000-abcdef';
const [GONE, KEPT] = [resticId('gone'), resticId('kept')];
const REPOSITORY = keys.restic.repository('shop');
const item: PruneItem = {
  id: 'shop',
  repository: REPOSITORY,
  namespace: 'shop',
  forget: { primary: [GONE], replica: [] },
};
let copies: { primary: MemoryVault; replica: MemoryVault };
const put = (copy: CopyName, key: string) =>
  copies[copy].objects.set(key, { body: Buffer.from('{}'), metadata: {} });
beforeEach(async () => {
  copies = { primary: new MemoryVault('p'), replica: new MemoryVault('r') };
});

describe('a repository', () => {
  it('is worked on in the copies that have it', async () => {
    put('primary', `${REPOSITORY}/config`);
    expect(await copiesWith(copies, REPOSITORY)).toEqual(['primary']);
    put('replica', `${REPOSITORY}/config`);
    expect(await copiesWith(copies, REPOSITORY)).toEqual(COPIES);
  });

  it('that was never made, or not where something is to be forgotten, needs no Job', async () => {
    expect(await itemsWithRepository(copies, [item])).toEqual([]);
    put('replica', `${REPOSITORY}/config`);
    expect(await itemsWithRepository(copies, [item])).toEqual([]);
    put('primary', `${REPOSITORY}/config`);
    expect(await itemsWithRepository(copies, [item])).toEqual([item]);
  });
});

describe('after the Job of a repository', () => {
  const snapshot = (copy: CopyName, id: string) => put(copy, `${REPOSITORY}/snapshots/${id}`);
  const outcome = () => repositoryOutcome({ copies, keys, prune: PRUNE }, item, jobEnd());
  beforeEach(async () => {
    for (const copy of COPIES) snapshot(copy, KEPT);
    await putJson(copies.primary, keys.records.prune.keeps(PRUNE, 'shop'), {
      primary: [KEPT],
      replica: [KEPT],
    });
  });

  it('the vault says that the snapshots are gone and the others there', async () => {
    expect(await outcome()).toEqual({ namespace: 'shop', ok: true, message: 'forgotten' });
  });

  it('nothing is done that only the Job says: its log and its exit code are claims', async () => {
    snapshot('primary', GONE);
    expect(await outcome()).toMatchObject({ ok: false, message: expect.stringContaining(GONE) });
  });

  it.each(COPIES)('a snapshot that is missing in the %s, and should not, is told', async (copy) => {
    copies[copy].objects.delete(`${REPOSITORY}/snapshots/${KEPT}`);
    expect(await outcome()).toMatchObject({
      ok: false,
      message: `snapshot ${KEPT} to be kept, missing in the ${copy}`,
    });
  });

  it('a run of the release before, which noted nothing to keep, is finished', async () => {
    copies.primary.objects.delete(keys.records.prune.keeps(PRUNE, 'shop'));
    expect(await outcome()).toMatchObject({ ok: true });
  });
});

describe('the end of a run', () => {
  it('is marked, and releases its own lease and no other', async () => {
    const leased = (work: string) =>
      putJson(copies.primary, keys.leases.prune, leaseFor({ work, execution: 'arn' }, NOW));
    await leased('prune-1');
    await endRun(copies.primary, keys, PRUNE);
    expect(
      [keys.leases.prune, keys.records.prune.done(PRUNE)].map((key) => copies.primary.objects.has(key)),
    ).toEqual([true, true]);
    await leased(PRUNE);
    await endRun(copies.primary, keys, PRUNE);
    expect(copies.primary.objects.has(keys.leases.prune)).toBe(false);
  });
});
