import { HoldfastError } from '../../contract/holdfast-error.ts';
import { type KubeObject, objectPath } from '../../core/kubernetes/resources.ts';
import { TYPES } from '../../core/kubernetes/well-known.ts';
import type { KubeClient } from '../../ports/kubernetes.ts';

const TRIES = 100;
const WAIT_MS = 200;

function isEstablished(definition: KubeObject): boolean {
  const conditions = (definition.status?.conditions ?? []) as { type: string; status: string }[];
  return conditions.some((c) => c.type === 'Established' && c.status === 'True');
}

/**
 * Waits until the API server serves these definitions: up to 20 s each.
 *
 * @throws HoldfastError ClusterBusy when a definition is not established by then.
 */
export async function waitEstablished(
  cluster: KubeClient,
  names: readonly string[],
  sleep: (ms: number) => Promise<void>,
): Promise<void> {
  for (const name of names) {
    for (let attempt = 1; ; attempt++) {
      const { status, body } = await cluster.call('GET', objectPath(TYPES.customResourceDefinitions, name), {
        accept: [404],
      });
      if (status === 404) break; // its creation failed and is in the report
      if (isEstablished(JSON.parse(body.toString('utf8')) as KubeObject)) break;
      if (attempt === TRIES)
        throw new HoldfastError('ClusterBusy', `customresourcedefinition ${name} is not established`);
      await sleep(WAIT_MS);
    }
  }
}
