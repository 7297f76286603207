import { readdirSync, readFileSync } from 'node:fs';
import { Annotations, Match } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { METRICS } from '../../functions/contract/metrics.ts';
import { MACHINES } from '../../functions/contract/names.ts';
import { parseConfig } from '../../infra/config/load.ts';
import {
  alarmNamed,
  alarms,
  config,
  dimensionsOf,
  failures,
  LOCKED,
  lateness,
  locked,
  named,
} from './alarms.ts';
import { KUBECONFIG, stackOf } from './support.ts';

const HOUR = 3600;
const DAY = 24 * HOUR;
describe('a cluster', () => {
  test('has these alarms without asking, and no others', () => {
    expect([...locked.keys()].sort()).toEqual(
      [
        ...['nightly', 'rarely', 'hourly'].flatMap((plan) =>
          ['recovery-point', 'partially-failed', 'volume', 'replica'].map((what) => `${plan}/${what}`),
        ),
        ...MACHINES.flatMap((machine) =>
          ['failed', 'timed-out', 'aborted'].map((end) => `${machine}/${end}`),
        ),
        ...['restore/started', 'dead-letters', 'measure', 'signature', 'without-plan'],
        ...['objects-lost', 'objects-damaged', 'verify/overdue', 'lock/overdue', 'prune-refused'],
      ].sort(),
    );
  });

  test('without Object Lock has none of the lock machine, and without a verification schedule none on its age', () => {
    const without = (all: Map<string, unknown>) => [...locked.keys()].filter((name) => !all.has(name)).sort();
    expect(without(alarms)).toEqual(['lock/aborted', 'lock/failed', 'lock/overdue', 'lock/timed-out']);
    const off = config({ vault: LOCKED, cluster: '    verification: { enabled: false }' });
    expect(without(named(off))).toEqual(['verify/overdue']);
  });

  test('has alarms whose names cannot be those of another cluster', () => {
    for (const alarm of locked.values()) expect(alarm.AlarmName.split('/')[1]).toBe('prod');
  });
});

