import { gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, it } from 'vitest';
import { encode } from '../../../functions/adapters/s3/documents.ts';
import { commitBackup } from '../../../functions/backup/commit-backup/commit.ts';
import { HoldfastError } from '../../../functions/contract/holdfast-error.ts';
import type { ControlPlaneOutcome } from '../../../functions/core/backup/control-plane.ts';
import type { BackupRecord, Work } from '../../../functions/core/backup/record.ts';
import { repositoryPassword } from '../../../functions/core/restic/repository.ts';
import { vaultKeys } from '../../../functions/core/vault/vault-keys.ts';
import type { VolumeOutcome, WorkVolume } from '../../../functions/core/volumes/work.ts';
import { repositoryOpener } from '../../../functions/runtime/repositories.ts';
import { DATA, resourcesOf, workOf } from '../../support/builders.ts';
import { keyPair } from '../../support/key-pair.ts';
import { MemoryVault } from '../../support/memory-vault.ts';
import { resticId } from '../../support/restic-id.ts';
import { ResticWriter, SNAPSHOT } from '../../support/restic-writer.ts';
import { archiveOf, KINDS, thing } from '../../support/restores.ts';

const keys = vaultKeys('paris');
const BACKUP = 'daily-1';
const MASTER = 'the master secret';
const signer = keyPair();
const ARCHIVE = await archiveOf(thing(KINDS.configMaps, 'a'));

let vault: MemoryVault;
let secrets: number;
let shop: ResticWriter;

const put = (key: string, value: unknown) => vault.objects.set(key, { body: encode(value), metadata: {} });
function repositoryOf(namespace: string): ResticWriter {
  const repository = keys.restic.repository(namespace);
  return ResticWriter.create(vault, repository, repositoryPassword(MASTER, repository));
}
const volumeIn = (namespace: string): WorkVolume => ({
  id: `${namespace}.data`,
  namespace,
  pvc: 'data',
  strategy: 'mount',
});

beforeEach(() => {
  vault = new MemoryVault('primary');
  secrets = 0;
  shop = repositoryOf('shop');
  const { body, sha256 } = ARCHIVE;
  vault.objects.set(keys.velero.archive(BACKUP), { body, metadata: {} });
  vault.objects.set(keys.velero.resourceList(BACKUP), { body: gzipSync('{}'), metadata: {} });
  const bytes = JSON.stringify(thing(KINDS.configMaps, 'a')[1]).length;
  put(keys.records.resources(BACKUP), resourcesOf({ items: 1, bytes, archiveBytes: body.length, sha256 }));
});

/** Commits a backup of volumes, of which reconciliation found out this. */
async function commit(outcomes: readonly VolumeOutcome[], over: Partial<Work> = {}): Promise<BackupRecord> {
  put(keys.records.work(BACKUP), workOf({ volumes: outcomes.map((o) => volumeIn(o.namespace)), ...over }));
  for (const outcome of outcomes) put(keys.records.volume(BACKUP, outcome.id), outcome);
  const openRepository = repositoryOpener(vault, keys, async () => {
    secrets++;
    return MASTER;
  });
  const now = new Date('2026-01-31T02:01:00Z');
  return commitBackup({ vault, keys, cluster: 'paris', now, signer, openRepository }, BACKUP);
}
const claimed = (snapshot: string, over: Partial<VolumeOutcome> = {}): VolumeOutcome => ({
  ...DATA,
  snapshot,
  files: 999,
  bytes: 999,
  ...over,
});

