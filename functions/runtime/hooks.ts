import { exec } from '../adapters/kubernetes/exec.ts';
import { findJson, putJson } from '../adapters/s3/documents.ts';
import { HookOutcome, type HookTime, type PodHooks } from '../core/hooks.ts';
import type { VaultKeys } from '../core/vault-keys.ts';
import type { KubeClient } from '../ports/kubernetes.ts';
import type { Vault } from '../ports/vault.ts';

/** Runs the hooks of a backup's pods, each at least once, and remembers in the vault how they ended. */
export function hookRunner(cluster: KubeClient, vault: Vault, keys: VaultKeys, backup: string) {
  const keyOf = ({ namespace, pod }: PodHooks, time: HookTime) =>
    keys.records.hook(backup, `${namespace}.${pod}.${time}`);

  async function run(of: PodHooks, time: HookTime): Promise<HookOutcome | undefined> {
    const hook = of[time];
    if (!hook) return undefined;
    const key = keyOf(of, time);
    const earlier = await findJson(vault, HookOutcome, key);
    if (earlier) return earlier;
    const started = performance.now();
    const { ok, output, message } = await exec(cluster, { namespace: of.namespace, pod: of.pod, ...hook });
    const outcome: HookOutcome = {
      pod: `${of.namespace}/${of.pod}`,
      hook: time,
      container: hook.container,
      ok,
      continued: hook.onError === 'Continue',
      seconds: Math.round(performance.now() - started) / 1000,
      output,
      ...(message && { message }),
    };
    await putJson(vault, key, outcome);
    return outcome;
  }

  return {
    /** Runs the pre hook of whoever holds a volume; why the volume must not be read when it failed. */
    async before(all: readonly PodHooks[], volume: string): Promise<string | undefined> {
      for (const of of all.filter((h) => h.volumes.includes(volume))) {
        const outcome = await run(of, 'pre');
        if (outcome && !outcome.ok && !outcome.continued)
          return `the pre hook of pod ${outcome.pod} failed: ${outcome.message}`;
      }
      return undefined;
    },
    /** Runs the post hooks of pods all of whose volumes have ended, well or badly. */
    async after(all: readonly PodHooks[], finished: ReadonlySet<string>): Promise<void> {
      for (const of of all) if (of.volumes.every((id) => finished.has(id))) await run(of, 'post');
    },
    /** After a failure: runs the post hooks of pods whose pre hook has run, or who have none. */
    async undo(all: readonly PodHooks[]): Promise<void> {
      for (const of of all) {
        const began = !of.pre || (await vault.exists(keyOf(of, 'pre')));
        if (began) await run(of, 'post');
      }
    },
  };
}

/** How the hooks of a backup ended, those that have run. */
export async function outcomesOf(
  vault: Vault,
  keys: VaultKeys,
  backup: string,
  all: readonly PodHooks[],
): Promise<HookOutcome[]> {
  const found = await Promise.all(
    all.flatMap(({ namespace, pod }) =>
      (['pre', 'post'] as const).map((time) =>
        findJson(vault, HookOutcome, keys.records.hook(backup, `${namespace}.${pod}.${time}`)),
      ),
    ),
  );
  return found.filter((o) => o !== undefined);
}
