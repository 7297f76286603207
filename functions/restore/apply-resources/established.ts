import { type KubeObject, objectPath } from '../../core/kubernetes/resources.ts';
import { TYPES } from '../../core/kubernetes/well-known.ts';
import type { KubeClient } from '../../ports/kubernetes.ts';

const TRIES = 100;
const WAIT_MS = 200;

interface Condition {
  type?: string;
  status?: string;
  message?: string;
}

/** Why a definition is not established: the message of the condition that says so; undefined if it is. */
export function whyNotEstablished(definition: KubeObject): string | undefined {
  const all = definition.status?.conditions;
  const conditions = Array.isArray(all) ? (all as Condition[]) : [];
  if (conditions.some((c) => c.type === 'Established' && c.status === 'True')) return undefined;
  const refusal = conditions.find((c) => c.status === 'False' && c.type === 'NamesAccepted');
  return refusal?.message ?? 'the API server has not established it';
}

/**
 * Waits until the API server serves these definitions, 20 s for all together. Returns why those that are not established are
 * not, by name. A definition that does not exist is not waited for: its creation failed.
 */
export async function waitEstablished(
  cluster: KubeClient,
  names: readonly string[],
  sleep: (ms: number) => Promise<void>,
): Promise<ReadonlyMap<string, string>> {
  let open = new Map(names.map((name) => [name, '']));
  for (let attempt = 1; ; attempt++) {
    const left = new Map<string, string>();
    for (const name of open.keys()) {
      const { status, body } = await cluster.call('GET', objectPath(TYPES.customResourceDefinitions, name), {
        accept: [404],
      });
      const why =
        status === 404 ? undefined : whyNotEstablished(JSON.parse(body.toString('utf8')) as KubeObject);
      if (why !== undefined) left.set(name, why);
    }
    if (left.size === 0 || attempt === TRIES) return left;
    open = left;
    await sleep(WAIT_MS);
  }
}
