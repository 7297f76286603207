import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  backupName,
  newestFirst,
  parseBackupName,
  restoreName,
  stamp,
} from '../../../../functions/core/backup/backup-name.ts';

const plan = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,20}[a-z0-9])?$/);
const wholeSecond = fc
  .integer({ min: 0, max: Date.UTC(9999, 11, 31, 23, 59, 59) / 1000 })
  .map((seconds) => new Date(seconds * 1000));

describe('the name of a backup', () => {
  it('reads as plan and instant', () => {
    expect(backupName('daily', new Date('2026-01-31T02:03:04.567Z'))).toBe('daily-20260131020304');
  });

  it('gives its plan and its instant back', () => {
    fc.assert(
      fc.property(plan, wholeSecond, (name, at) => {
        expect(parseBackupName(backupName(name, at))).toEqual({ plan: name, at });
      }),
    );
  });

  it('is the same for the same event, wherever its Date came from', () => {
    fc.assert(
      fc.property(plan, wholeSecond, fc.nat(999), (name, at, milliseconds) => {
        const again = new Date(at.getTime() + milliseconds);
        expect(backupName(name, again)).toBe(backupName(name, new Date(at.toISOString())));
      }),
    );
  });

  it('differs for two events of the same plan', () => {
    fc.assert(
      fc.property(plan, wholeSecond, wholeSecond, (name, a, b) => {
        expect(backupName(name, a) === backupName(name, b)).toBe(a.getTime() === b.getTime());
      }),
    );
  });

  it('sorts like its instant within one plan', () => {
    fc.assert(
      fc.property(wholeSecond, wholeSecond, (a, b) => {
        expect(stamp(a) < stamp(b)).toBe(a < b);
      }),
    );
  });

  it('keeps a plan whose own name ends like a backup', () => {
    const at = new Date('2026-01-31T02:03:04Z');
    expect(parseBackupName(backupName('weekly-20200101000000', at))?.plan).toBe('weekly-20200101000000');
  });

  it.each([
    ['daily', 'it has no instant'],
    ['daily-2026013102030', 'the instant is too short'],
    ['daily-20260230020304', 'February has no 30th'],
    ['daily-20260131250304', 'a day has no hour 25'],
    ['-20260131020304', 'the plan is empty'],
    ['Daily-20260131020304', 'a plan is lower case'],
    ['-daily-20260131020304', 'a plan begins with a letter or digit'],
    ['daily-20260131020304\n', 'a line feed follows'],
    ['_prune', 'it is a folder of prune runs'],
  ])('%j is none: %s', (name) => {
    expect(parseBackupName(name)).toBeUndefined();
  });
});

describe('the name of a restore', () => {
  it('holds its second, and differs between two executions of the same one', () => {
    const names = ['one', 'other'].map((e) => restoreName(new Date('2026-01-31T02:00:00.5Z'), e));
    expect(names[0]).toMatch(/^restore-20260131020000-[0-9a-f]{6}$/);
    expect(names[0]).not.toBe(names[1]);
  });
});

describe('the backups among some names', () => {
  const names = ['apps-20260101000000', '_prune', 'apps-20260301000000', 'db-20260201000000', 'restore.json'];
  it('are the newest first', () => {
    expect(newestFirst(names)).toEqual(['apps-20260301000000', 'db-20260201000000', 'apps-20260101000000']);
  });
  it('are those of one plan when it is given', () => {
    expect(newestFirst(names, 'apps')).toEqual(['apps-20260301000000', 'apps-20260101000000']);
  });
});
