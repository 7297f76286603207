import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BackupRecord } from '../../../../functions/core/backup/record.ts';
import {
  extension,
  type FoundPoint,
  isLocked,
  lockedAtLeastUntil,
  lockScope,
  type ObjectRetention,
} from '../../../../functions/core/retention/object-lock.ts';
import { vaultKeys } from '../../../../functions/core/vault/vault-keys.ts';
import type { VolumeOutcome } from '../../../../functions/core/volumes/work.ts';
import { DATA, recordOf } from '../../../support/builders.ts';

const NOW = new Date('2026-03-01T00:00:00Z');
const inDays = (days: number) => new Date(NOW.getTime() + days * 24 * 3600 * 1000);
const mode = fc.constantFrom('GOVERNANCE' as const, 'COMPLIANCE' as const);
const lock = fc.record({ mode, days: fc.integer({ min: 1, max: 400 }) });
const held = fc.option(fc.record({ mode, until: fc.integer({ min: -400, max: 400 }).map(inDays) }), {
  nil: undefined,
});
/** The lock that a version has after it was looked at. */
const after = (found: ObjectRetention | undefined, given: Parameters<typeof extension>[1]) =>
  extension(found, given, NOW) ?? (found as ObjectRetention);

describe('the extension of a lock', () => {
  it('never shortens one', () => {
    fc.assert(
      fc.property(held, lock, (found, given) => {
        if (found) expect(after(found, given).until >= found.until).toBe(true);
      }),
    );
  });

  it('leaves at least half of the period, whatever was there', () => {
    fc.assert(
      fc.property(held, lock, (found, given) => {
        expect(after(found, given).until >= lockedAtLeastUntil(given, NOW)).toBe(true);
      }),
    );
  });

  it('is of the whole period from now on, so that the next is due after half of it', () => {
    fc.assert(
      fc.property(held, lock, (found, given) => {
        const longer = extension(found, given, NOW);
        if (longer) expect(longer.until).toEqual(inDays(given.days));
      }),
    );
  });

  it('is not repeated', () => {
    fc.assert(
      fc.property(held, lock, (found, given) => {
        expect(extension(after(found, given), given, NOW)).toBeUndefined();
      }),
    );
  });

  it('changes the mode of no lock that holds', () => {
    fc.assert(
      fc.property(held, lock, (found, given) => {
        fc.pre(found !== undefined && found.until > NOW);
        expect(after(found, given).mode).toBe(found?.mode);
      }),
    );
  });

  it.each([
    ['has none', undefined],
    ['has one that is over', { mode: 'GOVERNANCE' as const, until: inDays(-1) }],
  ])('is of the configured mode where a version %s', (_, found) => {
    expect(extension(found, { mode: 'COMPLIANCE', days: 30 }, NOW)?.mode).toBe('COMPLIANCE');
  });
});

describe('what is locked below a recovery point', () => {
  it.each([
    ['restic/paris/shop/locks/abc', false],
    ['records/paris/daily-1/lock.json', false],
    ['records/paris/daily-1/progress.json', false],
    ['records/paris/daily-1/record.json', true],
    ['records/paris/daily-1/volumes/lock.json', true],
    ['restic/paris/locks/data/00/00', true],
    ['restic/paris/shop/index/abc', true],
  ])('%s: %s', (key, locked) => {
    expect(isLocked(key)).toBe(locked);
  });
});

const keys = vaultKeys('paris');
const nameOf = (day: number) => `daily-202601${String(day).padStart(2, '0')}000000`;
const withVolume = (day: number, over: Partial<BackupRecord> = {}, volume: Partial<VolumeOutcome> = {}) =>
  recordOf(nameOf(day), {
    volumes: [{ ...DATA, namespace: `ns-${day}`, ...volume }],
    ...over,
  });
