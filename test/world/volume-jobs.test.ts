import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { kubeClient } from '../../functions/adapters/kubernetes/client.ts';
import {
  type ClusterJob,
  giveSecret,
  jobEnd,
  jobProgress,
  resumeJob,
} from '../../functions/adapters/kubernetes/jobs.ts';
import { backupJob, volumeOutcome } from '../../functions/backup/reconcile-volumes/volume-job.ts';
import type { VaultCopy } from '../../functions/contract/copies.ts';
import type { ClusterSettings, ResticOptions } from '../../functions/contract/settings.ts';
import { jobManifest } from '../../functions/core/jobs/job-manifest.ts';
import type { ResticJob } from '../../functions/core/jobs/job-spec.ts';
import { collectionPath, type KubeObject, objectPath } from '../../functions/core/kubernetes/resources.ts';
import { TYPES } from '../../functions/core/kubernetes/well-known.ts';
import { CREDENTIALS_FILES, sessionFile } from '../../functions/core/restic/repository.ts';
import { DEFAULT_RESTIC } from '../../functions/core/restic/restic.ts';
import type { VolumeWork } from '../../functions/core/volumes/strategy.ts';
import { selectVolumes } from '../../functions/core/volumes/volumes.ts';
import type { KubeClient } from '../../functions/ports/kubernetes.ts';
import {
  type RestoreWork,
  restoredOutcome,
  restoreJob,
} from '../../functions/restore/reconcile-restore-volumes/volume-job.ts';
import { holderOf } from '../../functions/runtime/jobs/holder.ts';
import { imageNames, storage } from '../../world/base/settings.ts';
import { OwnJobs } from '../support/own-jobs.ts';
import { copiesOf, JOBS, planOf, settingsWith } from '../support/selection.ts';
import { connect, create, endpoint, makeVault, REGION } from '../support/world.ts';
import { expiringS3 } from './expiring-s3.ts';
import { faultyServer } from './faults.ts';

const S3 = new URL(process.env.AWS_ENDPOINT_URL ?? '');
const NAMESPACE = 'volume-jobs';
const FAR = '2099-01-01T00:00:00Z';
const plan = planOf('volumes', [NAMESPACE]);
let cluster: KubeClient;
let jobs: OwnJobs;
let count = 0;
/** Makes names that an earlier run in the same world did not use. */
const STAMP = Date.now();

beforeAll(async () => {
  cluster = connect();
  jobs = new OwnJobs(cluster);
  await makeVault('volume-jobs');
  for (const name of [NAMESPACE, 'holdfast']) await namespace(name);
  await Promise.all([volume('small', 'echo hello > /data/file'), volume('odd', ODD), volume('big', BIG)]);
});
afterAll(() => cluster.close());

/** A file that only its owner may read. */
const ODD =
  'echo a > /data/open && echo b > /data/closed && chown 1000 /data/closed && chmod 0400 /data/closed';
const BIG = 'head -c 60000000 /dev/urandom > /data/big';

const namespace = (name: string, labels: Record<string, string> = {}) =>
  create(cluster, TYPES.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } });

/** A claim, and a pod that has written into it and holds it. */
async function volume(name: string, write: string): Promise<void> {
  await create(cluster, TYPES.persistentVolumeClaims, {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name, namespace: NAMESPACE },
    spec: {
      storageClassName: storage.className,
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '1Gi' } },
    },
  });
  const container = {
    name: 'main',
    image: imageNames.busybox,
    command: ['sh', '-c', `${write} && touch /tmp/done && exec sleep 3600`],
    readinessProbe: { exec: { command: ['test', '-f', '/tmp/done'] }, periodSeconds: 1 },
    volumeMounts: [{ name: 'data', mountPath: '/data' }],
  };
  await create(cluster, TYPES.pods, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: NAMESPACE,
      annotations: { 'backup.velero.io/backup-volumes': 'data' },
    },
    spec: {
      terminationGracePeriodSeconds: 0,
      containers: [container],
      volumes: [{ name: 'data', persistentVolumeClaim: { claimName: name } }],
    },
  });
  await until(`pod ${name} to be ready`, async () => {
    const { status } = await get(objectPath(TYPES.pods, name, NAMESPACE));
    const conditions = (status?.conditions ?? []) as { type: string; status: string }[];
    return conditions.some((c) => c.type === 'Ready' && c.status === 'True') || undefined;
  });
}

const get = async (path: string): Promise<KubeObject> =>
  JSON.parse((await cluster.call('GET', path)).body.toString('utf8'));

async function until<T>(what: string, look: () => Promise<T | undefined>, seconds = 60): Promise<T> {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > end) throw new Error(`waited ${seconds} s for ${what}`);
    await sleep(500);
  }
}

