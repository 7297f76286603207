import type { ExecRequest, ExecResult } from '../adapters/kubernetes/exec.ts';
import { findJson, putJson } from '../adapters/s3/documents.ts';
import { plainText } from '../core/kubernetes/plain-text.ts';
import type { VaultKeys } from '../core/vault/vault-keys.ts';
import { HookOutcome, type HookTime, type PodHooks } from '../core/volumes/hooks.ts';
import type { Vault } from '../ports/vault.ts';

/** Runs the hooks of a backup's pods by `exec`, each at least once, and stores their outcomes in the vault. */
export function hookRunner(
  exec: (request: ExecRequest) => Promise<ExecResult>,
  vault: Vault,
  keys: VaultKeys,
  backup: string,
) {
  const keyOf = ({ namespace, pod }: PodHooks, time: HookTime) =>
    keys.records.hook(backup, `${namespace}.${pod}.${time}`);

  async function run(of: PodHooks, time: HookTime): Promise<HookOutcome | undefined> {
    const hook = of[time];
    if (!hook) return undefined;
    const key = keyOf(of, time);
    const earlier = await findJson(vault, HookOutcome, key);
    if (earlier) return earlier;
    const started = performance.now();
    const { ok, output, message } = await exec({ namespace: of.namespace, pod: of.pod, ...hook });
    const outcome: HookOutcome = {
      pod: `${of.namespace}/${of.pod}`,
      hook: time,
      container: hook.container,
      ok,
      continued: hook.onError === 'Continue',
      seconds: Math.round(performance.now() - started) / 1000,
      output,
      ...(message && { message: plainText(message) }),
    };
    await putJson(vault, key, outcome);
    return outcome;
  }

  return {
    /** Runs the pre hooks of pods that use a volume; returns a message if one failed, so that the volume is not read. */
    async before(all: readonly PodHooks[], volume: string): Promise<string | undefined> {
      for (const of of all.filter((h) => h.volumes.includes(volume))) {
        const outcome = await run(of, 'pre');
        if (outcome && !outcome.ok && !outcome.continued)
          return `the pre hook of pod ${outcome.pod} failed: ${outcome.message}`;
      }
      return undefined;
    },
    /** Runs the post hooks of pods whose volumes have all ended, successfully or not. */
    async after(all: readonly PodHooks[], finished: ReadonlySet<string>): Promise<void> {
      for (const of of all) if (of.volumes.every((id) => finished.has(id))) await run(of, 'post');
    },
    /** After a failure: runs the post hooks of pods whose pre hook has run, and of pods without a pre hook. */
    async undo(all: readonly PodHooks[]): Promise<void> {
      for (const of of all) {
        const began = !of.pre || (await vault.exists(keyOf(of, 'pre')));
        if (began) await run(of, 'post');
      }
    },
  };
}

/** Outcomes of the hooks of a backup that have run. */
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
