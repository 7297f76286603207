import { describe, expect, it } from 'vitest';
import {
  planNames,
  policiesIn,
  retentionNamed,
  retentionOf,
  retiredRetentions,
  unknownPlans,
  unknownPlanText,
} from '../../../../functions/core/retention/policies.ts';
import { planOf, settingsWith } from '../../../support/selection.ts';

const settings = settingsWith({
  plans: [planOf('daily', ['shop'], { retention: { keepLast: 7 }, replicaRetention: { keepLast: 30 } })],
  retired: [{ name: 'weekly', retention: { keepLast: 1, ttl: '1y' }, timeZone: 'UTC' }],
});

describe('the retention of a plan', () => {
  it('is what it says for each copy', () => {
    expect(retentionNamed(settings, 'daily')).toEqual({
      retention: { keepLast: 7 },
      replicaRetention: { keepLast: 30 },
      timeZone: 'UTC',
    });
  });

  it('of a retired one ends with its ttl, in both copies', () => {
    const { retention, replicaRetention } = retentionNamed(settings, 'weekly');
    expect(retention).toEqual({ keepLast: 1, ttl: '1y', retired: true });
    expect(replicaRetention).toEqual(retention);
  });

  it('of all retired plans but one is what each run applies besides', () => {
    expect([...retiredRetentions(settings, 'daily').keys()]).toEqual(['weekly']);
    expect(retiredRetentions(settings, 'weekly').size).toBe(0);
  });

  it('of a plan is not that of a retired one with its name', () => {
    const both = { ...settings, retired: [{ name: 'daily', retention: { keepLast: 1 }, timeZone: 'UTC' }] };
    expect(retentionOf(both, 'daily')?.retention).toEqual({ keepLast: 7 });
  });

  it('is an error that names the plans, and what to do for one that was removed', () => {
    expect(() => retentionNamed(settings, 'hourly')).toThrow(
      expect.objectContaining({ name: 'PlanNotFound', message: expect.stringContaining('daily, weekly') }),
    );
    expect(retentionOf(settings, 'hourly')).toBeUndefined();
  });

  it('in the replica is both: it keeps what the primary keeps', () => {
    const of = retentionNamed(settings, 'daily');
    expect(policiesIn('primary', of)).toEqual([{ keepLast: 7 }]);
    expect(policiesIn('replica', of)).toEqual([{ keepLast: 7 }, { keepLast: 30 }]);
  });
});

describe('plans that holdfast.yaml does not name', () => {
  const names = ['daily-20260101000000', 'weekly-20260101000000', '_prune'];

  it('are none while every backup is of a plan or of a retired one', () => {
    expect(unknownPlans(planNames(settings), names)).toEqual([]);
  });

  it('are counted with their newest backup', () => {
    const old = ['old-20260102000000', 'old-20260103000000', 'old-20260101000000', 'a-20260101000000'];
    const found = unknownPlans(planNames(settings), [...names, ...old]);
    expect(found).toEqual([
      { plan: 'a', backups: 1, newest: 'a-20260101000000' },
      { plan: 'old', backups: 3, newest: 'old-20260103000000' },
    ]);
    expect(found.map(unknownPlanText)).toEqual([
      expect.stringMatching(/^1 backup of plan a, up to a-20260101000000: /),
      expect.stringMatching(/^3 backups of plan old, up to old-20260103000000: /),
    ]);
  });
});
