import type { Template } from 'aws-cdk-lib/assertions';
import { parseConfig } from '../../infra/config/load.ts';
import { flat, KUBECONFIG, stackOf, templateOf } from './support.ts';

/** The alarms of synthesized stacks, for the tests of alarms. */

export interface Options {
  readonly rest?: string;
  readonly vault?: string;
  readonly cluster?: string;
}
/** A vault with continuous replication, and a cluster of three plans. */
export const config = ({ rest = '', vault = '', cluster = '' }: Options = {}) =>
  parseConfig(
    `
vault: { region: eu-west-1, replicaRegion: eu-central-1, replication: { mode: continuous }${vault} }
clusters:
  - name: prod
    access: ${KUBECONFIG}
    plans:
      - { name: nightly, namespaces: [shop], schedule: "0 2 * * *", retention: { keepLast: 7 }, rpo: 26h }
      - { name: rarely, namespaces: [shop], schedule: "0 2 1 * *", retention: { keepLast: 7 } }
      - { name: hourly, namespaces: [shop], schedule: rate(1 hour), retention: { keepLast: 7 } }
${cluster}
${rest}`,
    'holdfast.yaml',
  );
/** For `vault`. */
export const LOCKED = ', objectLock: { mode: governance, days: 30 }';

export interface AlarmJson {
  readonly AlarmName: string;
  readonly AlarmDescription: unknown;
  readonly Namespace: string;
  readonly MetricName: string;
  readonly Statistic: string;
  readonly Period: number;
  readonly EvaluationPeriods: number;
  readonly Threshold: number;
  readonly ComparisonOperator: string;
  readonly TreatMissingData: string;
  readonly Dimensions: { Name: string; Value: unknown }[];
  readonly AlarmActions?: string[];
}
const alarmsOf = (template: Template): AlarmJson[] =>
  Object.values(template.findResources('AWS::CloudWatch::Alarm')).map((alarm) => alarm.Properties);
export const clusterAlarms = (all = config()) => alarmsOf(templateOf(stackOf('cluster', all)));
export const failures = (all = config()) => alarmsOf(templateOf(stackOf('vault', all)));
export const lateness = (all = config()) => alarmsOf(templateOf(stackOf('replication', all)));
export const dimensionsOf = (alarm: AlarmJson) =>
  Object.fromEntries(alarm.Dimensions.map((d) => [d.Name, flat(d.Value)]));
/** The description; tokens as `<name>`. */
export const textOf = (alarm: AlarmJson): string => flat(alarm.AlarmDescription);
export const severityOf = (alarm: AlarmJson): string | undefined =>
  /^(CRITICAL|WARNING|INFO): /.exec(textOf(alarm))?.[1];
/** Alarms of a cluster by the part of their name behind the cluster's. */
export const named = (all = config()) =>
  new Map(clusterAlarms(all).map((alarm) => [alarm.AlarmName.replace('holdfast/prod/', ''), alarm]));

/** Of a cluster without Object Lock, and of one with it. */
export const alarms = named();
export const locked = named(config({ vault: LOCKED }));
/** An alarm by the part of its name behind the cluster's. */
export const alarmNamed = (name: string, among = locked): AlarmJson => {
  const alarm = among.get(name);
  if (!alarm) throw new Error(`no alarm ${name} among ${[...among.keys()].join(', ')}`);
  return alarm;
};
