import pMap from 'p-map';
import { TYPES } from '../../functions/core/kubernetes/well-known.ts';
import { connect, create } from '../support/world.ts';
import { benchObject, NAMESPACES, namespaceName } from './objects.ts';
import { CREATE_CONCURRENCY } from './world.ts';

// The ceiling: the same objects created in other namespaces as fast as the API server takes them. Prints one JSON line.
const [count = '1000'] = process.argv.slice(2);
const cluster = connect();
const away = (namespace: string | undefined) => namespace?.replace('bench', 'ceiling') ?? '';
for (let i = 0; i < NAMESPACES; i++) {
  const metadata = { name: away(namespaceName(i)) };
  await create(cluster, TYPES.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata });
}
const started = performance.now();
await pMap(
  Array.from({ length: Number(count) }, (_, i) => benchObject(i)),
  async ({ type, object }) => {
    object.metadata.namespace = away(object.metadata.namespace);
    await create(cluster, type, object);
  },
  { concurrency: CREATE_CONCURRENCY },
);
const wall = (performance.now() - started) / 1000;
console.log(JSON.stringify({ wall_s: wall, items_per_s: Number(count) / wall }));
await cluster.close();
