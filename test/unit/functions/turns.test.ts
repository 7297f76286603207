import { beforeEach, describe, expect, it } from 'vitest';
import type { Holder } from '../../../functions/core/vault/lease.ts';
import { vaultKeys } from '../../../functions/core/vault/vault-keys.ts';
import { pruneBackups } from '../../../functions/prune/prune-backups/prune.ts';
import { tookTurn } from '../../../functions/replicate/replicate-backup/turn.ts';
import { madeObjects, removeAll } from '../../../functions/runtime/jobs/made-objects.ts';
import { releaseLease, takeLease } from '../../../functions/runtime/leases.ts';
import { keyPair } from '../../support/key-pair.ts';
import { MemoryCluster } from '../../support/memory-cluster.ts';
import { MemoryVault } from '../../support/memory-vault.ts';
import { pruneVault } from '../../support/prunes.ts';

const keys = vaultKeys('paris');
const NOW = new Date('2026-02-01T02:00:00Z');
let primary: MemoryVault;
beforeEach(() => {
  primary = new MemoryVault('primary');
});

const alive = async () => false;
type IsGone = (holder: Holder) => Promise<boolean>;
const leases = (isGone: IsGone = alive, vault = primary) => ({ vault, now: NOW, isGone });
const copierOf = (plan: string) => ({
  plan,
  holder: { work: `${plan}-1`, execution: 'arn' },
  deadlineSeconds: 3600,
});
const copy = (plan = 'daily', isGone?: IsGone) => tookTurn(leases(isGone), keys, copierOf(plan));
const takenByAnother = (key: string, work: string) => takeLease(leases(), key, { work, execution: 'arn' });
const prune = async () => {
  const run = { input: { plan: 'daily' }, prune: 'daily-2', execution: 'arn', now: NOW, isGone: alive };
  const retention = { keepLast: 1 };
  const limits = { share: 50, orphanGraceDays: 7, plans: ['daily'], retired: new Map() };
  const policy = { retention, replicaRetention: retention, timeZone: 'UTC', ...limits };
  return (
    await pruneBackups(pruneVault({ primary, replica: new MemoryVault('replica') }, keyPair()), run, policy)
  ).outcome;
};

describe('those who copy to the second region', () => {
  it('do so side by side, one a plan', async () => {
    expect([await copy('daily'), await copy('weekly'), await copy('daily')]).toEqual([true, true, true]);
    await takenByAnother(keys.leases.replicate('hourly'), 'hourly-0');
    expect(await copy('hourly')).toBe(false);
  });

  it('wait while a prune is running, and hold no lease meanwhile', async () => {
    await takenByAnother(keys.leases.prune, 'weekly-2');
    expect([await copy(), primary.objects.has(keys.leases.replicate('daily'))]).toEqual([false, false]);
    await releaseLease(primary, keys.leases.prune, 'weekly-2');
    expect(await copy()).toBe(true);
  });

  it('wait while a Job of a prune that was stopped may still remove packs', async () => {
    const dir = keys.runs.dir('prune-20260201015900-abcdef');
    const cluster = new MemoryCluster(NOW);
    const made = madeObjects({ cluster, vault: primary, now: NOW }, dir);
    const job = (name: string) => ({ metadata: { name, namespace: 'holdfast' } });
    await made.make({ kind: 'job', id: 'shop', attempt: 1 }, 'holdfast', job);
    expect(await copy()).toBe(false);
    await removeAll(made);
    expect(await copy()).toBe(true);
  });

  it('do not wait for a prune whose execution has ended', async () => {
    await takenByAnother(keys.leases.prune, 'weekly-2');
    expect(await copy('daily', async () => true)).toBe(true);
  });

  it.each([
    ['first', 0, 'pruned', true],
    ['before the copier writes its lease', 1, 'pruned', true],
    ['before the copier looks whether somebody prunes', 2, 'waiting', false],
    ['when the copier has begun', 3, 'waiting', true],
  ])('never work beside a prune that comes %s', async (_, at, outcome, copies) => {
    let calls = 0;
    let pruned: Promise<string> | undefined;
    const held = new Proxy(primary, {
      get(target, name) {
        const value = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        return async (...args: unknown[]) => {
          if (calls++ === at) pruned = prune();
          await pruned;
          return Reflect.apply(value, target, args);
        };
      },
    });
    expect([await tookTurn(leases(alive, held), keys, copierOf('daily')), await (pruned ?? prune())]).toEqual(
      [copies, outcome],
    );
  });
});