describe('a committed volume', () => {
  it('has the size that its snapshot says, and not that of a log', async () => {
    const snapshot = shop.snapshot();
    const record = await commit([claimed(snapshot)]);
    expect([record.phase, record.reasons]).toEqual(['Completed', []]);
    expect(record.volumes).toEqual([{ ...DATA, snapshot, files: 3, bytes: 40 }]);
  });

  it('has no size where restic wrote none into the snapshot', async () => {
    const snapshot = shop.snapshot({ summary: undefined });
    expect((await commit([claimed(snapshot)])).volumes).toEqual([{ ...DATA, snapshot }]);
  });

  it('stays partial with its message', async () => {
    const snapshot = shop.snapshot();
    const record = await commit([
      claimed(snapshot, { result: 'partial', message: 'restic could not read: /x' }),
    ]);
    expect([record.phase, record.reasons]).toEqual([
      'PartiallyFailed',
      ['volume shop/data: restic could not read: /x'],
    ]);
    expect(record.volumes).toMatchObject([{ result: 'partial', snapshot, files: 3 }]);
  });

  it.each<[string, () => string, string | RegExp]>([
    ['is not there', () => resticId('none'), `its snapshot ${resticId('none')} is not in the vault`],
    [
      'is of another backup',
      () => shop.snapshot({ tags: ['backup=daily-2', 'plan=daily'] }),
      /^its snapshot [0-9a-f]{64} is not of this backup, but has the tags "backup=daily-2", "plan=daily"$/,
    ],
    ['has no tags', () => shop.snapshot({ tags: null }), /is not of this backup, but has the tags none$/],
    [
      'is of two backups',
      () => shop.snapshot({ tags: ['backup=daily-1', 'backup=daily-2'] }),
      /is not of this backup, but has the tags/,
    ],
    [
      'is of another cluster',
      () => shop.snapshot({ hostname: 'rome' }),
      /is not of this cluster, but of "rome"$/,
    ],
    [
      'is of another volume',
      () => shop.snapshot({ paths: ['/data/shop/other'] }),
      /is not of \/data\/shop\/data, but of "\/data\/shop\/other"$/,
    ],
    [
      'is of more than the volume',
      () => shop.snapshot({ paths: ['/data/shop/data', '/etc'] }),
      /is not of \/data\/shop\/data, but of "\/data\/shop\/data", "\/etc"$/,
    ],
    [
      'is of hostile words',
      () => shop.snapshot({ hostname: `\u202e\n${'x'.repeat(5000)}` }),
      /^its snapshot [0-9a-f]{64} is not of this cluster, but of "[^\n\u202e]{1,600}$/,
    ],
    [
      'cannot be decrypted',
      () => shop.named('snapshots', Buffer.alloc(100, 1)),
      /^restic\/paris\/shop\/snapshots\/[0-9a-f]{64} in bucket primary is no snapshot of this repository$/,
    ],
  ])('has failed when its snapshot %s', async (_, make, why) => {
    const record = await commit([claimed(make())]);
    const { id, namespace, pvc } = DATA;
    const message = typeof why === 'string' ? why : expect.stringMatching(why);
    expect(record.volumes).toEqual([{ id, namespace, pvc, result: 'failed', message }]);
    expect(record.phase).toBe('PartiallyFailed');
    expect(record.reasons).toEqual([`volume shop/data: ${record.volumes[0]?.message}`]);
  });

  it('has failed when it is protected by no snapshot at all', async () => {
    const { snapshot, ...without } = DATA;
    expect((await commit([without])).reasons).toEqual(['volume shop/data: its result names no snapshot']);
    expect(secrets).toBe(0);
  });

  it('that failed before stays as it is, and no repository is opened', async () => {
    const { snapshot, ...rest } = DATA;
    const failed = { ...rest, result: 'failed' as const, message: 'no' };
    expect((await commit([failed])).volumes).toEqual([failed]);
    expect(secrets).toBe(0);
  });
});

