import { beforeEach, describe, expect, it } from 'vitest';
import { encode } from '../../../functions/adapters/s3/documents.ts';
import { READ_AT_MOST } from '../../../functions/measure/measure-vault/records.ts';
import { forger, hoursAgo, keys, measuredVault, NOW, nameOf } from '../../support/measured-vault.ts';

let { primary, replica, created, asked, point, look } = measuredVault();
beforeEach(() => {
  ({ primary, replica, created, asked, point, look } = measuredVault());
});

/** Ages of a plan in hours. */
async function ages(plan = 'daily') {
  const { plans, doubtful, errors } = await look();
  expect(errors).toEqual([]);
  const found = plans.find((p) => p.plan === plan);
  if (!found) throw new Error(`no ages of ${plan}`);
  return {
    completed: found.recoveryPointSeconds / 3600,
    partial: found.partiallyFailedSeconds / 3600,
    replica: found.replicaSeconds / 3600,
    doubtful: doubtful.length,
  };
}

describe('a plan’s recovery points', () => {
  it('are as old as the newest Completed one here, and as the newest proven one there', async () => {
    await point(14);
    await point(4, { proven: false });
    await point(2, { in: [primary], proven: false });
    expect(await ages()).toEqual({ completed: 2, partial: 0, replica: 14, doubtful: 0 });
  });

  it('are not confused with those of a plan whose name begins like it', async () => {
    await point(14);
    await point(10, { plan: 'daily-more' });
    expect(await ages()).toMatchObject({ completed: 14, replica: 14 });
    expect(await ages('daily-more')).toMatchObject({ completed: 10, replica: 10 });
  });

  it('have been incomplete since the last Completed one, if they are PartiallyFailed every night', async () => {
    await point(170);
    for (let night = 0; night < 7; night++) await point(2 + 24 * night, { phase: 'PartiallyFailed' });
    expect(await ages()).toEqual({ completed: 170, partial: 168, replica: 2, doubtful: 0 });
  });

  it('count nothing as proven for what the primary says of it', async () => {
    await point(10, { in: [primary] });
    await point(10, { in: [replica], proven: false });
    expect((await ages()).replica).toBe(500);
  });

  it('do not count while a backup is not committed, or has failed', async () => {
    await point(20);
    await primary.put(keys.records.work(nameOf(1)), encode({}));
    await point(2, { phase: 'Failed', by: 'nobody', proven: false });
    expect(await ages()).toEqual({ completed: 20, partial: 0, replica: 20, doubtful: 0 });
  });
});

describe('a plan that never ran', () => {
  it('is as old as its schedule', async () => {
    created.set('backup-daily', hoursAgo(3));
    expect(await ages()).toEqual({ completed: 3, partial: 0, replica: 3, doubtful: 0 });
  });

  it('is older than any threshold without a schedule', async () => {
    created.delete('backup-daily');
    expect((await ages()).completed).toBeGreaterThan(24 * 365 * 50);
  });
});

describe('a record without a valid signature', () => {
  it.each([
    ['is signed by somebody else', { by: forger }],
    ['is not signed', { by: 'nobody' as const }],
    ['is signed, but is the record of another backup', { backup: nameOf(99) }],
    ['is of another cluster', { cluster: 'london' }],
  ])('that %s makes nothing younger, and is reported', async (_, over) => {
    await point(40);
    await point(1, { in: [primary], ...over });
    expect(await ages()).toMatchObject({ completed: 40, replica: 40, doubtful: 1 });
  });

  it('is found below newer ones, and among plans that are not configured, in its turn', async () => {
    for (let i = 0; i < 100; i++) await point(2 + i);
    await point(60.5, { in: [replica], by: forger });
    await point(70.5, { in: [primary], by: forger, plan: 'gone' });
    const found = new Set<string>();
    for (let turn = 0; turn < 13; turn++) {
      const at = new Date(NOW.getTime() + turn * 15 * 60 * 1000);
      for (const doubtful of (await look({ now: at })).doubtful) found.add(doubtful);
    }
    expect([...found].sort()).toEqual([
      `records/paris/${nameOf(60.5)}/record.json in bucket replica`,
      `records/paris/${nameOf(70.5, 'gone')}/record.json in bucket primary`,
    ]);
  });

  it('counts in the replica, too', async () => {
    await point(40);
    await point(1, { in: [replica], by: forger });
    expect(await ages()).toMatchObject({ completed: 40, replica: 40, doubtful: 1 });
  });

  it('is reported if it is no record at all, and the others are measured', async () => {
    await point(40);
    await primary.put(keys.records.record(nameOf(1)), Buffer.from('{"phase": ["Completed"], '));
    await primary.put(keys.records.record(nameOf(2)), encode({ version: 1, startedAt: {} }));
    const { doubtful } = await look();
    expect(doubtful).toEqual(
      [nameOf(1), nameOf(2)].map((name) => `records/paris/${name}/record.json in bucket primary`),
    );
    expect(await ages()).toMatchObject({ completed: 40, doubtful: 2 });
  });

  it('is not reported if it says Failed: nothing trusts it, and fail-backup does not sign', async () => {
    await point(1, { phase: 'Failed', by: 'nobody' });
    expect((await ages()).doubtful).toBe(0);
  });

  it('is reported if it says Failed and names data: fail-backup names none', async () => {
    const volumes = [{ id: 'shop.pgdata', namespace: 'shop', pvc: 'pgdata', result: 'failed' as const }];
    await point(1, { phase: 'Failed', by: 'nobody', volumes });
    expect((await ages()).doubtful).toBe(2);
  });

  it('is reported if it says Failed with a wrong signature', async () => {
    await point(1, { phase: 'Failed', by: forger, in: [primary] });
    expect((await ages()).doubtful).toBe(1);
  });

  it('hides nothing by a time of the future, signed or not', async () => {
    await point(40);
    await point(-24, { in: [primary] });
    await point(-48, { in: [primary], by: forger });
    await point(-72, { in: [primary], startedAt: hoursAgo(50).toISOString() });
    expect(await ages()).toMatchObject({ completed: 40, doubtful: 1 });
  });

  it('does not silence an alarm by its number', async () => {
    await point(40);
    for (let i = 0; i < READ_AT_MOST + 5; i++)
      await point(1 + i / 60, { in: [primary], by: forger, phase: 'PartiallyFailed' });
    const found = await ages();
    expect(found).toMatchObject({ completed: 500, partial: 0, replica: 40 });
    expect(found.doubtful).toBeGreaterThanOrEqual(READ_AT_MOST);
  });

  it('does not silence the alarm on a volume by the number of Failed ones, which nobody signs', async () => {
    const volumes = [{ id: 'shop.pgdata', namespace: 'shop', pvc: 'pgdata', result: 'failed' as const }];
    await point(1, { phase: 'PartiallyFailed', volumes });
    const failed = { phase: 'Failed' as const, by: 'nobody' as const, in: [primary] };
    for (let i = 0; i < READ_AT_MOST; i++) await point(2 + i / 60, failed);
    await point(90, { volumes: [{ ...volumes[0], result: 'protected', snapshot: 'e'.repeat(64) } as never] });
    expect((await look()).plans[0]?.volumeSeconds).toBe(500 * 3600);
  });
});

