import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Measured, PlanMeasured } from '../../../functions/measure/measure-vault/measure.ts';
import { report } from '../../../functions/measure/measure-vault/report.ts';
import { logger } from '../../../functions/runtime/logging.ts';

const now = new Date();
const daily: PlanMeasured = {
  plan: 'daily',
  recoveryPointSeconds: 100,
  partiallyFailedSeconds: 0,
  volumeSeconds: 200,
  behind: [{ volume: 'shop/pgdata', since: new Date('2026-01-01T00:00:00Z') }],
  replicaSeconds: 300,
};
const found = (over: Partial<Measured> = {}): Measured => ({
  plans: [daily],
  verificationSeconds: 400,
  lockPassSeconds: 500,
  doubtful: [],
  withoutPlan: [],
  errors: [],
  ...over,
});

/** The metrics that a report emits, in their order, as `name=value` with the plan. */
function emitted(measured: Measured): string[] {
  const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  try {
    report('paris', measured, now);
  } catch {
    // what was emitted before counts
  }
  const text = write.mock.calls.map(([chunk]) => String(chunk)).join('');
  write.mockRestore();
  return text
    .split('\n')
    .filter((line) => line.includes('"_aws"'))
    .map((line) => {
      const { _aws, Cluster, Plan, ...metric } = JSON.parse(line) as Record<string, unknown>;
      expect([Cluster, (_aws as { Timestamp: number }).Timestamp]).toEqual(['paris', now.getTime()]);
      return `${Plan ? `${Plan} ` : ''}${Object.entries(metric).map((m) => m.join('='))}`;
    });
}
const logged = () => {
  const warn = vi.spyOn(logger, 'warn').mockReturnValue(undefined);
  vi.spyOn(logger, 'error').mockReturnValue(undefined);
  return warn;
};
afterEach(() => vi.restoreAllMocks());

describe('the report of a look', () => {
  it('emits the ages of each plan and the counts of the cluster, the number of doubtful records last', () => {
    logged();
    expect(emitted(found({ doubtful: ['a', 'b'], withoutPlan: ['gone-1'] }))).toEqual([
      'daily RecoveryPointAgeSeconds=100',
      'daily PartiallyFailedSeconds=0',
      'daily VolumeAgeSeconds=200',
      'daily ReplicaAgeSeconds=300',
      'VerificationAgeSeconds=400',
      'LockPassAgeSeconds=500',
      'RecoveryPointsWithoutPlan=1',
      'RecordsWithoutSignature=2',
    ]);
  });

  it('emits nothing for what does not exist', () => {
    logged();
    const { volumeSeconds: _, ...rest } = daily;
    const without = { plans: [{ ...rest, volumeSeconds: undefined }], verificationSeconds: undefined };
    expect(emitted(found({ ...without, lockPassSeconds: undefined })).join()).not.toMatch(
      /Volume|Verif|Lock/,
    );
  });

  it('emits what was measured, fails with what was not, and then leaves the last metric out', () => {
    logged();
    const error = new Error('no answer');
    const measured = found({ errors: [error] });
    const metrics = emitted(measured);
    expect(metrics).toContain('daily RecoveryPointAgeSeconds=100');
    expect(metrics.join()).not.toContain('RecordsWithoutSignature');
    vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    expect(() => report('paris', measured, now)).toThrow(error);
  });

  it('logs the names behind the numbers, of many the first fifty', () => {
    const warn = logged();
    emitted(found({ withoutPlan: Array.from({ length: 70 }, (_, i) => `gone-${i}`) }));
    expect(warn.mock.calls.map(([what, more]) => [what, (more as { count: number }).count])).toEqual([
      ['plan daily: volumes without a good snapshot in the newest recovery point', 1],
      ['recovery points of plans that are not configured', 70],
    ]);
    const names = warn.mock.calls.map(([, more]) => (more as unknown as { names: string[] }).names);
    expect(names[0]).toEqual(['shop/pgdata since 2026-01-01T00:00:00.000Z']);
    expect(names[1]).toHaveLength(50);
  });
});
