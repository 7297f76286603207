import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EXECUTION_TIMEOUT_SECONDS } from '../../../../functions/contract/execution-timeout.ts';
import {
  hasExpired,
  holderText,
  isHeldBy,
  leaseFor,
  mayTake,
  parseLease,
} from '../../../../functions/core/vault/lease.ts';

const NOW = new Date('2026-01-31T02:00:00.900Z');
const later = (seconds: number) => new Date(NOW.getTime() + seconds * 1000);
const ARN = 'arn:aws:states:eu-west-1:123456789012:execution:holdfast-paris-backup:a/b';
const one = { work: 'backup-1', execution: ARN };
const another = { work: 'backup-2', execution: ARN };
const lease = leaseFor(one, NOW);

describe('a lease', () => {
  it('is not for another as long as an execution may take', () => {
    expect(mayTake(lease, another, later(EXECUTION_TIMEOUT_SECONDS - 0.001))).toBe(false);
    expect(mayTake(lease, another, later(EXECUTION_TIMEOUT_SECONDS))).toBe(true);
  });

  it('is for its holder again at any time, and not for another execution of the same work', () => {
    expect(mayTake(lease, { ...one }, later(1))).toBe(true);
    expect(mayTake(lease, { ...one, execution: 'other' }, later(1))).toBe(false);
  });

  it('has expired when nobody can read until when it is held', () => {
    expect(hasExpired({ ...lease, expiresAt: 'soon' }, NOW)).toBe(true);
  });

  it('is that of a piece of work, and of one execution where that is asked for', () => {
    expect([isHeldBy(lease, 'backup-1'), isHeldBy(lease, 'backup'), isHeldBy(lease, 'backup-1/')]).toEqual([
      true,
      false,
      false,
    ]);
    expect([isHeldBy(lease, 'backup-1', ARN), isHeldBy(lease, 'backup-1', 'other')]).toEqual([true, false]);
  });

  it('is read as it was written', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (work, execution) => {
        expect(parseLease(JSON.stringify(leaseFor({ work, execution }, NOW)))).toEqual(
          leaseFor({ work, execution }, NOW),
        );
      }),
    );
  });

  it.each([
    [`backup-1/${ARN}`, one],
    ['backup-1', { work: 'backup-1', execution: '' }],
  ])('of an earlier release, whose holder is a text, has a holder: %s', (holder, expected) => {
    expect(parseLease(JSON.stringify({ holder, expiresAt: lease.expiresAt }))?.holder).toEqual(expected);
  });

  it.each(['', '{', 'null', '[]', '{"holder":1,"expiresAt":"x"}', '{"holder":{"work":"x"},"expiresAt":"x"}'])(
    'is not "%s"',
    (text) => {
      expect(parseLease(text)).toBeUndefined();
    },
  );

  it('names its holder in words', () => {
    expect([holderText(one), holderText({ work: 'backup-1', execution: '' })]).toEqual([
      `backup-1 (${ARN})`,
      'backup-1',
    ]);
  });
});
