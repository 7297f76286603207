import { describe, expect, it } from 'vitest';
import {
  decidePhase,
  type ResourceResult,
  type VolumeOutcome,
  type Work,
} from '../../../functions/core/record.ts';
import { selectionOf } from '../../support/selection.ts';

const volume = { id: 'shop.data', namespace: 'shop', pvc: 'data', pod: 'db-0', strategy: 'mount' } as const;
const selection = selectionOf(['shop']);
const work = (over: Partial<Work> = {}): Work => ({
  plan: 'daily',
  backup: 'daily-1',
  startedAt: '2026-01-31T02:00:00Z',
  namespaces: ['shop'],
  wide: false,
  selection,
  volumes: [volume],
  excluded: [],
  unprotected: [],
  problems: [],
  ...over,
});
const resources = (over: Partial<ResourceResult> = {}): ResourceResult => ({
  items: 1,
  bytes: 1,
  archiveBytes: 1,
  sha256: 'aa',
  resourceVersion: '1',
  types: {},
  shards: 1,
  consistency: 'exact',
  inexact: [],
  unreadable: [],
  seconds: 1,
  ...over,
});
const outcome = (over: Partial<VolumeOutcome> = {}): VolumeOutcome => ({
  id: 'shop.data',
  namespace: 'shop',
  pvc: 'data',
  result: 'protected',
  snapshot: 'abc',
  ...over,
});

describe('a backup', () => {
  it('is Completed when nothing is missing', () => {
    expect(decidePhase(work(), resources(), [outcome()])).toEqual({ phase: 'Completed', reasons: [] });
  });

  it('is Completed with volumes that nobody opted in', () => {
    expect(
      decidePhase(work({ unprotected: [{ volume: 'shop/other', reason: 'nobody' }] }), resources(), [
        outcome(),
      ]).phase,
    ).toBe('Completed');
  });

  it.each([
    [
      'a problem was there before',
      work({ problems: ['namespace x is missing'] }),
      {},
      {},
      'namespace x is missing',
    ],
    ['a type could not be read', work(), { unreadable: ['pods'] }, {}, 'pods could not be read'],
    ['a volume is partial', work(), {}, { result: 'partial', message: 'why' }, 'volume shop/data: why'],
    ['a volume failed', work(), {}, { result: 'failed', message: 'why' }, 'volume shop/data: why'],
    ['a volume failed without a word', work(), {}, { result: 'failed' }, 'volume shop/data: failed'],
    ['a result is of another volume', work(), {}, { id: 'shop.other' }, 'volume shop/data: no result'],
  ] as const)('is PartiallyFailed with its reason when %s', (_, w, r, o, reason) => {
    expect(decidePhase(w, resources(r as Partial<ResourceResult>), [outcome(o)])).toEqual({
      phase: 'PartiallyFailed',
      reasons: [reason],
    });
  });

  it('gives every reason, not the first', () => {
    const decided = decidePhase(work({ problems: ['p'] }), resources({ unreadable: ['a', 'b'] }), []);
    expect(decided.reasons).toHaveLength(4);
  });
});
