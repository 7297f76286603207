import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { getJson } from '../../functions/adapters/s3/documents.ts';
import { COPIES } from '../../functions/contract/copies.ts';
import { SYSTEM_NAMESPACE } from '../../functions/contract/names.ts';
import { backupName } from '../../functions/core/backup/backup-name.ts';
import type { KubeObject } from '../../functions/core/kubernetes/resources.ts';
import { TYPES } from '../../functions/core/kubernetes/well-known.ts';
import { VerifyReport } from '../../functions/core/vault/verification.ts';
import { network } from '../../world/base/settings.ts';
import { until } from '../support/cluster-api.ts';
import {
  annotationsOf,
  containersOf,
  FORGED_HOST,
  FORGED_LOG,
  FORGED_SNAPSHOT,
  isOfHoldfast,
  labelsOf,
  Tenant,
} from '../support/tenant.ts';
import { type Ended, EVIL, Farm, MEADOW, ORCHARD } from '../support/tenant-farm.ts';
import { type Watch, watchAll } from '../support/tenant-watch.ts';

// Somebody with the ClusterRole admin in a namespace that is in no plan, against the deployed pipeline. Worse than a
// real one: mallory is told of every Job of Holdfast when it is created, in whatever namespace it is.
const CLAIMS = [ORCHARD, MEADOW];
let farm: Farm;
let tenant: Tenant;
let jobs: Watch;
let secrets: Watch;
/** The snapshots of each backup, by namespace, as the first backup left them. */
const ended: Ended[] = [];

beforeAll(async () => {
  farm = await Farm.open('farm-outside');
  tenant = await Tenant.in(EVIL);
  [jobs, secrets] = await Promise.all([watchAll(TYPES.jobs), watchAll(TYPES.secrets)]);
});
afterAll(async () => {
  await Promise.all([jobs?.stop(), secrets?.stop()]);
  await tenant?.close();
  await farm?.close(EVIL);
});

/** Does something while each Job of Holdfast gets a double that writes what the tenant likes. */
async function withDoubles<T>(work: () => Promise<T>, writes?: (container: string) => string): Promise<T> {
  const stop = tenant.mimic(jobs, writes);
  const result = await work().finally(async () => {
    const made = await stop();
    expect(made.filter((m) => m.status !== 201)).toEqual([]);
    expect(made.length).toBeGreaterThan(0);
  });
  return result;
}

/** Where each snapshot that a record names is: the copies that have it. */
async function placesOf({ record }: Ended): Promise<Record<string, string[]>> {
  const places: Record<string, string[]> = {};
  for (const { namespace, snapshot = 'none' } of record.volumes) {
    const found = await Promise.all(
      COPIES.map(async (copy) => ((await farm.snapshots(copy, namespace)).includes(snapshot) ? [copy] : [])),
    );
    places[namespace] = found.flat();
  }
  return places;
}
const EVERYWHERE = { [ORCHARD]: [...COPIES], [MEADOW]: [...COPIES] };
const resultsOf = ({ record }: Ended) =>
  record.volumes.map((v) => [v.namespace, v.result, v.files]).sort() as unknown[];
const ALL_PROTECTED = [
  [MEADOW, 'protected', 1],
  [ORCHARD, 'protected', 1],
];

it('has no rights anywhere else', async () => {
  for (const namespace of [ORCHARD, SYSTEM_NAMESPACE]) {
    const path = `/api/v1/namespaces/${namespace}/secrets`;
    expect((await tenant.api.client.call('GET', path, { accept: [403] })).status).toBe(403);
  }
});

