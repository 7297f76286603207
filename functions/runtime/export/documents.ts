import { gunzipSync, gzipSync } from 'node:zlib';
import * as z from 'zod/mini';
import type { TypeDigest } from '../../core/changes.ts';
import { HoldfastError } from '../../core/errors.ts';
import type { Vault } from '../../ports/vault.ts';
import type { TallyDocument } from './tally.ts';

const Digests = z.array(
  z.object({ type: z.string(), items: z.int(), digest: z.string(), fingerprints: z.string() }),
);

/** Writes the fingerprints of an export: what the next one compares itself with. A gzip member for each type. */
export async function putFingerprints(
  vault: Vault,
  key: string,
  digests: readonly TypeDigest[],
): Promise<void> {
  const members = digests.map((digest, i) => gzipSync(`${i === 0 ? '' : ','}${JSON.stringify(digest)}`));
  await vault.put(key, Buffer.concat([gzipSync('['), ...members, gzipSync(']')]));
}

/** Fingerprints of an earlier export; undefined when it left none. */
export async function findFingerprints(vault: Vault, key: string): Promise<TypeDigest[] | undefined> {
  const found = await vault.find(key);
  if (!found) return undefined;
  try {
    return z.parse(Digests, JSON.parse(gunzipSync(found.body).toString('utf8')));
  } catch (cause) {
    throw new HoldfastError('RecoveryPointDamaged', `${key} cannot be read as fingerprints`, { cause });
  }
}

/** A shard's tally, between the function that read the shard and the one that joins. Ours alone: not parsed field by field. */
export const putTally = (vault: Vault, key: string, tally: TallyDocument): Promise<void> =>
  vault.put(key, gzipSync(JSON.stringify(tally)));

export async function getTally(vault: Vault, key: string): Promise<TallyDocument> {
  return JSON.parse(gunzipSync(await vault.get(key)).toString('utf8')) as TallyDocument;
}
