import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { END_OF_TAR, fileHeader, paddingOf } from '../../functions/core/bytes/tar.ts';
import { veleroKeys } from '../../functions/core/vault/vault-keys.ts';
import { Pipeline } from '../support/dirty.ts';
import { MemoryVault } from '../support/memory-vault.ts';
import { archiveOf, KINDS, thing } from '../support/restores.ts';

// Backups that Velero wrote: names that are no labels, and archives of its first format.
const pipeline = new Pipeline();
const { api } = pipeline;
const keys = veleroKeys('velero/');
const LONG = 'k8s-production-europe-west-authentication-namespace-daily-20260131020000';

beforeAll(() => pipeline.open());
afterAll(async () => {
  await api.gone('velero-long', 'velero-old');
  await pipeline.close();
});

/** A vault with one backup of Velero. */
async function veleroVault(name: string, namespace: string, archive: Buffer): Promise<MemoryVault> {
  const vault = new MemoryVault('velero');
  const status = {
    phase: 'Completed',
    version: 1,
    formatVersion: '1',
    startTimestamp: '2020-01-01T00:00:00Z',
  };
  const backup = { metadata: { name }, spec: { includedNamespaces: [namespace] }, status };
  await vault.put(keys.backup(name), Buffer.from(JSON.stringify(backup)));
  await vault.put(keys.archive(name), archive);
  return vault;
}

const file = (path: string, object: object): Buffer => {
  const content = Buffer.from(JSON.stringify(object));
  return Buffer.concat([
    fileHeader(path, content.length, 0o755),
    content,
    Buffer.alloc(paddingOf(content.length)),
  ]);
};

it('restores a backup whose name is longer than a label may be', async () => {
  const { body } = await archiveOf(
    thing(KINDS.namespaces, 'velero-long'),
    thing(KINDS.configMaps, 'one', { data: { a: '1' } }, { namespace: 'velero-long' }),
  );
  const vault = await veleroVault(LONG, 'velero-long', body);
  const restored = await pipeline.restoreVelero({ vault, keys, backup: LONG });
  expect(restored.results('namespaces velero-long', 'configmaps velero-long/one')).toEqual([
    'created',
    'created',
  ]);
  expect(restored.wrong).toEqual([]);
});

it('restores an archive of the first format, or refuses it with a reason', async () => {
  const archive = gzipSync(
    Buffer.concat([
      file('resources/namespaces/cluster/velero-old.json', {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: 'velero-old' },
      }),
      file('resources/configmaps/namespaces/velero-old/one.json', {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'one', namespace: 'velero-old' },
        data: { a: '1' },
      }),
      END_OF_TAR,
    ]),
  );
  const vault = await veleroVault('daily', 'velero-old', archive);
  const outcome = await pipeline.restoreVelero({ vault, keys, backup: 'daily' }).then(
    (restored) => restored.results('configmaps velero-old/one')[0],
    (error: Error) => `${error.name}: ${error.message}`,
  );
  expect(outcome).toMatch(
    /^(created|(RestoreRefused|RecoveryPointDamaged|RecoveryPointNotFound): .*daily.*)/,
  );
});