describe('a backup whose Jobs were all foretold', () => {
  let second: Ended;
  beforeAll(async () => {
    ended.push(await farm.backUp());
    const at = farm.nextInstant();
    const run = backupName('farm', at);
    const say = (name: string, of: string, id: string, seconds: number) =>
      tenant.lookAlike({
        name,
        labels: labelsOf(of),
        annotations: annotationsOf(id),
        writes: [['backup', FORGED_LOG]],
        seconds,
      });
    const made = await Promise.all([
      say('ended', run, `${ORCHARD}.data`, 0),
      say('running', run, `${MEADOW}.data`, 3600),
      say('status', `${run}-cp`, 'etcd-status', 0),
      say('etcd', `${run}-cp`, 'etcd', 3600),
    ]);
    expect(made.map((m) => m.status)).toEqual([201, 201, 201, 201]);
    await farm.kubectl([
      'wait',
      '-n',
      EVIL,
      'job/ended',
      'job/status',
      '--for=condition=complete',
      '--timeout=60s',
    ]);
    second = await farm.backUp('farm', at);
    ended.push(second);
    await farm.kubectl(['delete', 'jobs', '-n', EVIL, '--all', '--wait=true']);
  });

  it('protects what has a snapshot in the vault, and nothing because a Job says so', async () => {
    expect(JSON.stringify(second.record)).not.toContain(FORGED_SNAPSHOT);
    expect([await placesOf(second), resultsOf(second)]).toEqual([EVERYWHERE, ALL_PROTECTED]);
    expect(second.record.phase).toBe('Completed');
  });

  it('has a proof of the replica only if the replica has its snapshots', async () => {
    const proven = await farm.vault('replica').exists(farm.keys.records.replica(second.backup));
    expect([proven, await placesOf(second)]).toEqual([true, EVERYWHERE]);
  });

  it('contacts the etcd that is configured', () => {
    const etcd = second.record.controlPlane?.find((c) => c.id === 'etcd');
    expect(etcd).toMatchObject({ result: 'protected', endpoint: `https://${network.nodeAddress}:2379` });
    expect(callsOf(jobs.added)).toEqual([]);
  });

  it('puts no Secret into the namespace of the tenant', () => {
    expect(secretsIn(EVIL)).toEqual([]);
  });
});

describe('a backup whose Jobs have a double each', () => {
  let third: Ended;
  beforeAll(async () => {
    const past = await pastOf();
    // The same texts for the prune that follows it: every snapshot there is, as one of long ago without a record.
    third = await withDoubles(
      () => farm.backUp(),
      (c) => (c.startsWith('list') ? past : FORGED_LOG),
    );
    ended.push(third);
  });

  it('has the results of its own Jobs', async () => {
    expect([await placesOf(third), resultsOf(third)]).toEqual([EVERYWHERE, ALL_PROTECTED]);
    expect(third.record.phase).toBe('Completed');
  });

  it('is followed by a prune that keeps every snapshot of what is kept, in both copies', async () => {
    const [prune] = await farm.aws.executions('prune');
    expect(prune).toMatchObject({ status: 'SUCCEEDED', output: { removed: 1, kept: 2 } });
    expect(await Promise.all(ended.slice(1).map(placesOf))).toEqual([EVERYWHERE, EVERYWHERE]);
  });

  it('puts no Secret into the namespace of the tenant', () => {
    expect(secretsIn(EVIL)).toEqual([]);
  });
});

describe('a prune', () => {
  /** The prune before is said not to be done: another goes on with it, and has Jobs. */
  async function unfinished(): Promise<void> {
    const { done, root } = farm.keys.records.prune;
    const runs = await farm.vault('primary').folders(root);
    const last = runs.sort((a, b) => (a.slice(-21) < b.slice(-21) ? -1 : 1)).at(-1) as string;
    await farm.vault('primary').remove([done(last)]);
  }

  it('forgets nothing that only a double of its Job has listed', async () => {
    await unfinished();
    const past = await pastOf();
    const prune = await withDoubles(
      async () => farm.aws.wait(await farm.aws.start('prune', { plan: 'farm' })),
      () => past,
    );
    expect(prune.status).toBe('SUCCEEDED');
    expect(await Promise.all(ended.slice(1).map(placesOf))).toEqual([EVERYWHERE, EVERYWHERE]);
    expect(secretsIn(EVIL)).toEqual([]);
  });

  it('that begins in the second that a backup is named after leaves the Jobs of the backup alone', async () => {
    await unfinished();
    const before = jobs.added.length;
    const at = new Date(Math.ceil(Date.now() / 1000) * 1000 + 4000);
    const backup = farm.backUp('farm', at);
    await sleep(at.getTime() + 50 - Date.now());
    const prune = await farm.aws.wait(await farm.aws.start('prune', { plan: 'farm' }));
    ended.push(await backup);
    expect(prune.status).toBe('SUCCEEDED');
    expect(ended.at(-1)?.record.phase).toBe('Completed');
    const made = jobs.added.slice(before).map(({ metadata: m }) => `${m.namespace}/${m.name}`);
    expect(made.filter((name, i) => made.indexOf(name) !== i)).toEqual([]);
  });
});

