import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  backupName,
  newestFirst,
  parseBackupName,
  pruneName,
  restoreName,
  stamp,
  verificationName,
} from '../../../../functions/core/backup/backup-name.ts';
import { controlPlaneRun } from '../../../../functions/core/backup/control-plane.ts';
import { dnsName } from '../../../../infra/config/values.ts';

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

describe('the names of runs', () => {
  /** Plan names that look like runs, and any other that holdfast.yaml accepts. */
  const odd = fc.constantFrom('prune', 'restore', 'verify', 'backup', 'a', '0', 'a-cp', 'cp');
  const tail = fc.constantFrom(
    '',
    '-20260131020000',
    '-20260131020000-abc123',
    '-123456',
    '-cp',
    '-prune',
    '0',
  );
  const anyPlan = fc
    .oneof(
      plan,
      fc.tuple(odd, tail, tail).map((parts) => parts.join('')),
    )
    .filter((name) => dnsName(40).safeParse(name).success);
  const second = fc.constantFrom(
    ...['2026-01-31T02:00:00Z', '2026-01-31T02:00:01Z'].map((at) => new Date(at)),
  );
  const at = fc.oneof(second, wholeSecond);
  const execution = fc.constantFrom('one', 'other');
  const run = fc.oneof(
    fc.tuple(anyPlan, at).map(([name, when]) => ['backup', backupName(name, when)] as const),
    fc.tuple(anyPlan, at).map(([name, when]) => ['cp', controlPlaneRun(backupName(name, when))] as const),
    fc.tuple(at, execution).map(([when, of]) => ['prune', pruneName(when, of)] as const),
    fc.tuple(at, execution).map(([when, of]) => ['restore', restoreName(when, of)] as const),
    fc.tuple(at, execution).map(([when, of]) => ['verify', verificationName(when, of)] as const),
  );
  /** What a run is, by its name alone: names of which this is unique cannot be equal. */
  const kindOf = (name: string): string[] => [
    ...(/-\d{14}$/.test(name) ? ['backup'] : []),
    ...(/-\d{14}-cp$/.test(name) ? ['cp'] : []),
    ...(/^(prune|restore|verify)-\d{14}-[0-9a-f]{6}$/.exec(name)?.slice(1) ?? []),
  ];

  it('say what the run is, whatever the plan is called: runs of two kinds never share one', () => {
    fc.assert(
      fc.property(run, ([kind, name]) => {
        expect(kindOf(name)).toEqual([kind]);
      }),
    );
  });

  it('of a prune, a restore or a verification are not the name of a backup', () => {
    fc.assert(
      fc.property(run, ([kind, name]) => {
        expect(parseBackupName(name) !== undefined).toBe(kind === 'backup');
      }),
    );
  });

  it('of a prune differ between two executions of one second', () => {
    const now = new Date('2026-01-31T02:00:00.5Z');
    expect(pruneName(now, 'one')).toMatch(/^prune-20260131020000-[0-9a-f]{6}$/);
    expect(pruneName(now, 'one')).not.toBe(pruneName(now, 'other'));
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
