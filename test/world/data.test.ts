import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { backupName } from '../../functions/core/backup-name.ts';
import type { BackupRecord, ReplicaProof } from '../../functions/core/record.ts';
import { isReplicated } from '../../functions/core/replication.ts';
import { vaultKeys } from '../../functions/core/vault-keys.ts';
import { TYPES } from '../../functions/core/well-known.ts';
import type { KubeClient } from '../../functions/ports/kubernetes.ts';
import { awsOf, readJson } from '../../infra/local/demo/aws.ts';
import { demo } from '../../infra/local/demo/config.ts';
import { type Kubectl, kubectlWith } from '../../infra/local/demo/kubectl.ts';
import { bucketOf, runRestore } from '../../infra/local/demo/stages.ts';
import { deployWorld, grantAccess } from '../../infra/local/demo/world-setup.ts';
import { imageNames } from '../../infra/local/settings.ts';
import { findWorld } from '../../infra/local/world.ts';
import { connect } from '../support/world.ts';
import { holdfast } from './cli.ts';
import { CSI, type CsiStorage, countOf, startCsiStorage } from './csi-storage.ts';

// Every way but the plain one of reading data, through the deployed machine.
const CLUSTER = 'data';
const keys = vaultKeys(CLUSTER);
const aws = awsOf(demo.region, CLUSTER);
let kubectl: Kubectl;
let cluster: KubeClient;
let storage: CsiStorage | undefined;

const plan = (name: string, rule: object, keepLast = 3) => ({
  name,
  namespaces: [name],
  schedule: '0 3 1 1 *',
  volumeRules: [{ name: 'read-on-node', labelSelector: 'read=node', action: 'node' }, rule],
  retention: { keepLast },
});
const COMMAND = 'holdfast.io/backup-command';

/** A claim of CSI storage. */
const claim = (namespace: string, name: string, labels: object = {}) => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name, namespace, labels },
  spec: {
    storageClassName: CSI.storageClass,
    accessModes: ['ReadWriteOnce'],
    resources: { requests: { storage: '1Gi' } },
  },
});
/** A pod that writes something, and is ready when it has. */
const pod = (
  namespace: string,
  name: string,
  write: string,
  over: { annotations?: object; volume?: object },
) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace, annotations: over.annotations ?? {} },
  spec: {
    terminationGracePeriodSeconds: 0,
    containers: [
      {
        name: 'main',
        image: imageNames.busybox,
        command: ['sh', '-c', `${write} && touch /tmp/done && exec sleep 3600`],
        readinessProbe: { exec: { command: ['test', '-f', '/tmp/done'] }, periodSeconds: 1 },
        volumeMounts: [{ name: 'data', mountPath: '/data' }],
      },
    ],
    volumes: [{ name: 'data', ...(over.volume ?? { emptyDir: {} }) }],
  },
});
const ofClaim = (claimName: string) => ({ persistentVolumeClaim: { claimName } });
const hook = (time: string, script: string) => ({
  [`${time}.hook.backup.velero.io/command`]: JSON.stringify(['sh', '-c', script]),
});

const objects = [
  ...['data', 'broken'].map((name) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })),
  claim('data', 'db'),
  claim('data', 'plain', { read: 'node' }),
  pod('data', 'db', 'echo running > /data/state', {
    volume: ofClaim('db'),
    annotations: {
      ...hook('pre', 'echo frozen > /data/state'),
      ...hook('post', 'echo thawed > /data/state'),
      [COMMAND]: 'echo one; echo two',
      [`${COMMAND}-file`]: 'rows.txt',
    },
  }),
  pod('data', 'plain', 'echo plain > /data/file', { volume: ofClaim('plain') }),
  pod('data', 'cache', 'echo warm > /data/cache', {
    annotations: { 'backup.velero.io/backup-volumes': 'data' },
  }),
  claim('broken', 'db'),
  pod('broken', 'db', 'echo x > /data/x', {
    volume: ofClaim('db'),
    annotations: { [COMMAND]: 'echo half a dump; exit 7' },
  }),
];