/** The Job of a volume, as the machine's function makes it. */
async function jobOf(pvc: string, endpoint = S3.origin): Promise<ResticJob> {
  const list = async (type: (typeof TYPES)['pods']) => {
    const { body } = await cluster.call('GET', collectionPath(type, type.namespaced ? NAMESPACE : undefined));
    return (JSON.parse(body.toString('utf8')) as { items: KubeObject[] }).items;
  };
  const { volumes } = selectVolumes(
    await list(TYPES.pods),
    await list(TYPES.persistentVolumeClaims),
    await list(TYPES.persistentVolumes),
  );
  const v = volumes.find((w) => w.pvc === pvc) as VolumeWork;
  const run = `volumes-${STAMP}-${++count}`;
  const job = backupJob(
    {
      settings: settingsAt(endpoint, pvc === 'big' ? { limitUploadKiB: 400 } : {}),
      work: { backup: run, plan: 'volumes' },
      copy: bucketAt(endpoint),
    },
    { ...v, repository: `restic/world/${run}` },
    { init: true, location: { holder: await holderOf(cluster, v) } },
  );
  return job;
}

const settingsAt = (s3Endpoint: string, restic: Partial<ResticOptions> = {}): ClusterSettings =>
  settingsWith({
    cluster: 'world',
    vault: { name: 'holdfast-vault', region: REGION, replicaRegion: 'eu-central-1' },
    jobs: { ...JOBS, resticImage: imageNames.restic, s3Endpoint },
    plans: [{ ...plan, restic: { ...DEFAULT_RESTIC, ...restic } }],
  });

/** The bucket of these tests as a copy of the vault. */
const bucketAt = (s3Endpoint: string): VaultCopy => ({
  ...copiesOf(settingsAt(s3Endpoint)).primary,
  bucket: 'volume-jobs',
});

const session = (accessKeyId: string, expiration = FAR) =>
  sessionFile({ accessKeyId, secretAccessKey: 'secret', sessionToken: 'token', expiration });

const start = (job: ResticJob, first = session('test')) =>
  jobs.start(job, { password: 'p', ...CREDENTIALS_FILES, 'session.json': first });

const look = (job: ResticJob, startSeconds?: number): Promise<ClusterJob> => jobs.look(job, startSeconds);

const untilEnded = (job: ResticJob, seconds = 60) =>
  until(
    `the Job of ${job.id} to end`,
    async () => {
      const seen = await look(job);
      return seen.state === 'complete' || seen.state === 'failed' ? seen : undefined;
    },
    seconds,
  );

/** A Job of a claim as another namespace sees it, which has no such claim. */
const elsewhere = async (name: string, labels: Record<string, string> = {}) => {
  await namespace(name, labels);
  const { mount: _, node: __, ...job } = await jobOf('small');
  return { ...job, namespace: name };
};

describe('a volume Job', () => {
  it('backs up the claim on the node that holds it', async () => {
    const job = await jobOf('small');
    await start(job);
    const ended = await untilEnded(job);
    const outcome = volumeOutcome(
      { id: 'x', namespace: NAMESPACE, pvc: 'small', strategy: 'mount' },
      await jobEnd(cluster, ended),
    );
    expect([ended.state, outcome.result, outcome.files, outcome.bytes]).toEqual([
      'complete',
      'protected',
      1,
      6,
    ]);
    await jobs.remove(job);
  });

  it('reads the same files from the folder on the node', async () => {
    const { spec } = await get(objectPath(TYPES.persistentVolumeClaims, 'small', NAMESPACE));
    const { spec: source } = await get(objectPath(TYPES.persistentVolumes, String(spec?.volumeName)));
    const { path: folder } = (source as { hostPath: { path: string } }).hostPath;
    const mounted = await jobOf('small');
    const job = {
      ...mounted,
      namespace: 'holdfast',
      mount: { folder, path: mounted.mount?.path as string, readOnly: true as const },
    };
    await start(job);
    const end = await jobEnd(cluster, await untilEnded(job));
    expect(
      volumeOutcome({ id: 'x', namespace: NAMESPACE, pvc: 'small', strategy: 'node' }, end),
    ).toMatchObject({
      result: 'protected',
      files: 1,
      bytes: 6,
    });
    await jobs.remove(job);
  });

  it('that could not read a file has ended for good, and names the file', async () => {
    const job = { ...(await jobOf('odd')), capabilities: [] };
    await start(job);
    const ended = await untilEnded(job);
    expect([ended.state, ended.final]).toEqual(['failed', true]);
    const outcome = volumeOutcome(
      { id: 'x', namespace: NAMESPACE, pvc: 'odd', strategy: 'mount' },
      await jobEnd(cluster, ended),
    );
    expect(outcome).toMatchObject({ result: 'partial', files: 1 });
    expect(outcome.message).toContain('/data/volume-jobs/odd/closed');
    await jobs.remove(job);
  });
});

