import { gunzipSync, gzipSync } from 'node:zlib';
import * as z from 'zod/mini';
import { HoldfastError } from '../../contract/holdfast-error.ts';
import type { TypeDigest } from '../../core/backup/changes.ts';
import type { Vault } from '../../ports/vault.ts';
import type { TallyDocument } from './tally.ts';

const Digests = z.array(
  z.object({ type: z.string(), items: z.int(), digest: z.string(), fingerprints: z.string() }),
);

/** Writes the fingerprints of an export, which the next export is compared with. One gzip member per type. */
export async function putFingerprints(
  vault: Vault,
  key: string,
  digests: readonly TypeDigest[],
): Promise<void> {
  const members = digests.map((digest, i) => gzipSync(`${i === 0 ? '' : ','}${JSON.stringify(digest)}`));
  await vault.put(key, Buffer.concat([gzipSync('['), ...members, gzipSync(']')]));
}

/**
 * Fingerprints of an earlier export; undefined if it has none.
 *
 * @throws HoldfastError RecoveryPointDamaged when the document cannot be parsed.
 */
export async function findFingerprints(vault: Vault, key: string): Promise<TypeDigest[] | undefined> {
  const found = await vault.find(key);
  if (!found) return undefined;
  try {
    return z.parse(Digests, JSON.parse(gunzipSync(found.body).toString('utf8')));
  } catch (cause) {
    throw new HoldfastError('RecoveryPointDamaged', `${key} is not a valid fingerprints document`, { cause });
  }
}

/** Writes the tally of a shard for the function that joins the shards. */
export const putTally = (vault: Vault, key: string, tally: TallyDocument): Promise<void> =>
  vault.put(key, gzipSync(JSON.stringify(tally)));

/** Reads the tally of a shard. Only Holdfast writes it, so it is not validated. */
export async function getTally(vault: Vault, key: string): Promise<TallyDocument> {
  return JSON.parse(gunzipSync(await vault.get(key)).toString('utf8')) as TallyDocument;
}
