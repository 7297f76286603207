import * as z from 'zod/mini';
import { createJson, findJson, getJson } from '../../adapters/s3/documents.ts';
import type { Vault } from '../../ports/vault.ts';

/** written.json of a restore: what the first verification saw. Later ones agree with it. */
const Written = z.object({
  /** When all objects were written. Waiting counts from then. RFC 3339. */
  at: z.string(),
  /** Keys of items that the restore left unchanged, and that were not ready in the recovery point either. */
  notReadyBefore: z.array(z.string()),
});
export type Written = z.infer<typeof Written>;

/** The document as the first call wrote it. `first` says what to write if there is none. */
export async function noteWritten(
  vault: Vault,
  key: string,
  first: () => Promise<Written>,
): Promise<Written> {
  const found = await findJson(vault, Written, key);
  if (found) return found;
  const written = await first();
  return (await createJson(vault, key, written)) ? written : getJson(vault, Written, key);
}