describe('a look', () => {
  it('reads one record per plan and copy and eight more, and asks for no schedule of a backup, while all is well', async () => {
    for (let i = 0; i < 300; i++) await point(1 + i);
    for (let i = 0; i < 300; i++) await point(1 + i, { plan: 'daily-more' });
    [primary.calls, replica.calls] = [0, 0];
    await look();
    expect(primary.calls).toBeLessThan(20);
    expect(replica.calls).toBeLessThan(20);
    expect(asked).toEqual(['verification']);
  });

  it('reads no more than its bound, whatever the vault holds', async () => {
    for (let i = 0; i < 300; i++) await point(1 + i, { phase: 'PartiallyFailed', proven: false });
    [primary.calls, replica.calls] = [0, 0];
    expect(await ages()).toMatchObject({ completed: 500, partial: 499 });
    expect(primary.calls).toBeLessThan(READ_AT_MOST + 20);
    expect(replica.calls).toBeLessThan(2 * READ_AT_MOST + 20);
  });

  it('measures the other plans when one cannot be', async () => {
    await point(3);
    await point(4, { plan: 'daily-more' });
    const broken = Object.assign(Object.create(primary), {
      find: async (at: string) => {
        if (at.includes('/daily-more-')) throw new Error('no answer');
        return primary.find(at);
      },
    });
    const { plans, errors } = await look({ copies: { primary: broken, replica } });
    expect(plans.map((p) => p.plan)).toEqual(['daily']);
    expect([...new Set(errors.map(String))]).toEqual(['Error: no answer']);
  });

  it('counts the backups of plans that are not configured, in either copy, once', async () => {
    await point(3, { plan: 'gone' });
    await point(4, { plan: 'gone', in: [replica] });
    await point(4);
    expect((await look()).withoutPlan).toEqual([nameOf(3, 'gone'), nameOf(4, 'gone')]);
    expect((await look({ retired: ['gone'] })).withoutPlan).toEqual([]);
  });

  it('names the volumes that the newest recovery point has no snapshot of', async () => {
    const volume = (pvc: string, result: 'protected' | 'failed') => ({
      ...{ id: `shop.${pvc}`, namespace: 'shop', pvc, result },
      ...(result === 'protected' && { snapshot: 'c'.repeat(64) }),
    });
    await point(50, { volumes: [volume('pgdata', 'protected'), volume('web', 'protected')] });
    await point(26, {
      volumes: [volume('pgdata', 'failed'), volume('web', 'protected')],
      phase: 'PartiallyFailed',
    });
    await point(2, {
      volumes: [volume('pgdata', 'failed'), volume('web', 'failed')],
      phase: 'PartiallyFailed',
    });
    const [daily] = (await look()).plans;
    expect(daily?.volumeSeconds).toBe(50 * 3600);
    expect(daily?.behind.map((b) => `${b.volume} ${b.since.toISOString()}`)).toEqual([
      `shop/pgdata ${hoursAgo(50).toISOString()}`,
      `shop/web ${hoursAgo(26).toISOString()}`,
    ]);
  });
});