describe('a volume that is restored', () => {
  /** Makes files of every kind that a volume may hold, below argv[2] `make`, or describes those below argv[2]. */
  const PROGRAM = fileURLToPath(new URL('tree.py', import.meta.url));
  const python = (...args: string[]) => execFileSync('python3', [PROGRAM, ...args], { encoding: 'utf8' });
  const folderOf = async (pvc: string) => {
    const { spec } = await get(objectPath(TYPES.persistentVolumeClaims, pvc, NAMESPACE));
    const { spec: source } = await get(objectPath(TYPES.persistentVolumes, String(spec?.volumeName)));
    return (source as { hostPath: { path: string } }).hostPath.path;
  };

  it('has every file as it was: owner, mode, time, links, attributes, holes', async () => {
    await Promise.all([volume('tree', 'true'), volume('fresh', 'true')]);
    python('make', await folderOf('tree'));
    const job = await jobOf('tree');
    await start(job);
    const backedUp = await jobEnd(cluster, await untilEnded(job));
    const { snapshot } = volumeOutcome(
      { id: 'x', namespace: NAMESPACE, pvc: 'tree', strategy: 'mount' },
      backedUp,
    );
    const [repository] = job.steps.flatMap((s) => ('repository' in s ? [s] : []));
    const path = '/data/volume-jobs/tree';
    const work: RestoreWork = {
      id: 'fresh',
      namespace: NAMESPACE,
      pvc: 'tree',
      result: 'protected',
      snapshot: snapshot ?? '',
      repository: '',
      into: NAMESPACE,
    };
    const into = restoreJob(
      { settings: settingsAt(S3.origin).jobs, restore: `${job.run}-restore`, from: bucketAt(S3.origin) },
      work,
    );
    const restoring = {
      ...into,
      mount: { pvc: 'fresh', path, readOnly: false },
      steps: into.steps.map((s) => ({ ...s, repository: repository?.repository ?? '' })),
    };
    await start(restoring);
    const ended = await untilEnded(restoring);
    expect([ended.state, restoredOutcome(work, await jobEnd(cluster, ended)).message]).toEqual([
      'complete',
      undefined,
    ]);
    const described = python('describe', await folderOf('tree'));
    expect(described.split('\n').length).toBeGreaterThan(10);
    expect(python('describe', await folderOf('fresh'))).toBe(described);
    await jobs.remove(job);
    await jobs.remove(restoring);
  });
});

describe('a volume Job that cannot start is explained within a minute:', () => {
  const waits = async (job: ResticJob) => {
    await start(job);
    const message = await until('an explanation', async () => (await look(job)).message);
    const late = await look(job, 1);
    await jobs.remove(job);
    expect([late.state, late.final]).toEqual(['failed', true]);
    return message;
  };
  it('an image that is nowhere', async () => {
    const job = await jobOf('small');
    const settings = { ...job.settings, resticImage: 'registry.invalid/restic:0' };
    expect(await waits({ ...job, settings })).toMatch(
      /^the image registry\.invalid\/restic:0 cannot be pulled: /,
    );
  });

  it('a node that is not there', async () => {
    expect(await waits({ ...(await jobOf('small')), node: 'nowhere' })).toMatch(
      /^its pod cannot be scheduled: 0\/1 nodes/,
    );
  });

  it('a quota that is used up', async () => {
    const job = await elsewhere('volume-jobs-quota');
    await cluster.call('POST', '/api/v1/namespaces/volume-jobs-quota/resourcequotas', {
      body: {
        apiVersion: 'v1',
        kind: 'ResourceQuota',
        metadata: { name: 'none' },
        spec: { hard: { pods: '0' } },
      },
      accept: [409],
    });
    await until('the quota to count', async () => {
      const { status } = await get('/api/v1/namespaces/volume-jobs-quota/resourcequotas/none');
      return status?.hard as object | undefined;
    });
    expect(await waits(job)).toMatch(/^a quota of the namespace rejects its pod: .*exceeded quota: none/);
  });

  it('a Pod Security level that does not take it', async () => {
    const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
    expect(await waits(await elsewhere('volume-jobs-restricted', labels))).toMatch(
      /^the namespace's Pod Security level rejects its pod: .*violates PodSecurity/,
    );
  });
});