describe('a verification whose Jobs have a double each', () => {
  it('calls a repository damaged that is', async () => {
    const folder = `${farm.keys.restic.repository(ORCHARD)}/data/`;
    const vaults = COPIES.map((copy) => farm.vault(copy));
    const spoilt: (readonly [(typeof vaults)[number], string, Buffer])[] = [];
    for (const vault of vaults)
      for await (const { key } of vault.list(folder)) spoilt.push([vault, key, await vault.get(key)]);
    for (const [vault, key, body] of spoilt) await vault.put(key, Buffer.alloc(body.length, 'x'));
    await withDoubles(async () => farm.aws.wait(await farm.aws.start('verify', { parts: 1 })));
    const { root, report } = farm.keys.records.verify;
    const run = (await farm.vault('primary').folders(root)).sort().at(-1) as string;
    const { checks, phase } = await getJson(farm.vault('primary'), VerifyReport, report(run));
    const ofOrchard = checks.filter((c) => c.namespace === ORCHARD).map((c) => [c.copy, c.ok]);
    for (const [vault, key, body] of spoilt) await vault.put(key, body);
    expect([phase, ofOrchard.sort()]).toEqual(['Failed', [...COPIES].map((copy) => [copy, false]).sort()]);
    expect(secretsIn(EVIL)).toEqual([]);
  });
});

describe('a restore whose Jobs have a double each', () => {
  it('brings the files back, and not only the claims', async () => {
    await farm.api.gone(ORCHARD);
    const { backup } = ended.at(-1) as Ended;
    const input = { backup, namespaces: [ORCHARD] };
    const { output, problem } = await withDoubles(async () =>
      farm.aws.wait(await farm.aws.start('restore', input)),
    );
    expect([problem, output]).toMatchObject(['', { phase: 'Completed', volumes: 1, failedVolumes: 0 }]);
    await farm.ready(ORCHARD);
    expect(await farm.file(ORCHARD)).toBe(`fruit of ${ORCHARD}`);
    expect(secretsIn(EVIL)).toEqual([]);
  });
});

describe('in all of this time', () => {
  it('Secrets of Holdfast were in the namespaces of the work and in its own', () => {
    const places = new Set(secrets.added.filter(isOfHoldfast).map((s) => s.metadata.namespace));
    expect([...places].sort()).toEqual([SYSTEM_NAMESPACE, MEADOW, ORCHARD].sort());
  });

  it.each(CLAIMS)('a Secret in %s had the password of its own repository', async (namespace) => {
    const found = secrets.added
      .filter((s) => s.metadata.namespace === namespace && isOfHoldfast(s))
      .flatMap((s) => Object.entries((s as { data?: Record<string, string> }).data ?? {}))
      .filter(([file]) => file === 'password')
      .map(([, value]) => Buffer.from(value, 'base64').toString('utf8'));
    expect(new Set(found)).toEqual(new Set([await farm.password(namespace)]));
  });

  it('no Secret of Holdfast is left in the cluster', async () => {
    const left = async () => (await farm.api.list('secrets')).filter(isOfHoldfast);
    await until('the Secrets are gone with their Jobs', async () => (await left()).length === 0, 30);
  });

  it('no request was lost on its way to the API server', () => {
    expect([farm.backups.problems, farm.restores.problems]).toEqual([[], []]);
  });
});

/** Secrets that were created in a namespace, by anybody but Kubernetes. */
const secretsIn = (namespace: string): string[] =>
  secrets.added.filter((s) => s.metadata.namespace === namespace).map((s) => s.metadata.name);

/** Jobs of Holdfast with a container that would call the tenant's host. */
const callsOf = (all: readonly KubeObject[]): string[] =>
  all
    .filter((job) => job.metadata.namespace !== EVIL && JSON.stringify(job.spec).includes(FORGED_HOST))
    .flatMap((job) => containersOf(job).map((c) => `${job.metadata.namespace}/${job.metadata.name} ${c}`));

/** What a tenant's list of a repository says: every snapshot of both namespaces, as of a backup that has no record. */
async function pastOf(): Promise<string> {
  const ids = await Promise.all(
    CLAIMS.flatMap((namespace) => COPIES.map((copy) => farm.snapshots(copy, namespace))),
  );
  const hostile = ['--unsafe-allow-remove-all', '--host=farm'];
  return JSON.stringify(
    [...new Set([...hostile, ...ids.flat()])].map((id) => ({
      id,
      time: '2020-01-01T00:00:00Z',
      tags: ['backup=farm-20200101000000'],
    })),
  );
}