const point = (day: number, over: Partial<FoundPoint> = {}): FoundPoint => ({
  backup: nameOf(day),
  record: withVolume(day),
  replicated: true,
  wholeSince: new Date(Date.UTC(2026, 0, day, 1)),
  ...over,
});
const forged = (day: number) => point(day, { record: undefined, wholeSince: undefined });
const scopeOf = (
  found: readonly FoundPoint[],
  keepLast: number | undefined = 2,
  repositories: string[] = [],
) =>
  lockScope(found, {
    keys,
    retentionOf: () => (keepLast ? { policies: [{ keepLast }], timeZone: 'UTC' } : undefined),
    began: NOW,
    repositories,
  });
const dirs = (day: number) => [keys.records.dir(nameOf(day)), keys.velero.dir(nameOf(day))];
const repository = (namespace: string) => `${keys.restic.repository(namespace)}/`;

describe('what a pass locks', () => {
  it('is all of the recovery points that the policy keeps, and their whole repositories', () => {
    const { kept, prefixes } = scopeOf([point(1), point(2), point(3)]);
    expect([...kept].sort()).toEqual([nameOf(2), nameOf(3)]);
    expect(prefixes).toEqual([...dirs(2), ...dirs(3), repository('ns-2'), repository('ns-3')].sort());
  });

  it('is nothing of a plan that holdfast.yaml does not name: locks could otherwise never end', () => {
    const context = { keys, retentionOf: () => undefined, began: NOW, repositories: ['ns-1'] };
    expect(lockScope([point(1), point(2), point(3)], context)).toEqual({ kept: [], prefixes: [] });
  });

  it('is nothing of a retired plan that is older than its ttl', () => {
    const retentionOf = () => ({ policies: [{ keepLast: 2, ttl: '30d', retired: true }], timeZone: 'UTC' });
    const scope = (began: Date) =>
      lockScope([point(1), point(2)], { keys, retentionOf, began, repositories: [] });
    expect(scope(NOW).kept).toEqual([]);
    expect(scope(new Date('2026-01-31T12:00:00Z')).kept).toEqual([nameOf(2)]);
  });

  it('is the recovery point with the last good snapshot of a volume', () => {
    const partly = (day: number) => {
      const record = withVolume(day, { phase: 'PartiallyFailed' }, { namespace: 'ns-1', result: 'failed' });
      return point(day, { record: { ...record, volumes: record.volumes.map(({ snapshot: _, ...v }) => v) } });
    };
    const first = point(1, { record: withVolume(1, { phase: 'PartiallyFailed' }) });
    const { kept, prefixes } = scopeOf([first, partly(2), partly(3), partly(4)]);
    expect([...kept].sort()).toEqual([nameOf(1), nameOf(3), nameOf(4)]);
    expect(prefixes).toContain(repository('ns-1'));
  });

  it('is not promised for what was not whole when the pass began', () => {
    const late = point(3, { wholeSince: inDays(1) });
    const { kept, prefixes } = scopeOf([point(2), late]);
    expect([kept, prefixes.includes(keys.records.dir(nameOf(3)))]).toEqual([[nameOf(2)], true]);
  });

  it('is not less because of any number of forged records', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 4, max: 28 })), (days) => {
        const honest = scopeOf([point(1), point(2), point(3)]);
        const attacked = scopeOf([point(1), point(2), point(3), ...days.map(forged)], 2, ['ns-2', 'ns-3']);
        expect([...attacked.kept].sort()).toEqual([...honest.kept].sort());
        expect(attacked.prefixes).toEqual(expect.arrayContaining([...honest.prefixes]));
      }),
    );
  });

  it('holds on to what a forged record has replaced, and to every repository', () => {
    const { kept, prefixes } = scopeOf([point(2), forged(3)], 2, ['ns-2', 'ns-3', 'other']);
    expect(kept).toEqual([nameOf(2)]);
    expect(prefixes).toEqual([...dirs(2), ...dirs(3), ...['ns-2', 'ns-3', 'other'].map(repository)].sort());
  });
});
