import { describe, expect, it } from 'vitest';
import { discover, discoverServed, servedNow } from '../../../functions/adapters/kubernetes/discovery.ts';
import { ServedCluster, status, typeOf } from '../../support/served-cluster.ts';

const WEB = typeOf('deployments.apps');
const [V2, V1] = ['v2', 'v1'].map((version) => typeOf('gates.example.com', { version })) as [
  typeof WEB,
  typeof WEB,
];

describe.each([true, false])('discovery (all groups in one document: %s)', (aggregated) => {
  const clusterOf = (...types: (typeof WEB)[]) => Object.assign(new ServedCluster(...types), { aggregated });

  it('finds every version of a type, the preferred one first', async () => {
    const { served, unreadable } = await discoverServed(clusterOf(WEB, V2, V1));
    expect(served.get('gates.example.com')?.map((t) => t.version)).toEqual(['v2', 'v1']);
    expect([...served.keys()].sort()).toEqual(['deployments.apps', 'gates.example.com', 'namespaces']);
    expect(unreadable).toEqual([]);
  });

  it('takes a type at the first version in which it can be listed, and says which cannot be created', async () => {
    const cluster = clusterOf(WEB, V2, V1);
    cluster.verbs.set('deployments.apps', ['get', 'list']);
    const { types, readOnly } = await discover(cluster);
    expect(types.map((t) => `${t.resource}/${t.version}`)).toEqual([
      'namespaces/v1',
      'deployments/v1',
      'gates/v2',
    ]);
    expect(readOnly).toEqual(['deployments.apps']);
  });

  it.each([
    ['/api/v1', 'refused'],
    ['/api/v1', status(503, 'starting')],
    ['/apis', 'refused'],
    ['/apis', status(500, 'etcd')],
    ['/apis', [200, '<html>']],
    ['/apis', [200, {}]],
    ['/api/v1', [200, '']],
  ] as const)('fails when %s answers %j: an outage is no answer', async (path, answer) => {
    const cluster = clusterOf(WEB);
    cluster.answer(path, answer);
    await expect(discoverServed(cluster)).rejects.toMatchObject({ retryable: true });
  });

  it('fails when the API server goes away on the way', async () => {
    const cluster = clusterOf(WEB, V1);
    cluster.stale.add('example.com');
    cluster.answer('/apis/example.com/v1', 'refused');
    cluster.answer(
      '/api/v1',
      (await cluster.call('GET', '/api/v1').then((r) => [200, r.body.toString()])) as [number, string],
      'refused',
    );
    await expect(discoverServed(cluster)).rejects.toMatchObject({ name: 'ClusterUnreachable' });
  });

  it.each([503, 403, 500])('names a group whose API answers %i, and finds the others', async (code) => {
    const cluster = clusterOf(WEB, V1);
    cluster.stale.add('example.com');
    cluster.answer('/apis/example.com/v1', status(code, 'no endpoints'));
    const { served, unreadable } = await discoverServed(cluster);
    expect(unreadable).toEqual([expect.stringMatching(/^example\.com\/v1 \(.*no endpoints/)]);
    expect(served.has('deployments.apps')).toBe(true);
  });

  it.each([[[200, 'not JSON']], [[200, { resources: [{ name: 7 }] }]], ['silent']] as const)(
    'names a group whose API answers %j',
    async (answer) => {
      const cluster = clusterOf(V1);
      cluster.stale.add('example.com');
      cluster.answer('/apis/example.com/v1', answer as never);
      expect((await discoverServed(cluster)).unreadable).toHaveLength(1);
    },
  );

  it('does not look at a group that nobody wants', async () => {
    const cluster = clusterOf(WEB, V1);
    cluster.stale.add('example.com');
    const { unreadable } = await discoverServed(cluster, (group) => group !== 'example.com');
    expect(unreadable).toEqual([]);
    expect(cluster.calls).not.toContain('GET /apis/example.com/v1');
  });
});

it('discovery of many groups costs two requests', async () => {
  const cluster = new ServedCluster(
    ...Array.from({ length: 50 }, (_, i) => typeOf(`things.g${i}.example.com`)),
  );
  await discover(cluster);
  expect(cluster.calls).toEqual(['GET /api/v1', 'GET /apis']);
});

describe('a look at one type', () => {
  it('finds the versions that are served now', async () => {
    const cluster = new ServedCluster(V2, V1);
    expect((await servedNow(cluster, V1)).map((t) => t.version)).toEqual(['v2', 'v1']);
    cluster.types = [V1];
    expect((await servedNow(cluster, V2)).map((t) => t.version)).toEqual(['v1']);
    cluster.types = [];
    expect(await servedNow(cluster, V2)).toEqual([]);
  });
});
