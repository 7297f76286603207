import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { END_OF_TAR, fileHeader, paddingOf } from '../../../functions/core/bytes/tar.ts';
import { scopeOf } from '../../../functions/core/restore/restore-options.ts';
import { veleroKeys } from '../../../functions/core/vault/vault-keys.ts';
import type { Vault } from '../../../functions/ports/vault.ts';
import { findVeleroBackup } from '../../../functions/restore/plan-restore/find-velero.ts';
import { planArchive } from '../../../functions/restore/plan-restore/plan.ts';

const keys = veleroKeys('prod/');

/** A bucket of these objects; whatever else is asked of it throws. */
function bucketOf(objects: Record<string, Buffer>): Vault {
  const verbs: Partial<Vault> = {
    bucket: 'company-velero',
    stream: async (key) => Readable.from([objects[key] as Buffer]),
    find: async (key) => (objects[key] ? { body: objects[key], etag: '' } : undefined),
    folders: async (prefix) => [
      ...new Set(Object.keys(objects).map((k) => k.slice(prefix.length).split('/')[0] as string)),
    ],
  };
  return new Proxy(verbs as Vault, {
    get: (target, verb) => {
      if (verb in target) return target[verb as keyof Vault];
      throw new Error(`${String(verb)} is not prepared`);
    },
  });
}
const backup = (
  name: string,
  phase: string,
  startTimestamp: string,
  { includedNamespaces = ['shop'], ...over }: { includedNamespaces?: string[]; formatVersion?: string } = {},
) => ({
  [keys.backup(name)]: Buffer.from(
    JSON.stringify({
      metadata: { name },
      spec: { includedNamespaces },
      status: { phase, startTimestamp, ...over },
    }),
  ),
});
const list = (name: string, kinds: object) => ({
  [keys.resourceList(name)]: gzipSync(JSON.stringify(kinds)),
});

describe('a backup that a Velero wrote', () => {
  it('holds the namespaces that its resource list names, alone or before an object', async () => {
    const vault = bucketOf({
      ...backup('daily', 'Completed', '2026-01-01T00:00:00Z'),
      ...list('daily', {
        'v1/Namespace': ['shop'],
        'v1/Secret': ['bank/key'],
        'v1/PersistentVolume': ['pv-1'],
      }),
    });
    expect(await findVeleroBackup(vault, keys, 'daily')).toEqual({
      backup: 'daily',
      namespaces: ['bank', 'shop'],
    });
  });

  it('of format 1, without a resource list, holds the namespaces of its archive, and its objects are planned', async () => {
    const file = (path: string, object: object) => {
      const body = Buffer.from(JSON.stringify(object));
      return Buffer.concat([
        fileHeader(path, body.length, 0o644),
        body,
        Buffer.alloc(paddingOf(body.length)),
      ]);
    };
    const archive = gzipSync(
      Buffer.concat([
        file('resources/namespaces/cluster/c23.json', {
          apiVersion: 'v1',
          kind: 'Namespace',
          metadata: { name: 'c23' },
        }),
        file('resources/configmaps/namespaces/c23/one.json', {
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { name: 'one', namespace: 'c23' },
        }),
        END_OF_TAR,
      ]),
    );
    const vault = bucketOf({
      ...backup('daily', 'Completed', '2020-01-01T00:00:00Z', {
        formatVersion: '1',
        includedNamespaces: ['*'],
      }),
      [keys.archive('daily')]: archive,
    });
    const { namespaces } = await findVeleroBackup(vault, keys, 'daily');
    expect(namespaces).toEqual(['c23']);
    const { items } = await planArchive(Readable.from([archive]), undefined, scopeOf({}, namespaces), {});
    expect(items.map((i) => `${i.action} ${i.groupResource}/${i.version} ${i.name}`)).toEqual([
      'create namespaces/v1 c23',
      'create configmaps/v1 one',
    ]);
  });

  it('as latest is the newest that is Completed', async () => {
    const vault = bucketOf({
      ...backup('old', 'Completed', '2026-01-01T00:00:00Z'),
      ...backup('new', 'Completed', '2026-01-02T00:00:00Z'),
      ...backup('partial', 'PartiallyFailed', '2026-01-03T00:00:00Z'),
    });
    expect((await findVeleroBackup(vault, keys, 'latest')).backup).toBe('new');
  });

  it.each([
    ['Failed', {}],
    ['InProgress', {}],
    ['Completed', { formatVersion: '2.0.0' }],
  ])('that is %s %j is refused', async (phase, over) => {
    const vault = bucketOf(backup('daily', phase, '2026-01-01T00:00:00Z', over));
    await expect(findVeleroBackup(vault, keys, 'daily')).rejects.toMatchObject({ name: 'RestoreRefused' });
  });

  it('that does not exist is not found, and the error names the place', async () => {
    await expect(findVeleroBackup(bucketOf({}), keys, 'gone')).rejects.toMatchObject({
      name: 'RecoveryPointNotFound',
      message: expect.stringContaining('backup gone below prod/backups/ in bucket company-velero'),
    });
  });
});