beforeAll(async () => {
  const world = findWorld(process.env.HOLDFAST_WORLD ?? '');
  if (!world) throw new Error('HOLDFAST_WORLD names no world that is up');
  kubectl = kubectlWith(world.env);
  cluster = connect();
  storage = await startCsiStorage(cluster, world);
  await kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));
  for (const namespace of ['data', 'broken'])
    await kubectl(['wait', '-n', namespace, '--for=condition=Ready', 'pod', '--all', '--timeout=90s']);
  await grantAccess(world, kubectl, aws, { hooks: true, snapshots: true, commands: ['data', 'broken'] });
  const snapshots = { name: 'snapshots', storageClasses: [CSI.storageClass], action: 'snapshot' };
  await deployWorld(
    world,
    {
      namespaces: [],
      cluster: CLUSTER,
      jobs: { kubectlImage: imageNames.kubectl, startMinutes: 1 },
      // S3 replicates by itself here; the machine alone in the other tests.
      vault: { replication: { mode: 'continuous', timeControl: true } },
      plans: [plan('data', snapshots, 1), plan('broken', { ...snapshots, snapshotClass: CSI.refusing })],
    },
    () => undefined,
  );
});
afterAll(async () => {
  await kubectl(['delete', 'namespace', 'data', 'broken', '--ignore-not-found']);
  storage?.stop();
  await cluster.close();
});

/** A backup of a plan now, with its record. */
async function backUp(name: string): Promise<BackupRecord> {
  const at = new Date();
  await aws.wait(await aws.start('backup', { plan: name, scheduledTime: at.toISOString() }));
  return readJson<BackupRecord>(
    demo.region,
    bucketOf(demo.region),
    keys.records.record(backupName(name, at)),
  );
}

/** Waits until the cluster has done what a backup asked of it last. */
async function untilNothingIsLeft(): Promise<number[]> {
  let left: number[] = [];
  for (let tries = 0; tries < 60; tries++) {
    const objects = await Promise.all([
      countOf(cluster, TYPES.volumeSnapshots),
      countOf(cluster, { ...TYPES.volumeSnapshotClasses, resource: 'volumesnapshotcontents' }),
    ]);
    const claims = await kubectl([
      ...['get', 'pvc', '-A', '-l', 'app.kubernetes.io/managed-by=holdfast', '-o', 'name'],
    ]);
    const inStorage = readdirSync(storage?.snapshots ?? '').length;
    left = [...objects, claims.split('\n').filter(Boolean).length, inStorage];
    if (left.every((n) => n === 0)) break;
    await sleep(500);
  }
  return left;
}

/** The second copy of the vault below a prefix, as a person with rights would see it. */
function replicaOf(prefix: string) {
  const s3 = new S3Client({ region: demo.replicaRegion, forcePathStyle: true });
  const Bucket = bucketOf(demo.replicaRegion);
  const list = async () => {
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: prefix }));
    return Contents.map((o) => o.Key as string);
  };
  return {
    list,
    packs: async () => (await list()).filter((key) => key.includes('/data/')),
    async get(Key: string) {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
      return Buffer.from((await Body?.transformToByteArray()) ?? []);
    },
    put: (Key: string, Body: Buffer) => s3.send(new PutObjectCommand({ Bucket, Key, Body })),
    statusOf: async (Key: string) =>
      (await s3.send(new HeadObjectCommand({ Bucket, Key }))).ReplicationStatus,
  };
}

const dump = (record: BackupRecord, id: string, file: string) =>
  holdfast(
    'restic',
    `${CLUSTER}/data`,
    '--',
    'dump',
    record.volumes.find((v) => v.id === id)?.snapshot ?? '',
    file,
  );

