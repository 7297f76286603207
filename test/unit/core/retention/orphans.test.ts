import { describe, expect, it } from 'vitest';
import {
  backupOf,
  isLeftOver,
  orphanSnapshots,
  type Recorded,
} from '../../../../functions/core/retention/orphans.ts';
import { resticId } from '../../../support/restic-id.ts';

const NOW = new Date('2026-02-01T00:00:00Z');
const day = (n: number) => new Date(NOW.getTime() + n * 24 * 3600 * 1000);
const OLD = 'daily-20260101000000';

describe('what is left over', () => {
  it.each([
    ['is older than the grace by its name and by what it wrote last', OLD, day(-8), true],
    ['is not what was written a moment ago', OLD, day(0), false],
    ['is not what was written at the end of the grace', OLD, day(-7), false],
    ['is not what is named after a moment ago', 'daily-20260131000000', day(-30), false],
    ['is not what is no backup', 'daily', day(-30), false],
    ['is not what has no time', OLD, undefined, false],
  ])('%s', (_, backup, lastWritten, expected) => {
    expect(isLeftOver(backup, lastWritten, NOW, 7)).toBe(expected);
  });
});

describe('the backup of a snapshot', () => {
  const of = (tags: string[], hostname = 'paris') => backupOf({ hostname, tags }, 'paris');

  it('is what its tag says', () => {
    expect(of(['plan=daily', `backup=${OLD}`, 'pvc=data'])).toBe(OLD);
  });

  it.each([
    ['without tags', []],
    ['with tags of its own', ['mine', 'pvc=data']],
    ['with a tag that names no backup', ['backup=of-mine']],
    ['with two such tags', [`backup=${OLD}`, 'backup=daily-20260102000000']],
  ])('is not known %s: somebody else took it', (_, tags) => {
    expect(of(tags)).toBeUndefined();
  });

  it('is not known with the host of another cluster', () => {
    expect(of([`backup=${OLD}`], 'rome')).toBeUndefined();
    expect(of([`backup=${OLD}`], '')).toBeUndefined();
  });
});

describe('snapshots of no record', () => {
  const known = (over: Partial<Recorded> = {}): Recorded => ({
    removed: new Set(),
    here: new Set(),
    anywhere: new Set(),
    decidedAt: NOW,
    ...over,
  });
  const orphan = (at: Date, recorded: Recorded, backup = OLD) =>
    orphanSnapshots([{ namespace: 'shop', snapshot: resticId('a'), at, backup }], recorded, 7).length > 0;
  const has = new Set([OLD]);

  it.each([
    ['go after the grace', day(-8), known(), true],
    ['stay within the grace', day(-6), known(), false],
    ['go at once when this run removes their backup', day(-1), known({ removed: has }), true],
    [
      'stay when they are younger than that decision: the backup is made again',
      day(1),
      known({ removed: has }),
      false,
    ],
    ['stay when their record is there', day(-8), known({ here: has, anywhere: has, removed: has }), false],
    ['stay when their record is in the other copy', day(-8), known({ anywhere: has }), false],
    [
      'go when their record is in the other copy and this run removes them here',
      day(-8),
      known({ anywhere: has, removed: has }),
      true,
    ],
  ])('%s', (_, time, recorded, expected) => {
    expect(orphan(time, recorded)).toBe(expected);
  });
});
