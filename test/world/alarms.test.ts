import { beforeAll, describe, expect, it } from 'vitest';
import { signingKey } from '../../functions/adapters/kms/signing-key.ts';
import { encode } from '../../functions/adapters/s3/documents.ts';
import { openVault } from '../../functions/adapters/s3/vault.ts';
import { lambdaName } from '../../functions/contract/functions.ts';
import { signingKeyAlias } from '../../functions/contract/names.ts';
import { stamp } from '../../functions/core/backup/backup-name.ts';
import type { BackupRecord } from '../../functions/core/backup/record.ts';
import { vaultKeys } from '../../functions/core/vault/vault-keys.ts';
import type { Signer } from '../../functions/ports/signing-key.ts';
import type { Vault } from '../../functions/ports/vault.ts';
import { putSignedRecord } from '../../functions/runtime/signed-records.ts';
import { demo, demoCopies } from '../../world/demo/config.ts';
import { deployWorld } from '../../world/demo/world-setup.ts';
import { findWorld } from '../../world/world.ts';
import { recordOf } from '../support/builders.ts';
import { keyPair } from '../support/key-pair.ts';
import { type DeployedAlarm, deployedAlarms, invoke } from './emulator.ts';

// The alarms and the function that measures for them, as they are deployed. The emulator's alarms do not see metrics: what
// CloudWatch would do with a metric is decided here, by the deployed alarm.
const CLUSTER = 'measured';
const PLAN = 'nightly';
const keys = vaultKeys(CLUSTER);
const forger = keyPair();
let endpoint: string;
let vault: Vault;
let signer: Signer;
let alarms: DeployedAlarm[];

beforeAll(async () => {
  const world = findWorld(process.env.HOLDFAST_WORLD ?? '');
  if (!world) throw new Error('HOLDFAST_WORLD names no world that is up');
  endpoint = world.endpoint;
  const plans = [
    {
      name: PLAN,
      namespaces: ['shop'],
      schedule: '0 4 * * *',
      retention: { keepLast: 3 },
      volumes: 'opt-in',
    },
  ];
  await deployWorld(world, { namespaces: ['shop'], cluster: CLUSTER, plans }, () => undefined);
  vault = openVault(demoCopies.primary.bucket, demo.region);
  signer = signingKey(signingKeyAlias('holdfast-vault'), demo.region);
  alarms = await deployedAlarms(endpoint, demo.region, `holdfast/${CLUSTER}/`);
});

/** A record of some hours ago. */
async function point(hours: number, over: Partial<BackupRecord>, by: Signer | undefined): Promise<void> {
  const at = new Date(Date.now() - hours * 3600 * 1000);
  const backup = `${PLAN}-${stamp(at)}`;
  const record = recordOf(backup, { cluster: CLUSTER, plan: PLAN, startedAt: at.toISOString(), ...over });
  const key = keys.records.record(backup);
  await (by ? putSignedRecord(vault, key, record, by) : vault.put(key, encode(record)));
}

const pgdata = (result: 'protected' | 'failed'): BackupRecord['volumes'] => [
  {
    ...{ id: 'shop.pgdata', namespace: 'shop', pvc: 'pgdata', result },
    ...(result === 'protected' && { snapshot: 'd'.repeat(64) }),
  },
];

type Metric = Readonly<Record<string, unknown>>;

/** Invokes the deployed function: the alarms that would be in ALARM, its metrics and its log. */
async function look(): Promise<{ ringing: string[]; metrics: Metric[]; log: string }> {
  const { payload, log } = await invoke(endpoint, demo.region, lambdaName(CLUSTER, 'measure-vault'));
  expect(payload).not.toHaveProperty('errorType');
  const metrics = log
    .split('\n')
    .filter((line) => line.includes('"_aws"'))
    .map((line) => JSON.parse(line.slice(line.indexOf('{'))) as Metric);
  const ringing = alarms.filter((alarm) => rings(alarm, metrics)).map(({ AlarmName }) => AlarmName);
  return { ringing: ringing.map((name) => name.replace(`holdfast/${CLUSTER}/`, '')).sort(), metrics, log };
}

/** What CloudWatch would decide of one data point. Of a metric that was not emitted, the alarm says what follows. */
function rings(alarm: DeployedAlarm, metrics: readonly Metric[]): boolean {
  if (alarm.Namespace !== 'Holdfast') return false;
  const found = metrics.filter(
    (metric) =>
      alarm.MetricName in metric &&
      alarm.Dimensions.every(({ Name, Value }) => metric[Name] === Value) &&
      'Plan' in metric === alarm.Dimensions.some(({ Name }) => Name === 'Plan'),
  );
  if (found.length === 0) return alarm.TreatMissingData === 'breaching';
  if (alarm.ComparisonOperator === 'LessThanThreshold') return found.length < alarm.Threshold;
  return found.some((metric) => Number(metric[alarm.MetricName]) > alarm.Threshold);
}

describe('the alarms of a deployed cluster', () => {
  it('are there without asking, each with a severity, a section of the runbook and a link', () => {
    expect(alarms).toHaveLength(28);
    for (const { AlarmDescription } of alarms)
      expect(AlarmDescription).toMatch(
        /^(CRITICAL|WARNING|INFO): .+ What to do: docs\/runbook\.md#[-a-z]+ Where to look: https:\/\/\S+$/,
      );
  });

  it('are quiet for a plan that has not run since it was deployed', async () => {
    const { ringing, metrics } = await look();
    expect(ringing).toEqual([]);
    const age = metrics.find((metric) => 'RecoveryPointAgeSeconds' in metric)?.RecoveryPointAgeSeconds;
    expect(age).toBeLessThan(1800);
  });

  it('ring for a record that somebody forged, which makes nothing younger', async () => {
    await point(70, { volumes: pgdata('protected') }, signer);
    await point(1, { volumes: pgdata('protected') }, forger);
    await point(0.5, { volumes: pgdata('protected') }, undefined);
    const { ringing, log } = await look();
    expect(ringing).toEqual([`${PLAN}/recovery-point`, `${PLAN}/volume`, 'signature']);
    expect(log).toContain('records without a valid signature');
  });

  it('ring for recovery points that are PartiallyFailed only, and the log names the volume', async () => {
    for (const hours of [46, 22])
      await point(hours, { phase: 'PartiallyFailed', volumes: pgdata('failed') }, signer);
    const { ringing, log } = await look();
    expect(ringing).toEqual([
      `${PLAN}/partially-failed`,
      `${PLAN}/recovery-point`,
      `${PLAN}/volume`,
      'signature',
    ]);
    expect(log).toContain('shop/pgdata since ');
  });

  it('are quiet again after a Completed backup, but for the forged records below it', async () => {
    await point(0.1, { volumes: pgdata('protected') }, signer);
    expect((await look()).ringing).toEqual(['signature']);
  });
});
