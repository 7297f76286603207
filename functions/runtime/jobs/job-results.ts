import type * as z from 'zod/mini';
import { decode, putJson } from '../../adapters/s3/documents.ts';
import type { Vault } from '../../ports/vault.ts';

/** Results of Jobs: one small document per item, all below `dir`. */
export interface ResultDocuments<O> {
  readonly vault: Vault;
  /** Ends with a slash. */
  readonly dir: string;
  keyOf(id: string): string;
  readonly schema: z.core.$ZodType<O>;
  failed(outcome: O): boolean;
}

/** Reads and writes results of Jobs. */
export interface JobResults<O> {
  /** Ids of items that have a result. */
  finished(): Promise<Set<string>>;
  write(id: string, outcome: O): Promise<void>;
  /** Number of results that are failures. */
  failures(): Promise<number>;
}

/**
 * The results of a run. `failures` throws RecoveryPointDamaged when a document is invalid, with its key.
 */
export function jobResults<O>({ vault, dir, keyOf, schema, failed }: ResultDocuments<O>): JobResults<O> {
  const keys = async () => {
    const all: string[] = [];
    for await (const { key } of vault.list(dir)) all.push(key);
    return all;
  };
  const hasFailed = async (key: string) =>
    failed(decode(schema, key, await vault.get(key), 'Remove it: its Job then runs again'));
  return {
    finished: async () => new Set((await keys()).map((key) => key.slice(dir.length, -'.json'.length))),
    write: async (id, outcome) => void (await putJson(vault, keyOf(id), outcome)),
    failures: async () => (await Promise.all((await keys()).map(hasFailed))).filter(Boolean).length,
  };
}