describe('a volume Job that a quota leaves no room for', () => {
  it('is refused in the words of the API server alone', async () => {
    const job = await elsewhere('volume-jobs-count');
    await cluster.call('POST', '/api/v1/namespaces/volume-jobs-count/resourcequotas', {
      body: {
        apiVersion: 'v1',
        kind: 'ResourceQuota',
        metadata: { name: 'no-jobs' },
        spec: { hard: { 'count/jobs.batch': '0' } },
      },
      accept: [409],
    });
    await until('the quota to count', async () => {
      const { status } = await get('/api/v1/namespaces/volume-jobs-count/resourcequotas/no-jobs');
      return status?.hard as object | undefined;
    });
    await expect(start(job)).rejects.toThrow(
      /^the cluster rejects its Job: .*exceeded quota: no-jobs.*limited: count\/jobs\.batch=0$/,
    );
  });
});

describe('a volume Job that is not root', () => {
  it('is taken by the strictest Pod Security level', async () => {
    const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
    const job = { ...(await elsewhere('volume-jobs-strict', labels)), user: 65534, capabilities: [] };
    await start(job);
    const pod = await until('its pod', async () => (await look(job)).pod);
    expect(pod.metadata.namespace).toBe('volume-jobs-strict');
    await jobs.remove(job);
  });
});

describe('a look at a volume Job', () => {
  it('costs two calls, however many Jobs and pods look like it', async () => {
    const asked: string[] = [];
    const server = await faultyServer(endpoint(), (url) => {
      asked.push(`${url.pathname} ${url.searchParams.get('limit')}`);
      return undefined;
    });
    const client = kubeClient({ server: server.url, token: 'any', insecure: false });
    const job = await jobOf('small');
    await start(job);
    const own = await look(job);
    const likeIt = Array.from({ length: 200 }, (_, i) => jobManifest(job, 1, `like-${own.name}-${i}`));
    try {
      for (const forged of likeIt) await create(cluster, TYPES.jobs, { spec: {}, ...forged });
      const found = await jobs.look(job, 600, client);
      expect([found.uid, asked]).toEqual([
        own.uid,
        [
          `${objectPath(TYPES.jobs, own.name, NAMESPACE)} null`,
          `${collectionPath(TYPES.pods, NAMESPACE)} 20`,
        ],
      ]);
    } finally {
      await client.close();
      await server.close();
      await jobs.remove(job);
      for (const { metadata } of likeIt)
        await cluster.call('DELETE', objectPath(TYPES.jobs, metadata.name, NAMESPACE));
    }
  });
});

describe('a volume Job that somebody puts another one in place of', () => {
  it('counts as lost, gets no credentials, and the other one stays', async () => {
    const job = await jobOf('small');
    await start(job);
    const own = await look(job);
    const path = objectPath(TYPES.jobs, own.name, NAMESPACE);
    await cluster.call('DELETE', path, { body: { propagationPolicy: 'Background' } });
    await until('the Job to be gone', async () => {
      const { status } = await cluster.call('GET', path, { accept: [404] });
      return status === 404 || undefined;
    });
    const forged = jobManifest(job, 1, own.name);
    await create(cluster, TYPES.jobs, { spec: {}, ...forged });
    const seen = await look(job);
    expect([seen.state, seen.message]).toEqual([
      'failed',
      `its Job ${NAMESPACE}/${own.name} was removed or replaced by somebody else`,
    ]);
    await resumeJob(cluster, own);
    await jobs.remove(job);
    expect((await get(path)).spec?.suspend).toBe(true);
    await cluster.call('DELETE', path);
  });
});

describe('a volume Job that lives longer than its credentials', () => {
  const LIFE_SECONDS = 120;

  it('goes on with the next ones, and says how far it is', async () => {
    const [first, second] = [new Date(Date.now() + LIFE_SECONDS * 1000), new Date(FAR)];
    const keys = new Map([
      ['FIRST', first],
      ['SECOND', second],
    ]);
    const s3 = await expiringS3(S3, keys);
    try {
      const job = await jobOf('big', s3.url);
      await start(job, session('FIRST', first.toISOString()));
      const progress = await until('progress', async () => jobProgress(cluster, await look(job)), 90);
      expect(progress).toMatchObject({ files: expect.any(Number), totalBytes: 60_000_000 });
      await giveSecret(cluster, await look(job), 2, { 'session.json': session('SECOND') });
      const ended = await untilEnded(job, 240);
      expect([ended.state, s3.seen, s3.refused]).toEqual(['complete', ['FIRST', 'SECOND'], []]);
      expect(ended.seconds).toBeGreaterThan(LIFE_SECONDS);
      await jobs.remove(job);
    } finally {
      await s3.close();
    }
  });
});
