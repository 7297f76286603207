import { beforeEach, describe, expect, it } from 'vitest';
import { encode } from '../../../functions/adapters/s3/documents.ts';
import { vaultKeys } from '../../../functions/core/vault/vault-keys.ts';
import { measure } from '../../../functions/measure/measure-vault/measure.ts';
import { MemoryVault } from '../../support/memory-vault.ts';

const keys = vaultKeys('paris');
const now = new Date('2026-01-02T00:00:00Z');
let primary: MemoryVault;
let replica: MemoryVault;

beforeEach(() => {
  [primary, replica] = [new MemoryVault('primary'), new MemoryVault('replica')];
});

/** A recovery point of that hour of January 1st, in the vaults that have it. */
function point(
  plan: string,
  hour: string,
  vaults: MemoryVault[],
  { phase = 'Completed', proven = true } = {},
) {
  const backup = `${plan}-20260101${hour}0000`;
  const record = {
    version: 1,
    cluster: 'paris',
    plan,
    backup,
    phase,
    reasons: [],
    startedAt: `2026-01-01T${hour}:00:00Z`,
    completedAt: `2026-01-01T${hour}:30:00Z`,
    namespaces: [],
    volumes: [],
    unprotected: [],
    objects: [],
  };
  for (const vault of vaults) {
    vault.objects.set(keys.records.work(backup), { body: encode({}), metadata: {} });
    if (phase !== 'none')
      vault.objects.set(keys.records.record(backup), { body: encode(record), metadata: {} });
    if (proven) vault.objects.set(keys.records.replica(backup), { body: encode({}), metadata: {} });
  }
}
const hours = async (plan = 'daily') => {
  const ages = (await measure({ primary, replica }, keys, ['daily', 'daily-more'], now)).get(plan);
  return [ages?.recoveryPointSeconds, ages?.replicaSeconds].map((s) => s && s / 3600);
};

describe('the age of a plan’s newest recovery points', () => {
  it('is that of the newest one here, and of the newest one that is proven there', async () => {
    point('daily', '10', [primary, replica]);
    point('daily', '20', [primary, replica], { proven: false });
    point('daily', '22', [primary], { proven: false });
    expect(await hours()).toEqual([2, 14]);
  });

  it('passes over what failed, is not committed, or is of another plan', async () => {
    point('daily', '10', [primary, replica], { phase: 'PartiallyFailed' });
    point('daily', '12', [primary, replica], { phase: 'Failed' });
    point('daily', '13', [primary, replica], { phase: 'none' });
    point('daily-more', '14', [primary, replica]);
    expect(await hours()).toEqual([14, 14]);
    expect(await hours('daily-more')).toEqual([10, 10]);
  });

  it('counts nothing as proven for what the primary says of it', async () => {
    point('daily', '10', [primary]);
    point('daily', '10', [replica], { proven: false });
    expect(await hours()).toEqual([14, undefined]);
  });

  it('is none where there is no recovery point', async () => {
    expect(await hours()).toEqual([undefined, undefined]);
  });
});
