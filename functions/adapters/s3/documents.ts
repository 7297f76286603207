import * as z from 'zod/mini';
import { HoldfastError } from '../../core/errors.ts';
import { Lease, leaseFor, mayTake } from '../../core/lease.ts';
import type { Vault } from '../../ports/vault.ts';

/** A JSON document as the vault has it. */
export const encode = (value: unknown) => Buffer.from(`${JSON.stringify(value, null, 2)}\n`);

/** Parses one; what cannot be read as it should is damaged. */
export function decode<T>(schema: z.core.$ZodType<T>, key: string, body: Buffer): T {
  try {
    return z.parse(schema, JSON.parse(body.toString('utf8')));
  } catch (cause) {
    throw new HoldfastError('RecoveryPointDamaged', `${key} cannot be read as what it should be`, {
      cause,
      hint: 'Read the other copy',
    });
  }
}

/** A JSON document of the vault, parsed; undefined when it is not there. */
export async function findJson<T>(
  vault: Vault,
  schema: z.core.$ZodType<T>,
  key: string,
): Promise<T | undefined> {
  const found = await vault.find(key);
  return found && decode(schema, key, found.body);
}

/** A JSON document that must be there. */
export async function getJson<T>(vault: Vault, schema: z.core.$ZodType<T>, key: string): Promise<T> {
  return decode(schema, key, await vault.get(key));
}

export async function putJson(vault: Vault, key: string, value: unknown): Promise<Buffer> {
  const body = encode(value);
  await vault.put(key, body);
  return body;
}

/** Writes a document only if none is there yet; false when there is one. */
export const createJson = (vault: Vault, key: string, value: unknown): Promise<boolean> =>
  vault.putIf(key, encode(value), undefined);

/** Takes or renews a lease; the holder who has it instead when it is not free. `isGone`: whether a holder has ended without giving it back. */
export async function takeLease(
  vault: Vault,
  key: string,
  holder: string,
  now: Date,
  seconds: number,
  isGone: (holder: string) => Promise<boolean>,
): Promise<string | undefined> {
  const found = await vault.find(key);
  const current = found && decode(Lease, key, found.body);
  if (current && !mayTake(current, holder, now) && !(await isGone(current.holder))) return current.holder;
  if (await vault.putIf(key, encode(leaseFor(holder, now, seconds)), found?.etag)) return undefined;
  return (await findJson(vault, Lease, key))?.holder ?? 'another';
}

/** Gives a lease back if it is still the holder's, or one's of whom the holder is a part: `<holder>/<execution>`. */
export async function releaseLease(vault: Vault, key: string, holder: string): Promise<void> {
  const current = (await findJson(vault, Lease, key))?.holder;
  if (current === holder || current?.startsWith(`${holder}/`)) await vault.remove([key]);
}

/** Who holds an unexpired lease and is at work. */
export async function leaseHolder(
  vault: Vault,
  key: string,
  now: Date,
  isGone: (holder: string) => Promise<boolean>,
): Promise<string | undefined> {
  const current = await findJson(vault, Lease, key);
  if (!current || Date.parse(current.expiresAt) <= now.getTime()) return undefined;
  return (await isGone(current.holder)) ? undefined : current.holder;
}