describe('a plan’s alarms on ages', () => {
  const thresholds = (plan: string) =>
    ['recovery-point', 'partially-failed', 'volume', 'replica'].map(
      (what) => alarmNamed(`${plan}/${what}`).Threshold / HOUR,
    );

  test('trigger at the rpo', () => {
    expect(thresholds('nightly')).toEqual([26, 26, 26, 26]);
  });
  test('trigger without an rpo at the interval of the schedule and a grace', () => {
    expect(thresholds('rarely')).toEqual(Array(4).fill(31 * 24 + 7));
    expect(thresholds('hourly')).toEqual(Array(4).fill(2));
  });
  test('watch the metrics of that plan over two measurements', () => {
    const watched = ['recovery-point', 'partially-failed', 'volume', 'replica'].map((what) =>
      alarmNamed(`rarely/${what}`),
    );
    expect(watched.map((a) => a.MetricName)).toEqual([
      METRICS.recoveryPointAge,
      METRICS.partiallyFailed,
      METRICS.volumeAge,
      METRICS.replicaAge,
    ]);
    for (const alarm of watched) {
      expect(alarm).toMatchObject({ Namespace: 'Holdfast', Statistic: 'Maximum', Period: 1800 });
      expect(dimensionsOf(alarm)).toEqual({ Cluster: 'prod', Plan: 'rarely' });
    }
  });
  test('are left out, with a warning, if no interval follows from the schedule', () => {
    const once = config({
      cluster: `      - { name: once, namespaces: [shop], schedule: "cron(0 2 1 1 ? 2026)", retention: { keepLast: 1 } }
      - { name: bound, namespaces: [shop], schedule: "cron(0 2 1 1 ? 2026)", retention: { keepLast: 1 }, rpo: 9000h }`,
    });
    expect([...named(once).keys()].filter((name) => /^(once|bound)\//.test(name))).toEqual(
      ['recovery-point', 'partially-failed', 'volume', 'replica'].map((what) => `bound/${what}`),
    );
    const said = Annotations.fromStack(stackOf('cluster', once)).findWarning('*', Match.anyValue());
    expect(said.map(({ entry }) => String(entry.data))).toEqual([
      expect.stringMatching(/^plan once has no alarms on the age of its recovery points: .*; set rpo/),
    ]);
  });
});

describe('an alarm on what was measured', () => {
  test('keeps its state without a measurement, and one alarm rings for all of them', () => {
    const measured = [...locked.values()].filter((a) => a.Namespace === 'Holdfast' && a.Period === 1800);
    const silent = alarmNamed('measure');
    expect(silent).toMatchObject({
      TreatMissingData: 'breaching',
      ComparisonOperator: 'LessThanThreshold',
      Statistic: 'SampleCount',
      Threshold: 1,
      EvaluationPeriods: 2,
      MetricName: METRICS.recordsWithoutSignature,
    });
    expect(measured.filter((a) => a !== silent).map((a) => a.TreatMissingData)).toEqual(
      Array(measured.length - 1).fill('ignore'),
    );
  });

  test('triggers above zero for what must not be there', () => {
    const zero = ['signature', 'without-plan', 'objects-lost', 'objects-damaged', 'prune-refused'];
    expect(zero.map((name) => [alarmNamed(name).MetricName, alarmNamed(name).Threshold])).toEqual([
      [METRICS.recordsWithoutSignature, 0],
      [METRICS.recoveryPointsWithoutPlan, 0],
      [METRICS.objectsLost, 0],
      [METRICS.objectsDamaged, 0],
      [METRICS.prunesRefused, 0],
    ]);
    for (const name of zero) expect(alarmNamed(name).ComparisonOperator).toBe('GreaterThanThreshold');
  });

  test('triggers when a pass is overdue: its interval, the longest an execution may take, and an hour', () => {
    expect([alarmNamed('verify/overdue').Threshold, alarmNamed('lock/overdue').Threshold]).toEqual([
      7 * DAY + 25 * HOUR,
      DAY + 25 * HOUR,
    ]);
  });

  test('watches a metric that is in the contract, with the dimensions that it is emitted with', () => {
    const metrics = Object.values(METRICS) as string[];
    for (const alarm of locked.values()) {
      if (alarm.Namespace !== 'Holdfast') continue;
      expect(metrics).toContain(alarm.MetricName);
      const plan = Object.keys(dimensionsOf(alarm)).includes('Plan');
      expect(plan).toBe(/^holdfast\/prod\/(nightly|rarely|hourly)\//.test(alarm.AlarmName));
    }
  });
});

test('a metric that an alarm watches is emitted by a function', () => {
  const root = new URL('../../functions/', import.meta.url);
  const code = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.startsWith('contract/'))
    .map((file) => readFileSync(new URL(file, root), 'utf8'))
    .join('\n');
  const watched = new Set([...locked.values()].map((a) => a.MetricName));
  const silent = Object.entries(METRICS).filter(
    ([key, name]) => watched.has(name) && !new RegExp(`METRICS\\.${key}\\b`).test(code),
  );
  expect(silent).toEqual([]);
});

describe('an alarm on AWS’s own metrics', () => {
  test('triggers for each execution of each machine that does not succeed', () => {
    for (const machine of MACHINES) {
      const ends = ['failed', 'timed-out', 'aborted'].map((end) => alarmNamed(`${machine}/${end}`));
      expect(ends.map((a) => [a.Namespace, a.MetricName, a.Statistic, a.Threshold])).toEqual(
        ['ExecutionsFailed', 'ExecutionsTimedOut', 'ExecutionsAborted'].map((m) => [
          'AWS/States',
          m,
          'Sum',
          0,
        ]),
      );
      for (const alarm of ends)
        expect(dimensionsOf(alarm).StateMachineArn).toMatch(new RegExp(`^<machine${machine}Machine`));
    }
  });
  test('triggers for a restore that is started, and for a dead letter', () => {
    const started = alarmNamed('restore/started');
    expect(started).toMatchObject({ Namespace: 'AWS/States', MetricName: 'ExecutionsStarted', Threshold: 0 });
    expect(dimensionsOf(started).StateMachineArn).toMatch(/^<machinerestoreMachine/);
    expect(alarmNamed('dead-letters')).toMatchObject({
      Namespace: 'AWS/SQS',
      MetricName: 'ApproximateNumberOfMessagesVisible',
      Statistic: 'Maximum',
      Threshold: 0,
      TreatMissingData: 'notBreaching',
    });
  });
});

describe('S3’s replication', () => {
  test('rings in the region of the source when objects fail', () => {
    expect(failures().map((a) => [a.MetricName, a.Threshold, a.TreatMissingData])).toEqual(
      Array(2).fill(['OperationsFailedReplication', 0, 'notBreaching']),
    );
    expect(failures().map(dimensionsOf)).toEqual(
      ['velero', 'restic'].map((RuleId) => ({
        SourceBucket: 'holdfast-vault-<AWS::AccountId>-eu-west-1',
        DestinationBucket: 'holdfast-vault-<AWS::AccountId>-eu-central-1',
        RuleId,
      })),
    );
  });

  test('rings in the second region when it is late: after 15 minutes with time control, else after an hour', () => {
    const controlled = parseConfigWith('replication: { mode: continuous, timeControl: true }');
    expect(stackOf('replication', config()).region).toBe('eu-central-1');
    expect(lateness(controlled).map((a) => [a.MetricName, a.Threshold])).toEqual(
      Array(2).fill(['ReplicationLatency', 900]),
    );
    expect(lateness().map((a) => a.Threshold)).toEqual([3600, 3600]);
  });
});

/** The configuration with other settings of the replication. */
function parseConfigWith(replication: string) {
  const all = config();
  const vault = parseConfig(
    `vault: { region: eu-west-1, replicaRegion: eu-central-1, ${replication} }
clusters: [{ name: prod, access: ${KUBECONFIG}, plans: [{ name: a, namespaces: [b], schedule: rate(1 day), retention: { keepLast: 1 } }] }]`,
    'holdfast.yaml',
  ).vault;
  return { ...all, vault };
}
