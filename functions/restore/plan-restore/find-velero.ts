import type { Readable } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import * as z from 'zod/mini';
import { readArchive } from '../../adapters/archive/reader.ts';
import { findJson } from '../../adapters/s3/documents.ts';
import { HoldfastError } from '../../contract/holdfast-error.ts';
import type { VeleroKeys } from '../../core/vault/vault-keys.ts';
import type { Vault } from '../../ports/vault.ts';

/** The fields of velero-backup.json that a restore reads. */
const VeleroBackup = z.object({
  metadata: z.object({ name: z.string() }),
  spec: z.optional(z.object({ includedNamespaces: z.nullish(z.array(z.string())) })),
  status: z.object({
    phase: z.string(),
    formatVersion: z.optional(z.string()),
    startTimestamp: z.nullish(z.string()),
  }),
});
type VeleroBackup = z.infer<typeof VeleroBackup>;

/**
 * A backup written by Velero, by name, or the newest Completed one for `latest`, with its namespaces.
 *
 * @throws HoldfastError RecoveryPointNotFound; RestoreRefused when its phase or format cannot be restored.
 */
export async function findVeleroBackup(
  vault: Vault,
  keys: VeleroKeys,
  name: string,
): Promise<{ backup: string; namespaces: string[] }> {
  const found =
    name === 'latest' ? await newest(vault, keys) : await findJson(vault, VeleroBackup, keys.backup(name));
  if (!found)
    throw new HoldfastError(
      'RecoveryPointNotFound',
      `${name === 'latest' ? 'no Completed backup' : `backup ${name}`} below ${keys.root} in bucket ${vault.bucket}`,
      { hint: 'Choose a backup that `velero backup get` lists' },
    );
  const { phase, formatVersion = '1' } = found.status;
  if (!['Completed', 'PartiallyFailed'].includes(phase) || !formatVersion.startsWith('1'))
    throw new HoldfastError(
      'RestoreRefused',
      `backup ${found.metadata.name} is ${phase}, of format ${formatVersion}`,
      { hint: 'Completed and PartiallyFailed backups of format 1 can be restored' },
    );
  return { backup: found.metadata.name, namespaces: await namespacesOf(vault, keys, found) };
}

async function newest(vault: Vault, keys: VeleroKeys): Promise<VeleroBackup | undefined> {
  const all: VeleroBackup[] = [];
  for (const folder of await vault.folders(keys.root)) {
    const backup = await findJson(vault, VeleroBackup, keys.backup(folder));
    if (backup?.status.phase === 'Completed') all.push(backup);
  }
  const at = (b: VeleroBackup) => Date.parse(b.status.startTimestamp ?? '') || 0;
  return all.sort((a, b) => at(b) - at(a))[0];
}

/** The namespaces of a backup, from its resource list. The requested namespaces may be patterns. */
async function namespacesOf(
  vault: Vault,
  keys: VeleroKeys,
  { metadata, spec }: VeleroBackup,
): Promise<string[]> {
  const list = await vault.find(keys.resourceList(metadata.name));
  const named = spec?.includedNamespaces ?? ['*'];
  // Velero before 1.2 wrote no resource list.
  if (!list && !named.some((n) => /[*?]/.test(n))) return named;
  if (!list) return namespacesIn(await vault.stream(keys.archive(metadata.name)));
  const kinds = z.parse(
    z.record(z.string(), z.array(z.string())),
    JSON.parse(gunzipSync(list.body).toString('utf8')),
  );
  const inside = Object.values(kinds).flatMap((names) =>
    names.flatMap((name) => (name.includes('/') ? [name.slice(0, name.indexOf('/'))] : [])),
  );
  return [...new Set([...(kinds['v1/Namespace'] ?? []), ...inside])].sort();
}

/** The namespaces of an archive's objects. */
async function namespacesIn(archive: Readable): Promise<string[]> {
  const found = new Set<string>();
  await readArchive(archive, undefined, ({ at: { groupResource, namespace, name } }) => {
    if (namespace !== undefined) found.add(namespace);
    if (groupResource === 'namespaces') found.add(name);
  });
  return [...found].sort();
}
