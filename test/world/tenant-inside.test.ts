import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { KubeObject } from '../../functions/core/kubernetes/resources.ts';
import { TYPES } from '../../functions/core/kubernetes/well-known.ts';
import { imageNames } from '../../world/base/settings.ts';
import { until } from '../support/cluster-api.ts';
import { containersOf, FORGED_LOG, isOfHoldfast, Tenant } from '../support/tenant.ts';
import { type Ended, Farm, MEADOW, ORCHARD } from '../support/tenant-farm.ts';
import type { Passing } from '../support/tenant-proxy.ts';
import { type Watch, watchAll } from '../support/tenant-watch.ts';
import { truthOf } from './tenant-truth.ts';

// The admin of a namespace that is in the plan, against the deployed pipeline. The tenant acts between two requests of
// Holdfast, at the worst moment. It can spoil the backup of its own namespace; the record says so, and nobody else loses.
let farm: Farm;
let tenant: Tenant;
let secrets: Watch;

beforeAll(async () => {
  farm = await Farm.open('farm-inside');
  tenant = await Tenant.in(MEADOW);
  secrets = await watchAll(TYPES.secrets);
});
afterAll(async () => {
  await secrets?.stop();
  await tenant?.close();
  await farm?.close();
});
beforeEach(() => {
  farm.backups.interposed = {};
  farm.restores.interposed = {};
});

const JOBS = `/apis/batch/v1/namespaces/${MEADOW}/jobs`;
const SECRETS = `/api/v1/namespaces/${MEADOW}/secrets`;
const bodyOf = ({ body }: Pick<Passing, 'body'>) => JSON.parse(body.toString('utf8')) as KubeObject;
const isResumption = ({ method, path, body }: Passing) =>
  method === 'PATCH' && path.startsWith(`${JOBS}/`) && body.includes('"suspend":false');

/** A Job with the name and the marks of one of Holdfast's, which has done everything. */
const replacement = (job: KubeObject) =>
  tenant.lookAlike({
    name: job.metadata.name,
    labels: job.metadata.labels ?? {},
    annotations: job.metadata.annotations ?? {},
    writes: containersOf(job).map((container) => [container, FORGED_LOG]),
  });

it('a pod that claims to be of the real Job says nothing that is believed', async () => {
  const made: number[] = [];
  farm.backups.interposed.after = async (request) => {
    if (!isResumption(request)) return;
    const name = request.path.slice(JOBS.length + 1);
    const job = await farm.api.get(`jobs.batch ${MEADOW}/${name}`);
    made.push((await tenant.forgedPod(job, `${name}-zzzzz`)).status);
  };
  const ended = await farm.backUp();
  expect(made[0]).toBe(201);
  const truth = await truthOf(farm, ended);
  expect(truth === 'protected' || truth.length > 20).toBe(true);
});

it('a Job that is replaced by another of its name is not taken for the first', async () => {
  let replaced = 0;
  farm.backups.interposed.after = async (request) => {
    if (!isResumption(request)) return;
    const ref = `jobs.batch ${MEADOW}/${request.path.slice(JOBS.length + 1)}`;
    const job = await farm.api.get(ref);
    await tenant.api.remove(ref);
    expect((await replacement(job)).status).toBe(201);
    replaced++;
  };
  const ended = await farm.backUp();
  expect(replaced).toBeGreaterThan(0);
  expect(await truthOf(farm, ended)).not.toBe('protected');
});

describe('a Job whose name is taken', () => {
  let ended: Ended;
  const intruders = new Set<string | undefined>();
  beforeAll(async () => {
    farm.backups.interposed.before = async (request) => {
      if (request.method !== 'POST' || request.path !== JOBS) return;
      const job = bodyOf(request);
      await replacement(job);
      const found = await farm.api.get(`jobs.batch ${MEADOW}/${job.metadata.name}`);
      intruders.add(found.metadata.uid);
    };
    ended = await farm.backUp();
  });

  it('is that item’s failure, and says who has the name', async () => {
    expect(await truthOf(farm, ended)).toMatch(/is taken by a Job that Holdfast did not make/);
  });

  it('gives the other Job no Secret', () => {
    expect(intruders.size).toBeGreaterThan(0);
    const owners = secrets.added.flatMap((s) => s.metadata.ownerReferences ?? []).map((o) => o.uid);
    expect(owners.filter((uid) => intruders.has(uid))).toEqual([]);
  });
});

it('a Secret that the tenant made under the name of the Job’s does not end in a false record', async () => {
  let taken = 0;
  farm.backups.interposed.before = async (request) => {
    if (request.method !== 'POST' || request.path !== SECRETS) return;
    const { name } = bodyOf(request).metadata;
    const files = { password: 'mine', 'session.json': '{}', credentials: '' };
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: MEADOW } };
    if ((await tenant.api.tryCreate({ ...secret, stringData: files } as KubeObject)).status === 201) taken++;
  };
  const ended = await farm.backUp();
  expect(taken).toBeGreaterThan(0);
  expect(await truthOf(farm, ended)).not.toBe('protected');
});

