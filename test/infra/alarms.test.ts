import { readdirSync, readFileSync } from 'node:fs';
import { Annotations, Match, type Template } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { METRICS } from '../../functions/contract/metrics.ts';
import { MACHINES } from '../../functions/contract/names.ts';
import { parseConfig } from '../../infra/config/load.ts';
import { flat, KUBECONFIG, stackOf, templateOf } from './support.ts';

const TOPICS = [
  'arn:aws:sns:eu-west-1:111111111111:ops',
  'arn:aws:sns:eu-west-1:111111111111:daytime',
  'arn:aws:sns:eu-central-1:111111111111:ops',
] as const;

interface Options {
  readonly rest?: string;
  readonly vault?: string;
  readonly cluster?: string;
}
const config = ({ rest = '', vault = '', cluster = '' }: Options = {}) =>
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
const LOCKED = ', objectLock: { mode: governance, days: 30 }';

interface AlarmJson {
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
const clusterAlarms = (all = config()) => alarmsOf(templateOf(stackOf('cluster', all)));
const failures = (all = config()) => alarmsOf(templateOf(stackOf('vault', all)));
const lateness = (all = config()) => alarmsOf(templateOf(stackOf('replication', all)));
const dimensionsOf = (alarm: AlarmJson) =>
  Object.fromEntries(alarm.Dimensions.map((d) => [d.Name, flat(d.Value)]));
const textOf = (alarm: AlarmJson): string => flat(alarm.AlarmDescription);
const severityOf = (alarm: AlarmJson): string | undefined =>
  /^(CRITICAL|WARNING|INFO): /.exec(textOf(alarm))?.[1];
/** Alarms of a cluster by the part of their name behind the cluster's. */
const named = (all = config()) =>
  new Map(clusterAlarms(all).map((alarm) => [alarm.AlarmName.replace('holdfast/prod/', ''), alarm]));

const HOUR = 3600;
const DAY = 24 * HOUR;
const alarms = named();
const locked = named(config({ vault: LOCKED }));
const alarmNamed = (name: string, among = locked): AlarmJson => {
  const alarm = among.get(name);
  if (!alarm) throw new Error(`no alarm ${name} among ${[...among.keys()].join(', ')}`);
  return alarm;
};

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

describe('every alarm', () => {
  const every = [...locked.values(), ...failures(), ...lateness()];
  const runbook = readFileSync(new URL('../../docs/runbook.md', import.meta.url), 'utf8');
  const table = readFileSync(new URL('../../docs/alarms.md', import.meta.url), 'utf8');
  const headings = [...runbook.matchAll(/^#+ (.*)$/gm)].map((m) =>
    (m[1] as string)
      .toLowerCase()
      .replace(/[^a-z0-9 -]/g, '')
      .replace(/ /g, '-'),
  );
  const anchorOf = (alarm: AlarmJson) => /docs\/runbook\.md#([-a-z]+) /.exec(textOf(alarm))?.[1];
  const SEVERITIES: Record<string, string[]> = {
    CRITICAL: ['recovery-point', 'volume', 'replica', 'measure', 'signature', 'objects-lost'],
    INFO: ['started', 'without-plan'],
  };

  test('begins with its severity', () => {
    for (const alarm of locked.values()) {
      const what = alarm.AlarmName.split('/').at(-1) as string;
      const expected = Object.keys(SEVERITIES).find((s) => SEVERITIES[s]?.includes(what)) ?? 'WARNING';
      expect([alarm.AlarmName, severityOf(alarm)]).toEqual([alarm.AlarmName, expected]);
    }
    for (const alarm of [...failures(), ...lateness()]) expect(severityOf(alarm)).toBe('WARNING');
  });

  test('points to a heading of the runbook, and fits into a description', () => {
    for (const alarm of every) {
      expect(headings).toContain(anchorOf(alarm));
      expect(textOf(alarm).length).toBeLessThan(900);
    }
  });

  test('has a link into the console of its region', () => {
    for (const alarm of every) {
      const link = / Where to look: (https:\S+)$/.exec(textOf(alarm))?.[1] as string;
      const region = lateness().some((a) => a.AlarmName === alarm.AlarmName)
        ? '(eu-west-1|eu-central-1)'
        : 'eu-west-1';
      expect(link).toMatch(
        new RegExp(`^https://${region}\\.console\\.aws\\.amazon\\.com/(states|cloudwatch|sqs|s3)/`),
      );
      expect(link).not.toMatch(/Token|undefined/);
    }
  });

  test('is in the table of docs/alarms.md, with its severity and its section', () => {
    const rows = table.split('\n').filter((line) => line.startsWith('| `'));
    for (const alarm of every) {
      const name = alarm.AlarmName.replace('holdfast/prod/', '')
        .replace(/^(nightly|rarely|hourly)\//, 'PLAN/')
        .replace(new RegExp(`^(${MACHINES.join('|')})/(failed|timed-out|aborted)$`), 'MACHINE/$2')
        .replace(/^holdfast-vault-(replication-\w+)-\w+$/, '$1');
      const row = rows.find((line) => line.startsWith(`| \`${name}\` |`));
      expect([name, row?.split('|')[2]?.trim()]).toEqual([name, severityOf(alarm)?.toLowerCase()]);
      expect(row).toContain(`(runbook.md#${anchorOf(alarm)})`);
    }
  });

  test('is counted in the cost that docs/alarms.md gives', () => {
    const rows = new Map(
      [...table.matchAll(/^\| ([^|`]+) \| (\d+) \| (\d+) \| ([\d.]+) \|$/gm)].map(([, what, ...numbers]) => [
        what,
        numbers.map(Number),
      ]),
    );
    const regular = (all: Iterable<AlarmJson>) =>
      [...all].filter(
        (a) => a.Namespace === 'Holdfast' && a.Period === 1800 && !a.MetricName.startsWith('Objects'),
      );
    const count = (all: readonly AlarmJson[]) => {
      const metrics = new Set(regular(all).map((a) => a.MetricName + JSON.stringify(a.Dimensions))).size;
      return [metrics, all.length, Math.round(30 * metrics + 10 * all.length) / 100];
    };
    const ofPlan = (a: AlarmJson) => /^holdfast\/prod\/nightly\//.test(a.AlarmName);
    const ofCluster = (a: AlarmJson) => !/^holdfast\/prod\/(nightly|rarely|hourly)\//.test(a.AlarmName);
    expect(rows.get('each plan')).toEqual(count([...locked.values()].filter(ofPlan)));
    const plain = [...alarms.values()].filter(ofCluster);
    expect(rows.get('each cluster')).toEqual(count(plain));
    const more = [...locked.values()].filter(
      (a) => ofCluster(a) && !plain.some((p) => p.AlarmName === a.AlarmName),
    );
    expect(rows.get('each cluster, with Object Lock in addition')).toEqual(count(more));
    expect(table).toContain('| the vault, with `replication.mode: continuous` | 0 | 4 | 0.40 |');
    expect([...failures(), ...lateness()]).toHaveLength(4);
  });

  test('is sent to a topic of its region, where there is one: warnings to their own', () => {
    const [ops, daytime, replica] = TOPICS;
    const told = (topics: string) => config({ rest: `alarms: { ${topics} }` });
    const all = told(`topicArn: "${ops}", warningTopicArn: "${daytime}", replicaTopicArn: "${replica}"`);
    for (const alarm of [...clusterAlarms(all), ...failures(all)])
      expect(alarm.AlarmActions).toEqual([severityOf(alarm) === 'CRITICAL' ? ops : daytime]);
    for (const alarm of lateness(all)) expect(alarm.AlarmActions).toEqual([replica]);
    for (const alarm of clusterAlarms(told(`topicArn: "${ops}"`))) expect(alarm.AlarmActions).toEqual([ops]);
    for (const alarm of clusterAlarms()) expect(alarm).not.toHaveProperty('AlarmActions');
  });
});
