import * as z from 'zod/mini';
import { HoldfastError } from '../../contract/holdfast-error.ts';
import type { Vault } from '../../ports/vault.ts';

/** Serializes a JSON document for the vault. */
export const encode = (value: unknown) => Buffer.from(`${JSON.stringify(value, null, 2)}\n`);

/** Parses a document. Throws RecoveryPointDamaged, which names `key`, if it is not valid. */
export function decode<T>(
  schema: z.core.$ZodType<T>,
  key: string,
  body: Buffer,
  hint = 'Read the other copy',
): T {
  try {
    return z.parse(schema, JSON.parse(body.toString('utf8')));
  } catch (cause) {
    throw new HoldfastError('RecoveryPointDamaged', `${key} is not a valid document`, {
      cause,
      hint,
    });
  }
}

/** A JSON document of the vault, parsed; undefined if it does not exist. */
export async function findJson<T>(
  vault: Vault,
  schema: z.core.$ZodType<T>,
  key: string,
): Promise<T | undefined> {
  const found = await vault.find(key);
  return found && decode(schema, key, found.body);
}

/** A JSON document that must exist. */
export async function getJson<T>(vault: Vault, schema: z.core.$ZodType<T>, key: string): Promise<T> {
  return decode(schema, key, await vault.get(key));
}

export async function putJson(vault: Vault, key: string, value: unknown): Promise<Buffer> {
  const body = encode(value);
  await vault.put(key, body);
  return body;
}

/** Writes a document only if it does not exist. Returns false if it exists. */
export const createJson = (vault: Vault, key: string, value: unknown): Promise<boolean> =>
  vault.putIf(key, encode(value), undefined);