it('the Secrets that such a tenant can read have the password of its own repository', async () => {
  const passwords = secrets.added
    // Those that the tenant has made have no owner.
    .filter((s) => s.metadata.namespace === MEADOW && isOfHoldfast(s) && s.metadata.ownerReferences)
    .flatMap((s) => (s as { data?: Record<string, string> }).data?.password ?? [])
    .map((value) => Buffer.from(value, 'base64').toString('utf8'));
  expect(new Set(passwords)).toEqual(new Set([await farm.password(MEADOW)]));
});

describe('a repository that its tenant has overwritten, as a Job’s credentials allow', () => {
  const before = new Map<string, Buffer>();
  let ended: Ended;
  beforeAll(async () => {
    const vault = farm.vault('primary');
    for await (const { key } of vault.list(`${farm.keys.restic.repository(MEADOW)}/`))
      before.set(key, await vault.get(key));
    for (const [key, { length }] of before) await vault.put(key, Buffer.alloc(length, 'x'));
    ended = await farm.backUp();
  });
  afterAll(async () => {
    for (const [key, body] of before) await farm.vault('primary').put(key, body);
  });

  it('costs the backup of its own namespace, by name', async () => {
    expect(before.size).toBeGreaterThan(4);
    expect(await truthOf(farm, ended)).not.toBe('protected');
  });

  it('keeps no other recovery point from being replicated, and other repositories from being pruned', async () => {
    const proven = await farm.vault('replica').exists(farm.keys.records.replica(ended.backup));
    const [prune] = await farm.aws.executions('prune');
    // It says that one repository is not as it should be, if it had something to do there.
    expect([proven, prune?.problem]).toEqual([
      true,
      expect.stringMatching(/^$|^SnapshotsLeft: 1 repositories/),
    ]);
    const named = ended.record.volumes.map((v) => v.snapshot ?? '').filter(Boolean);
    expect(await farm.snapshots('primary', ORCHARD)).toEqual(expect.arrayContaining(named));
  });
});

it('a pack that is not what its name says costs the replica of its own repository, by name', async () => {
  const pack = `${farm.keys.restic.repository(MEADOW)}/data/ff/${'f'.repeat(64)}`;
  await farm.vault('primary').put(pack, Buffer.from('a tenant may write this'));
  const { backup, record } = await farm.backUp();
  await farm.vault('primary').remove([pack]);
  expect(record.phase).toBe('Completed');
  const [replication] = await farm.aws.executions('replicate');
  expect(replication?.problem).toContain(pack);
  const orchard = record.volumes.find((v) => v.namespace === ORCHARD)?.snapshot;
  expect(await farm.snapshots('replica', ORCHARD)).toContain(orchard);
  const { record: marker, replica: proof } = farm.keys.records;
  const inReplica = await Promise.all(
    [marker(backup), proof(backup)].map((k) => farm.vault('replica').exists(k)),
  );
  expect(inReplica).toEqual([true, false]);
});

it('a backup that nobody disturbs is whole again', async () => {
  expect(await truthOf(farm, await farm.backUp())).toBe('protected');
});

it('a restore does not write into a claim that another has put in the place of its own', async () => {
  const { backup } = await farm.backUp();
  await farm.api.gone(MEADOW);
  let swapped = false;
  farm.restores.interposed.after = async ({ method, path, status, query }) => {
    const claims = `/api/v1/namespaces/${MEADOW}/persistentvolumeclaims`;
    if (swapped || method !== 'POST' || path !== claims || status !== 201 || query.has('dryRun')) return;
    swapped = true;
    await farm.api.remove(`persistentvolumeclaims ${MEADOW}/data`);
    await farm.api.create(PRECIOUS);
    await until('the owner has written', async () => {
      const { status: now } = await farm.api.get(`pods ${MEADOW}/owner`);
      const conditions = (now?.conditions ?? []) as { type: string; status: string }[];
      return conditions.some((c) => c.type === 'Ready' && c.status === 'True');
    });
  };
  const input = { backup, namespaces: [MEADOW] };
  const restore = await farm.aws.wait(await farm.aws.start('restore', input));
  expect(swapped).toBe(true);
  const fruit = await farm.kubectl(['exec', '-n', MEADOW, 'owner', '--', 'cat', '/data/fruit']);
  expect(fruit).toBe('precious');
  expect(restore.problem).toMatch(/volumes are not restored/);
});

it('no request was lost on its way to the API server', () => {
  expect([farm.backups.problems, farm.restores.problems]).toEqual([[], []]);
});

/** A claim of the same name with somebody's data, and the pod that has written it. */
const PRECIOUS: KubeObject[] = [
  {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'data', namespace: MEADOW },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '64Mi' } } },
  },
  {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'owner', namespace: MEADOW },
    spec: {
      terminationGracePeriodSeconds: 0,
      automountServiceAccountToken: false,
      containers: [
        {
          name: 'main',
          image: imageNames.busybox,
          command: ['sh', '-c', 'echo precious > /data/fruit && exec sleep 100000'],
          readinessProbe: { exec: { command: ['test', '-f', '/data/fruit'] }, periodSeconds: 1 },
          volumeMounts: [{ name: 'data', mountPath: '/data' }],
        },
      ],
      volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }],
    },
  },
];
