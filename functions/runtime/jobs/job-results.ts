import type * as z from 'zod/mini';
import { decode, putJson } from '../../adapters/s3/documents.ts';
import type { Vault } from '../../ports/vault.ts';

/** Results of Jobs: one small document for each piece of work, all below `dir`. */
export interface ResultDocuments<O> {
  readonly vault: Vault;
  /** Ends with a slash. */
  readonly dir: string;
  keyOf(id: string): string;
  readonly schema: z.core.$ZodType<O>;
  failed(outcome: O): boolean;
}

/** Reads and writes them. */
export interface JobResults<O> {
  /** Ids of the work that has a result. */
  finished(): Promise<Set<string>>;
  write(id: string, outcome: O): Promise<void>;
  /** How many results are failures. */
  failures(): Promise<number>;
}

/** What of these documents cannot be read as it should be is RecoveryPointDamaged, and named. */
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