describe('a repository that cannot be opened', () => {
  const outcomeIn = (namespace: string, snapshot: string) =>
    claimed(snapshot, { id: `${namespace}.data`, namespace });

  it.each<[string, () => void, string]>([
    [
      'with the password',
      () => ResticWriter.create(vault, keys.restic.repository('evil'), 'another password'),
      'restic/paris/evil/keys/ in bucket primary has no key that the password of this repository opens',
    ],
    [
      'because it is not there',
      () => undefined,
      'restic/paris/evil/keys/ in bucket primary has no key that the password of this repository opens',
    ],
  ])('%s costs its own volumes, and no others', async (_, make, why) => {
    make();
    const snapshot = shop.snapshot();
    const record = await commit([outcomeIn('evil', resticId('x')), claimed(snapshot)]);
    expect(record.reasons).toEqual([`volume evil/data: ${why}`]);
    expect(record.volumes).toMatchObject([
      { id: 'evil.data', result: 'failed', message: why },
      { id: 'shop.data', result: 'protected', snapshot },
    ]);
  });

  it('because S3 is away is an error to be tried again, and nothing is signed', async () => {
    const snapshot = shop.snapshot();
    vault.breaking.add(`restic/paris/shop/snapshots/${snapshot}`);
    await expect(commit([claimed(snapshot)])).rejects.toMatchObject({ name: 'VaultUnavailable' });
    expect(vault.objects.has(keys.records.record(BACKUP))).toBe(false);
    expect((await commit([claimed(snapshot)])).phase).toBe('Completed');
  });

  it.each(['InvalidObjectState', 'InvalidRequest', 'AccessDenied', 'KMS.NotFoundException'])(
    'because whoever wrote it chose that S3 answers %s is like damage',
    async (name) => {
      const snapshot = shop.snapshot();
      const cause = Object.assign(new Error('no'), { name });
      const { stream } = vault;
      vault.stream = async (key) => {
        if (key.includes('/snapshots/')) throw new HoldfastError('VaultUnavailable', 'S3 says no', { cause });
        return stream.call(vault, key);
      };
      const { reasons } = await commit([claimed(snapshot)]);
      expect(reasons[0]).toMatch(/^volume shop\/data: restic.*cannot be read: S3 says no$/);
    },
  );

  it('is opened once for all its volumes, and the secret is asked for once', async () => {
    const other = repositoryOf('bank');
    const path = '/data/bank/data';
    const configs: string[] = [];
    const { stream } = vault;
    vault.stream = async (key) => {
      if (key.endsWith('/config')) configs.push(key);
      return stream.call(vault, key);
    };
    const more = ['b', 'c'].map((name) =>
      claimed(shop.snapshot({ paths: [`/data/shop/${name}`] }), { id: `shop.${name}`, pvc: name }),
    );
    const outcomes = [
      claimed(shop.snapshot()),
      ...more,
      outcomeIn('bank', other.snapshot({ paths: [path] })),
    ];
    const volumes = outcomes.map(({ id, namespace, pvc }) => ({ ...volumeIn(namespace), id, pvc }));
    const record = await commit(outcomes, { volumes });
    expect([record.phase, configs.length, secrets]).toEqual(['Completed', 2, 1]);
  });
});

describe('a committed control plane', () => {
  const work = { controlPlane: { endpoints: ['https://a:2379'], nodes: ['cp1'] } };
  const tags = ['backup=daily-1'];
  const etcd = (snapshot: string): ControlPlaneOutcome => ({
    id: 'etcd',
    result: 'protected',
    endpoint: 'https://a:2379',
    snapshot,
    revision: 7,
    keys: 3,
    hash: 1,
    bytes: 999,
  });
  let repository: ResticWriter;
  beforeEach(() => {
    repository = repositoryOf('_control-plane');
  });
  const save = (...outcomes: ControlPlaneOutcome[]) => {
    for (const outcome of outcomes) put(keys.records.controlPlane(BACKUP, outcome.id), outcome);
  };

  it('has the snapshots of etcd and of each node’s files', async () => {
    const snapshot = repository.snapshot({ tags, paths: ['/control-plane/etcd'] });
    const files = repository.snapshot({ tags, paths: ['/control-plane/nodes/cp1'] });
    save(etcd(snapshot), { id: 'files.cp1', result: 'protected', snapshot: files });
    const record = await commit([], work);
    expect([record.phase, record.reasons]).toEqual(['Completed', []]);
    expect(record.controlPlane).toMatchObject([
      { id: 'etcd', snapshot, revision: 7, bytes: 40 },
      { id: 'files.cp1', snapshot: files, files: 3, bytes: 40 },
    ]);
  });

  it('has failed where a snapshot is of something else, without what its log said', async () => {
    const files = repository.snapshot({ tags, paths: ['/control-plane/nodes/cp1'] });
    save(etcd(files), { id: 'files.cp1', result: 'protected', snapshot: files });
    const record = await commit([], work);
    expect(record.controlPlane?.[0]).toEqual({
      id: 'etcd',
      result: 'failed',
      endpoint: 'https://a:2379',
      message: expect.stringMatching(
        /is not of \/control-plane\/etcd, but of "\/control-plane\/nodes\/cp1"$/,
      ),
    });
    expect(record.reasons).toEqual([`control plane, etcd: ${record.controlPlane?.[0]?.message}`]);
  });
});

it('what a snapshot is of is told by the snapshot that a commit expects', () => {
  expect([SNAPSHOT.hostname, SNAPSHOT.tags[0]]).toEqual(['paris', `backup=${BACKUP}`]);
});
