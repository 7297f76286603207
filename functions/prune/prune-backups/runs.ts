import * as z from 'zod/mini';
import { createJson, findJson } from '../../adapters/s3/documents.ts';
import { COPIES, type CopyName, type PerCopy } from '../../contract/copies.ts';
import { type CopyPlan, type Forget, PrunePlan, removedFrom } from '../../core/retention/prune.ts';
import type { VaultKeys } from '../../core/vault/vault-keys.ts';
import type { Vault } from '../../ports/vault.ts';

/** Work of an interrupted run in one copy: backups whose record it removed, and their snapshots. */
interface Begun {
  readonly backups: readonly string[];
  readonly forget: readonly Forget[];
}

/** An earlier run that was interrupted. */
export interface OpenRun extends PerCopy<Begun> {
  readonly prune: string;
}

const NOTHING: Begun = { backups: [], forget: [] };

/** A plan of any release. Plans of the first release have no version and no end marker: they are not resumed. */
const AnyPlan = z.object({ version: z.optional(z.number()) });

/** Marks a run as done. `by`: the run that finished it. */
export const finishRun = (vault: Vault, keys: VaultKeys, prune: string, by = prune): Promise<boolean> =>
  createJson(vault, keys.records.prune.done(prune), { prune, by });

/**
 * Interrupted runs: those with a prune plan that are not done. Backups whose removal they began are to be finished. The
 * others are decided anew, because the policy may have changed since.
 */
export async function openRuns(copies: PerCopy<Vault>, keys: VaultKeys): Promise<OpenRun[]> {
  const vault = copies.primary;
  const root = keys.records.prune.root;
  const found = new Set<string>();
  for await (const o of vault.list(root)) found.add(o.key);
  const runs = [...new Set([...found].map((key) => key.slice(root.length).split('/')[0] as string))];
  const open: OpenRun[] = [];
  for (const prune of runs) {
    const key = keys.records.prune.plan(prune);
    if (!found.has(key) || found.has(keys.records.prune.done(prune))) continue;
    const version = (await findJson(vault, AnyPlan, key))?.version;
    const plan = version === 2 || version === 3 ? await findJson(vault, PrunePlan, key) : undefined;
    const begun = plan ? await begunOf(copies, keys, plan) : { primary: NOTHING, replica: NOTHING };
    open.push({ prune, ...begun });
  }
  return open;
}

async function begunOf(
  copies: PerCopy<Vault>,
  keys: VaultKeys,
  plan: PrunePlan,
): Promise<Record<CopyName, Begun>> {
  const [primary, replica] = await Promise.all(
    COPIES.map(async (copy) => {
      const part: CopyPlan = plan[copy];
      const gone = await Promise.all(
        removedFrom(part).map(async (b) => ((await copies[copy].exists(keys.records.record(b))) ? [] : [b])),
      );
      const backups = gone.flat();
      return { backups, forget: part.forget.filter((f) => backups.includes(f.backup)) };
    }),
  );
  return { primary: primary as Begun, replica: replica as Begun };
}
