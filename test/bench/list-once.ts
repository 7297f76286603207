import { discover } from '../../functions/adapters/kubernetes/discovery.ts';
import { collectionPath } from '../../functions/core/kubernetes/resources.ts';
import { connect } from '../support/world.ts';

// The floor: every type listed in pages of 500, one after the other, the bytes thrown away. Prints one JSON line.
const PAGE = '500';
const cluster = connect();
const started = performance.now();
let bytes = 0;
const { types } = await discover(cluster);
for (const type of types) {
  let token = '';
  do {
    const query = { limit: PAGE, ...(token && { continue: token }) };
    const { status, body } = await cluster.call('GET', collectionPath(type), { query, accept: [404, 405] });
    if (status >= 400) break;
    bytes += body.length;
    token = /"continue":"([^"]+)"/.exec(body.toString('latin1', 0, 2000))?.[1] ?? '';
  } while (token);
}
console.log(JSON.stringify({ wall_s: (performance.now() - started) / 1000, bytes }));
await cluster.close();
