import { readFileSync } from 'node:fs';
import type { Template } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../infra/config/load.ts';
import { flat, KUBECONFIG, stackOf, templateOf } from './support.ts';

const TOPICS = [
  'arn:aws:sns:eu-west-1:111111111111:ops',
  'arn:aws:sns:eu-central-1:111111111111:ops',
] as const;
const config = (rest = '', timeControl = true) =>
  parseConfig(
    `
vault: { region: eu-west-1, replicaRegion: eu-central-1, replication: { mode: continuous, timeControl: ${timeControl} } }
clusters:
  - name: prod
    access: ${KUBECONFIG}
    plans:
      - { name: nightly, namespaces: [shop], schedule: "0 2 * * *", retention: { keepLast: 7 }, rpo: 26h }
      - { name: rarely, namespaces: [shop], schedule: "0 2 1 * *", retention: { keepLast: 7 } }
${rest}`,
    'holdfast.yaml',
  );
const alarmsOf = (template: Template) =>
  Object.values(template.findResources('AWS::CloudWatch::Alarm')).map((alarm) => alarm.Properties);
const clusterAlarms = (all = config()) => alarmsOf(templateOf(stackOf('cluster', all)));
const failures = (all = config()) => alarmsOf(templateOf(stackOf('vault', all)));
const lateness = (all = config()) => alarmsOf(templateOf(stackOf('replication', all)));
interface Dimensioned {
  readonly Dimensions: { Name: string; Value: unknown }[];
}
const dimensionsOf = (alarm: Dimensioned) =>
  Object.fromEntries(alarm.Dimensions.map((d) => [d.Name, flat(d.Value)]));

const ofPlans = clusterAlarms();

describe('a plan with an rpo', () => {
  test('has an alarm on the age here and one on the age there, and a plan without has none', () => {
    expect(ofPlans.map((a) => [a.AlarmName, a.MetricName, a.Threshold])).toEqual([
      ['holdfast-prod-nightly-recovery-point', 'RecoveryPointAgeSeconds', 26 * 3600],
      ['holdfast-prod-nightly-replica', 'ReplicaAgeSeconds', 26 * 3600],
    ]);
  });

  test('rings when there is no recovery point at all', () => {
    for (const alarm of ofPlans)
      expect(alarm).toMatchObject({
        Namespace: 'Holdfast',
        TreatMissingData: 'breaching',
        ComparisonOperator: 'GreaterThanThreshold',
      });
    expect(ofPlans.map((a) => dimensionsOf(a as Dimensioned))).toEqual(
      Array(2).fill({ Cluster: 'prod', Plan: 'nightly' }),
    );
  });
});

describe('S3’s replication', () => {
  test('rings in the region of the source when objects fail', () => {
    expect(failures().map((a) => [a.MetricName, a.Threshold, a.TreatMissingData])).toEqual(
      Array(2).fill(['OperationsFailedReplication', 0, 'notBreaching']),
    );
    expect(failures().map((a) => dimensionsOf(a as Dimensioned))).toEqual(
      ['velero', 'restic'].map((RuleId) => ({
        SourceBucket: 'holdfast-vault-<AWS::AccountId>-eu-west-1',
        DestinationBucket: 'holdfast-vault-<AWS::AccountId>-eu-central-1',
        RuleId,
      })),
    );
  });

  test('rings in the second region when it is late: after 15 minutes with time control, else after an hour', () => {
    expect(stackOf('replication', config()).region).toBe('eu-central-1');
    expect(lateness().map((a) => [a.MetricName, a.Threshold])).toEqual(
      Array(2).fill(['ReplicationLatency', 900]),
    );
    expect(lateness(config('', false)).map((a) => a.Threshold)).toEqual([3600, 3600]);
  });
});

describe('an alarm', () => {
  test('tells the topic of its region, where there is one', () => {
    const told = config(`alarms: { topicArn: "${TOPICS[0]}", replicaTopicArn: "${TOPICS[1]}" }`);
    for (const alarm of [...clusterAlarms(told), ...failures(told)])
      expect(alarm.AlarmActions).toEqual([TOPICS[0]]);
    for (const alarm of lateness(told)) expect(alarm.AlarmActions).toEqual([TOPICS[1]]);
    for (const alarm of ofPlans) expect(alarm).not.toHaveProperty('AlarmActions');
  });

  test('points to a heading of the runbook', () => {
    const runbook = readFileSync(new URL('../../docs/runbook.md', import.meta.url), 'utf8');
    const headings = [...runbook.matchAll(/^#+ (.*)$/gm)].map((m) =>
      (m[1] as string)
        .toLowerCase()
        .replace(/[^a-z0-9 -]/g, '')
        .replace(/ /g, '-'),
    );
    const alarms = [...ofPlans, ...failures(), ...lateness()];
    for (const { AlarmDescription } of alarms)
      expect(headings).toContain(/docs\/runbook\.md#([-a-z]+)$/.exec(AlarmDescription)?.[1]);
  });
});
