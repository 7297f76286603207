import { beforeEach, describe, expect, it } from 'vitest';
import { COPIES, type CopyName } from '../../../functions/contract/copies.ts';
import { vaultKeys } from '../../../functions/core/vault/vault-keys.ts';
import { DATA } from '../../support/builders.ts';
import { nameOf, PrunedVault, RUN } from '../../support/prunes.ts';
import { resticId } from '../../support/restic-id.ts';

const keys = vaultKeys('paris');
let vault: PrunedVault;
beforeEach(() => {
  vault = new PrunedVault();
});

describe('the only snapshot of a database', () => {
  const partly = { phase: 'PartiallyFailed' as const, reasons: ['volume shop/data: no result'] };
  const { snapshot: _, ...failed } = DATA;
  const without = { ...partly, volumes: [{ ...failed, result: 'failed' as const }] };
  const week = { keepLast: 7, ttl: '3d' };
  let only: string;
  beforeEach(async () => {
    only = vault.putSnapshot(nameOf(10), { where: COPIES });
    await vault.putPoint(nameOf(10), only, partly);
    for (let day = 11; day <= 18; day++) await vault.putPoint(nameOf(day), '', without);
  });
  const run = () => vault.prune({ retention: week, replicaRetention: { keepLast: 1 } });
  const decided = (copy: CopyName) => vault.plan()[copy].decisions.find((d) => d.backup === nameOf(10));

  it('stays in both copies behind any number of days on which its volume failed, and in spite of a ttl', async () => {
    await run();
    expect(decided('primary')).toMatchObject({ keep: true, reasons: ['last good of volume shop/data'] });
    expect(decided('replica')?.reasons).toContain('last good of volume shop/data');
    expect([vault.forgotten('primary'), vault.forgotten('replica')]).toEqual([[], []]);
  });

  it('is not given up for a record that is forged, not signed, or damaged', async () => {
    const other = { ...DATA, snapshot: resticId('forged') };
    await vault.putUnsigned('primary', nameOf(19), { volumes: [other] });
    await vault.putPoint(nameOf(20), resticId('forged'));
    const forged = vault.copies.primary.objects.get(keys.records.record(nameOf(20)))?.body.toString() ?? '';
    await vault.copies.primary.put(
      keys.records.record(nameOf(20)),
      Buffer.from(forged.replace('Completed', 'completed')),
    );
    await vault.putPoint(nameOf(21), resticId('forged'));
    await vault.copies.primary.put(
      keys.records.record(nameOf(21)),
      Buffer.from(forged.replaceAll(nameOf(20), nameOf(21)).replace('2026-01-31', '2026-01-30')),
    );
    await run();
    expect(decided('primary')?.keep).toBe(true);
    expect(vault.forgotten('primary')).toEqual([]);
  });
});

describe('recovery points of a plan that holdfast.yaml does not name', () => {
  it('are reported by each run, and nothing of them goes', async () => {
    const old = vault.putSnapshot(nameOf(1, 'former'));
    await vault.putPoint(nameOf(1, 'former'), old);
    await vault.prune({}, {}, true);
    expect(vault.document(keys.records.prune.report(RUN)).unknownPlans).toEqual([
      expect.stringMatching(/^1 backup of plan former, up to former-20260101000000: /),
    ]);
    const said: string[] = [];
    expect(await vault.prune({}, { warn: (text) => void said.push(text) })).toMatchObject({
      removed: 0,
      forget: 0,
    });
    expect(said).toEqual([expect.stringContaining('plan former')]);
  });
});

describe('recovery points of retired plans', () => {
  const ended = { keepLast: 1, ttl: '5d', retired: true };
  const retired = (plans: readonly string[], retention = ended) =>
    new Map(plans.map((name) => [name, { retention, replicaRetention: retention, timeZone: 'UTC' }]));
  const putPoints = async (...names: readonly string[]) => {
    for (const name of names) await vault.putPoint(name, vault.putSnapshot(name, { where: COPIES }));
  };
  const left = (copy: CopyName) =>
    [...vault.copies[copy].objects.keys()].flatMap((key) => /([^/]+)\/record\.json$/.exec(key)?.[1] ?? []);

  it('go by the retention of their plan with the run of any plan, the last ones, too', async () => {
    await putPoints(nameOf(1, 'weekly'), nameOf(3));
    expect(await vault.prune({ retired: retired(['weekly']) })).toMatchObject({
      removed: 1,
      kept: 1,
      forget: 1,
    });
    for (const copy of COPIES) expect(left(copy)).toEqual([nameOf(3)]);
    expect(vault.plan().replica.forget.map((f) => f.backup)).toEqual([nameOf(1, 'weekly')]);
  });

  it('stay in both copies when too many would go at once, and the run goes on', async () => {
    await putPoints(...[1, 2, 3].map((day) => nameOf(day, 'weekly')), ...[1, 2, 3].map((day) => nameOf(day)));
    const over = { retired: retired(['weekly']), share: 50 };
    expect(await vault.prune(over)).toMatchObject({ removed: 1, kept: 5 });
    expect(left('replica').sort()).toEqual([
      ...[2, 3].map((day) => nameOf(day)),
      ...[1, 2, 3].map((day) => nameOf(day, 'weekly')),
    ]);
    expect(vault.plan().primary.decisions).toContainEqual({
      backup: nameOf(1, 'weekly'),
      keep: true,
      reasons: ['so much of a plan goes only by holdfast prune weekly --allow-share 100'],
    });
  });

  it('count for no rule of another plan', async () => {
    await putPoints(nameOf(1), nameOf(2), ...[20, 21, 22].map((day) => nameOf(day, 'weekly')));
    const longer = { keepLast: 9, ttl: '1y', retired: true };
    expect(await vault.prune({ retired: retired(['weekly'], longer) })).toMatchObject({
      removed: 0,
      kept: 5,
    });
  });
});

describe('more than a Job can remove', () => {
  it('goes with later runs, the oldest first, and in neither copy before', async () => {
    const snapshots = (day: number) =>
      Array.from({ length: 1500 }, (_, i) => ({ ...DATA, snapshot: resticId(`${day}-${i}`) }));
    for (const day of [1, 2, 3, 4, 5]) await vault.putPoint(nameOf(day), '', { volumes: snapshots(day) });
    vault.copies.replica.objects.delete(keys.records.record(nameOf(1)));
    expect(
      await vault.prune({ retention: { keepLast: 1 }, replicaRetention: { keepLast: 1 } }),
    ).toMatchObject({
      removed: 2,
      removedFromReplica: 1,
    });
    expect(
      vault
        .plan()
        .primary.forget.map((f) => f.backup)
        .sort(),
    ).toEqual([nameOf(1), nameOf(2)]);
    expect(vault.plan().replica.decisions.find((d) => d.backup === nameOf(3))?.reasons).toEqual([
      'goes with the next run: one removes at most 4000 snapshots of a repository',
    ]);
  });
});
