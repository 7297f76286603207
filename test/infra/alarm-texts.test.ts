import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { MACHINES } from '../../functions/contract/names.ts';
import {
  type AlarmJson,
  alarms,
  clusterAlarms,
  config,
  failures,
  lateness,
  locked,
  severityOf,
  textOf,
} from './alarms.ts';

const TOPICS = [
  'arn:aws:sns:eu-west-1:111111111111:ops',
  'arn:aws:sns:eu-west-1:111111111111:daytime',
  'arn:aws:sns:eu-central-1:111111111111:ops',
] as const;

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
    INFO: ['started'],
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
