import * as z from 'zod/mini';
import { plainText } from '../kubernetes/plain-text.ts';
import type { KubeObject } from '../kubernetes/resources.ts';

/** When a hook runs: before the first of its pod's volumes is read, and after the last. */
export const HookTime = z.enum(['pre', 'post']);
export type HookTime = z.infer<typeof HookTime>;

/** A command in a container of a pod, from Velero's annotations `pre.hook.backup.velero.io/*` and `post.hook...`. */
export const Hook = z.object({
  container: z.string(),
  command: z.array(z.string()),
  /** `Fail`: a failure of the hook is a failure of the backup. */
  onError: z.enum(['Fail', 'Continue']),
  timeoutSeconds: z.number(),
});
export type Hook = z.infer<typeof Hook>;

/** The hooks of a pod, and the volumes of the backup that it mounts. */
export const PodHooks = z.object({
  namespace: z.string(),
  pod: z.string(),
  volumes: z.array(z.string()),
  pre: z.optional(Hook),
  post: z.optional(Hook),
});
export type PodHooks = z.infer<typeof PodHooks>;

/** Result of a hook. */
export const HookOutcome = z.object({
  pod: z.string(),
  hook: HookTime,
  container: z.string(),
  ok: z.boolean(),
  /** It failed with onError Continue. */
  continued: z.boolean(),
  seconds: z.number(),
  /** The end of its stdout and stderr. */
  output: z.string(),
  message: z.optional(z.string()),
});
export type HookOutcome = z.infer<typeof HookOutcome>;

const DEFAULT_TIMEOUT_SECONDS = 30; // Velero's
/** The timeout of a function is fifteen minutes, and it has other work. */
const LONGEST_SECONDS = 300;
const UNITS: Readonly<Record<string, number>> = { h: 3600, m: 60, s: 1, ms: 1e-3 };

/** A Go duration like `1m30s` in seconds; undefined if the text is not a duration. */
export function durationSeconds(text: string): number | undefined {
  if (!/^(\d+(\.\d+)?(h|ms|m|s))+$/.test(text)) return undefined;
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s)/g)];
  return parts.reduce((sum, [, number, unit]) => sum + Number(number) * (UNITS[unit as string] as number), 0);
}

function hookOf(pod: KubeObject, time: HookTime, problems: string[]): Hook | undefined {
  const annotation = (name: string) => pod.metadata.annotations?.[`${time}.hook.backup.velero.io/${name}`];
  const text = annotation('command');
  if (!text) return undefined;
  const wrong = (what: string) =>
    problems.push(`pod ${pod.metadata.namespace}/${pod.metadata.name}: its ${time} hook has ${what}`);
  const command = commandOf(text);
  if (!command) {
    wrong(`a command that is not a JSON list of strings: ${plainText(text)}`);
    return undefined;
  }
  const containers = (pod.spec?.containers ?? []) as { name: string }[];
  const container = annotation('container') ?? containers[0]?.name ?? '';
  if (!containers.some((c) => c.name === container))
    wrong(`the container "${plainText(container)}", which the pod does not have`);
  const timeout = annotation('timeout');
  const seconds = timeout === undefined ? DEFAULT_TIMEOUT_SECONDS : durationSeconds(timeout);
  if (seconds === undefined) wrong(`the timeout "${plainText(timeout)}"; write one like 30s`);
  else if (seconds > LONGEST_SECONDS)
    wrong(`a timeout of ${plainText(timeout)}; the maximum is five minutes`);
  return {
    container,
    command,
    onError: annotation('on-error') === 'Continue' ? 'Continue' : 'Fail',
    timeoutSeconds: Math.min(seconds ?? DEFAULT_TIMEOUT_SECONDS, LONGEST_SECONDS),
  };
}

/** Parses a command as Velero does: a JSON list if it begins with `[`, otherwise a single program. Undefined if invalid. */
export function commandOf(text: string): string[] | undefined {
  if (!text.startsWith('[')) return [text];
  try {
    const parsed = z.safeParse(z.array(z.string()).check(z.minLength(1)), JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

/** A volume of a backup, and the pod that mounts it. */
export interface HeldVolume {
  readonly id: string;
  readonly namespace: string;
  readonly pod?: string | undefined;
}

/** Hooks of the pods that mount volumes of a backup. An invalid hook is a problem. */
export function hooksOf(
  pods: readonly KubeObject[],
  volumes: readonly HeldVolume[],
): { readonly hooks: PodHooks[]; readonly problems: string[] } {
  const problems: string[] = [];
  const hooks = pods.flatMap((pod): PodHooks[] => {
    const { name, namespace = '' } = pod.metadata;
    const held = volumes.filter((v) => v.namespace === namespace && v.pod === name).map((v) => v.id);
    if (held.length === 0) return [];
    const [pre, post] = [hookOf(pod, 'pre', problems), hookOf(pod, 'post', problems)];
    if (!pre && !post) return [];
    return [{ namespace, pod: name, volumes: held, ...(pre && { pre }), ...(post && { post }) }];
  });
  return { hooks, problems };
}

/** Reasons for failed post hooks. A failed pre hook is the reason of its volumes, which were not backed up. */
export const failedHooks = (outcomes: readonly HookOutcome[]): string[] =>
  outcomes
    .filter((o) => !o.ok && !o.continued && o.hook === 'post')
    .map((o) => `the post hook of pod ${o.pod} failed: ${o.message}`);
