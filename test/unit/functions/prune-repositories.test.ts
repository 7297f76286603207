import { beforeEach, describe, expect, it } from 'vitest';
import { putJson } from '../../../functions/adapters/s3/documents.ts';
import { COPIES } from '../../../functions/contract/copies.ts';
import type { JobEnd } from '../../../functions/core/kubernetes/job-end.ts';
import type { PrunePlan } from '../../../functions/core/retention/prune.ts';
import { leaseFor } from '../../../functions/core/vault/lease.ts';
import { vaultKeys } from '../../../functions/core/vault/vault-keys.ts';
import { copiesWith, endRun, orphansOf } from '../../../functions/prune/reconcile-prune/repositories.ts';
import { itemsOf, type PruneItem } from '../../../functions/prune/reconcile-prune/repository-job.ts';
import { MemoryVault } from '../../support/memory-vault.ts';

const keys = vaultKeys('paris');
const NOW = new Date('2026-02-01T02:00:00Z');
const [KEPT, GONE, LOST] = ['daily-20260101000000', 'daily-20260102000000', 'daily-20260103000000'] as const;
let copies: { primary: MemoryVault; replica: MemoryVault };
const put = (vault: MemoryVault, key: string) =>
  vault.objects.set(key, { body: Buffer.from('{}'), metadata: {} });
beforeEach(() => {
  copies = { primary: new MemoryVault('p'), replica: new MemoryVault('r') };
  for (const vault of [copies.primary, copies.replica]) put(vault, keys.records.record(KEPT));
  put(copies.replica, keys.records.record(GONE)); // the second region keeps it longer
});

const nothing = { orphans: [], begun: [], decisions: [], forget: [] };
const plan: PrunePlan = {
  version: 2,
  plan: 'daily',
  prune: 'daily-20260201020000',
  decidedAt: NOW.toISOString(),
  finishes: [],
  primary: {
    ...nothing,
    decisions: [{ backup: GONE, keep: false, reasons: ['no rule keeps it'] }],
    forget: [{ backup: GONE, namespace: 'shop', snapshots: ['gone-1'] }],
  },
  replica: nothing,
  search: [],
};
const [item] = itemsOf(plan, [], keys) as [PruneItem];
const snapshot = (id: string, backup: string) => ({
  id,
  time: '2026-01-10T00:00:00Z',
  tags: [`backup=${backup}`],
});
const list = JSON.stringify([
  snapshot('kept', KEPT),
  snapshot('gone-1', GONE),
  snapshot('gone-2', GONE),
  snapshot('lost', LOST),
]);
const end = (over: Partial<JobEnd> = {}): JobEnd => ({
  exitCode: 0,
  log: list,
  step: 'list-replica',
  reports: { 'list-primary': list },
  message: undefined,
  seconds: 1,
  ...over,
});
const orphans = (of: PruneItem = item, ended = end()) =>
  orphansOf({ copies, keys, plan, now: NOW, graceDays: 7 }, of, ended);

describe('the snapshots of no record in a repository', () => {
  it('are told apart in each copy: what the second region keeps longer stays there', async () => {
    expect(await orphans()).toEqual({ primary: ['gone-2', 'lost'], replica: ['lost'] });
  });

  it('are none when the list was cut off', async () => {
    const cut = end({ reports: { 'list-primary': list.slice(0, 50) }, log: '' });
    expect(await orphans(item, cut)).toEqual({ primary: [], replica: [] });
  });

  it('are not known of a Job that failed, or did not look', async () => {
    expect(await orphans(item, end({ exitCode: 1 }))).toBeUndefined();
    expect(await orphans({ ...item, lists: false })).toBeUndefined();
  });
});

describe('a repository', () => {
  it('is worked on in the copies that have it', async () => {
    put(copies.primary, `${item.repository}/config`);
    expect(await copiesWith(copies, item.repository)).toEqual(['primary']);
    put(copies.replica, `${item.repository}/config`);
    expect(await copiesWith(copies, item.repository)).toEqual(COPIES);
  });
});

describe('the end of a run', () => {
  it('is marked, and releases its own lease and no other', async () => {
    const leased = (work: string) =>
      putJson(copies.primary, keys.leases.prune, leaseFor({ work, execution: 'arn' }, NOW));
    await leased('weekly-1');
    await endRun(copies.primary, keys, plan.prune);
    expect(
      [keys.leases.prune, keys.records.prune.done(plan.prune)].map((key) => copies.primary.objects.has(key)),
    ).toEqual([true, true]);
    await leased(plan.prune);
    await endRun(copies.primary, keys, plan.prune);
    expect(copies.primary.objects.has(keys.leases.prune)).toBe(false);
  });
});
