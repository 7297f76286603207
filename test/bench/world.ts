import pMap from 'p-map';
import { TYPES } from '../../functions/core/well-known.ts';
import type { KubeClient } from '../../functions/ports/kubernetes.ts';
import { create, freeForm, untilServed } from '../support/world.ts';
import { benchObject, NAMESPACES, namespaceName, WIDGETS } from './objects.ts';

export const BUCKET = 'bench';

/** Requests at once while objects are created: more do not make the API server faster on two cores. */
export const CREATE_CONCURRENCY = 32;

/** Makes the benchmark's namespaces, its definition, and objects from one index up to another. */
export async function fill(
  cluster: KubeClient,
  from: number,
  to: number,
  say: (done: number) => void,
): Promise<void> {
  for (let i = 0; i < NAMESPACES; i++) {
    const object = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespaceName(i) } };
    await create(cluster, TYPES.namespaces, object);
  }
  await create(cluster, TYPES.customResourceDefinitions, freeForm(WIDGETS));
  await untilServed(cluster, WIDGETS);
  let done = 0;
  const indexes = Array.from({ length: to - from }, (_, i) => from + i);
  await pMap(
    indexes,
    async (index) => {
      const { type, object } = benchObject(index);
      await create(cluster, type, object);
      if (++done % 5000 === 0) say(done);
    },
    { concurrency: CREATE_CONCURRENCY },
  );
}
