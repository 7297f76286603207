import { beforeEach, describe, expect, it } from 'vitest';
import { encode } from '../../../functions/adapters/s3/documents.ts';
import { stamp } from '../../../functions/core/backup/backup-name.ts';
import { hoursAgo, keys, measuredVault } from '../../support/measured-vault.ts';

let { primary, replica, created, point, look } = measuredVault();
beforeEach(() => {
  ({ primary, replica, created, point, look } = measuredVault());
});

describe('the newest verification', () => {
  const report = (hours: number, over: object = {}) =>
    primary.put(
      keys.records.verify.report(`verify-${stamp(hoursAgo(hours))}-abcdef`),
      encode({ startedAt: hoursAgo(hours).toISOString(), ...over }),
    );
  const age = async () => ((await look()).verificationSeconds ?? Number.NaN) / 3600;

  it('is the newest that has a report', async () => {
    await report(300);
    await report(100);
    await primary.put(keys.records.verify.run(`verify-${stamp(hoursAgo(2))}-abcdef`), encode({}));
    expect(await age()).toBe(100);
  });

  it('is not one of the future, nor one that is no report', async () => {
    await report(100);
    await report(-10);
    await report(50, { startedAt: ['yesterday'] });
    await report(40, { startedAt: 'yesterday' });
    expect(await age()).toBe(100);
  });

  it('is as old as its schedule before the first, and has no age without a schedule', async () => {
    expect(await age()).toBe(500);
    created.delete('verification');
    expect(await age()).toBeNaN();
  });
});

describe('the newest pass over the locks', () => {
  const lock = (backup: string, hours: number, vaults = [primary, replica]) =>
    Promise.all(
      vaults.map((vault) =>
        vault.put(
          keys.records.lock(backup),
          encode({
            mode: 'GOVERNANCE',
            until: hoursAgo(-300).toISOString(),
            began: hoursAgo(hours).toISOString(),
          }),
        ),
      ),
    );
  const age = async () => ((await look({ locked: true })).lockPassSeconds ?? Number.NaN) / 3600;

  it('is that of the copy where it is older', async () => {
    const backup = await point(30);
    await point(2);
    await lock(backup, 10, [primary]);
    await lock(backup, 70, [replica]);
    expect(await age()).toBe(70);
  });

  it('is found among many young recovery points, of which none has seen a pass', async () => {
    for (let i = 0; i < 90; i++) await point(i / 4);
    await lock(await point(23), 5);
    expect(await age()).toBe(5);
  });

  it('does not believe a pass of the future, or a document without a time', async () => {
    const backup = await point(300);
    await lock(backup, -1000);
    expect(await age()).toBe(300);
    for (const vault of [primary, replica])
      await vault.put(keys.records.lock(backup), encode({ mode: 'GOVERNANCE', until: 'never' }));
    expect(await age()).toBe(300);
  });

  it('counts from the first recovery point or the schedule, whichever is later, before the first pass', async () => {
    await point(300);
    expect(await age()).toBe(300);
    created.set('lock-daily', hoursAgo(4));
    expect(await age()).toBe(4);
  });

  it('has no age while there is nothing to lock, or no Object Lock', async () => {
    expect(await age()).toBeNaN();
    await point(300);
    expect((await look()).lockPassSeconds).toBeUndefined();
  });
});