describe('data that is not read from its claim', () => {
  let record: BackupRecord;
  beforeAll(async () => {
    record = await backUp('data');
  });

  it('is protected: by a snapshot, by a command, from an emptyDir, and on the node', () => {
    expect([record.reasons, record.phase]).toEqual([[], 'Completed']);
    expect(record.volumes.map((v) => [v.id, v.result]).sort()).toEqual([
      ['data._db', 'protected'],
      ['data.cache_data', 'protected'],
      ['data.db', 'protected'],
      ['data.plain', 'protected'],
    ]);
  });

  it('is in the repository as it was: between the hooks, and all of what the command wrote', () => {
    expect(dump(record, 'data.db', '/data/data/db/state')).toBe('frozen\n');
    expect(dump(record, 'data._db', '/dumps/data/db/rows.txt')).toBe('one\ntwo\n');
    expect(dump(record, 'data.cache_data', '/pod-volumes/data/cache/data/cache')).toBe('warm\n');
    expect(dump(record, 'data.plain', '/data/data/plain/file')).toBe('plain\n');
  });

  it('goes on after its snapshot: the post hook has run', async () => {
    expect(await kubectl(['exec', '-n', 'data', 'db', '--', 'cat', '/data/state'])).toBe('thawed');
  });

  it('leaves no snapshot and no claim behind, in the cluster or in the storage', async () => {
    expect(await untilNothingIsLeft()).toEqual([0, 0, 0, 0]);
  });

  describe('in the second region', () => {
    const there = replicaOf(keys.restic.repository('data'));
    const proofOf = (backup: string) =>
      readJson<ReplicaProof>(demo.replicaRegion, bucketOf(demo.replicaRegion), keys.records.replica(backup));

    it('was brought by S3 and is proven by the machine, which copied records alone', async () => {
      const records = await replicaOf(keys.records.dir(record.backup)).list();
      const proof = await proofOf(record.backup);
      expect(proof.copied).toBe(records.filter((key) => isReplicated(key)).length);
      expect(proof.read).toBeGreaterThan(0);
      expect(await there.statusOf((await there.packs())[0] as string)).toBe('REPLICA');
    });

    it('is put right by the next backup where it was damaged, and is not looked at again elsewhere', async () => {
      const [damaged] = (await there.packs()) as [string];
      await there.put(damaged, Buffer.alloc((await there.get(damaged)).length, 'x'));
      record = await backUp('data');
      expect(record.phase).toBe('Completed');
      const records = await replicaOf(keys.records.dir(record.backup)).list();
      expect((await proofOf(record.backup)).copied).toBe(records.filter(isReplicated).length + 1);
    });

    it('is pruned in spite of the locks that S3 brought from the first, and whole', async () => {
      const [prune] = await aws.executions('prune');
      expect(prune).toMatchObject({ status: 'SUCCEEDED', output: { removed: 1 } });
      const restic = (...args: string[]) =>
        holdfast('restic', '--from', 'replica', `${CLUSTER}/data`, '--', ...args, '--no-lock');
      expect(JSON.parse(restic('snapshots', '--json'))).toHaveLength(record.volumes.length);
      expect(restic('check', '--read-data')).toContain('no errors were found');
    });
  });

  it('comes back into fresh claims, and the rest by plain restic', async () => {
    await kubectl(['delete', 'namespace', 'data']);
    const { output } = await runRestore(aws, { backup: record.backup }, () => undefined);
    expect(output).toMatchObject({ phase: 'Completed', volumes: 2, failedVolumes: 0 });
    await kubectl(['wait', '-n', 'data', '--for=condition=Ready', 'pod/plain', '--timeout=90s']);
    expect(await kubectl(['exec', '-n', 'data', 'plain', '--', 'ls', '/data'])).toBe('file');
  });
});

describe('data that cannot be read', () => {
  let record: BackupRecord;
  beforeAll(async () => {
    record = await backUp('broken');
  });

  it('is a failed volume each, in the words of the storage and of the command', () => {
    expect(record.phase).toBe('PartiallyFailed');
    expect(record.reasons).toEqual([
      expect.stringMatching(new RegExp(`^volume broken/db: .*not taken: .*${CSI.words}`)),
      expect.stringMatching(/^dump broken\/db:dump: its command failed: .*exit code 7/),
    ]);
  });

  it('of a command that failed is never a snapshot', () => {
    expect(JSON.parse(holdfast('restic', `${CLUSTER}/broken`, '--', 'snapshots', '--json'))).toEqual([]);
  });

  it('leaves nothing behind', async () => {
    expect(await untilNothingIsLeft()).toEqual([0, 0, 0, 0]);
  });
});
