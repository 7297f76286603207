import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exportShard, exportWhole, joinShards } from '../../functions/backup/export/export.ts';
import { planExport } from '../../functions/backup/export/plan.ts';
import type { Selection } from '../../functions/contract/settings.ts';
import type { ResourceResult, Work } from '../../functions/core/backup/record.ts';
import {
  collectionPath,
  type KubeObject,
  objectPath,
  type ResourceType,
} from '../../functions/core/kubernetes/resources.ts';
import { TYPES } from '../../functions/core/kubernetes/well-known.ts';
import { vaultKeys } from '../../functions/core/vault/vault-keys.ts';
import type { KubeClient } from '../../functions/ports/kubernetes.ts';
import type { Vault } from '../../functions/ports/vault.ts';
import { selectionOf } from '../support/selection.ts';
import { connect, create, freeForm, makeVault, untilServed } from '../support/world.ts';
import { entriesOf } from './entries.ts';

const keys = vaultKeys('world');
const CONFIG_MAPS: ResourceType = { ...TYPES.secrets, resource: 'configmaps', kind: 'ConfigMap' };
const GAUGES: ResourceType = { ...TYPES.secrets, group: 'export.test', resource: 'gauges', kind: 'Gauge' };
let cluster: KubeClient;
let vault: Vault;
let count = 0;

function workOf(namespaces: string[], over: Partial<Selection> = {}): Work {
  const backup = `world-20260101${String(count++).padStart(6, '0')}`;
  const chosen = selectionOf(namespaces, over);
  const nothing = { volumes: [], excluded: [], unprotected: [], problems: [] };
  return { plan: 'world', backup, startedAt: '', namespaces, wide: false, selection: chosen, ...nothing };
}

/** Exports, and reads the archive back: path -> the bytes of each object. */
async function exportOf(work: Work): Promise<{ result: ResourceResult; entries: Map<string, string> }> {
  const plan = await planExport(cluster, work, 1_000_000);
  const result = await exportWhole({ cluster, vault, keys }, work, plan, performance.now());
  return { result, entries: await entriesOf(await vault.stream(keys.velero.archive(work.backup))) };
}

const configMap = (namespace: string, name: string, over: object = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace, ...over },
  data: { of: name },
});

const make = (type: ResourceType, object: KubeObject) => create(cluster, type, object);

beforeAll(async () => {
  cluster = connect();
  vault = await makeVault('export-tests');
  for (const name of ['export-a', 'export-b'])
    await make(TYPES.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  await make(TYPES.customResourceDefinitions, freeForm(GAUGES));
  await untilServed(cluster, GAUGES);
});
afterAll(() => cluster.close());

describe('an export', () => {
  it('shows one instant in 100 runs beside a writer that bumps three types together', async () => {
    const metadata = { name: 'counter', namespace: 'export-b' };
    const types: [ResourceType, (n: number) => object, (o: KubeObject) => unknown][] = [
      [CONFIG_MAPS, (n) => ({ data: { n: String(n) } }), (o) => (o.data as { n: string }).n],
      [TYPES.secrets, (n) => ({ stringData: { n: String(n) } }), (o) => atob((o.data as { n: string }).n)],
      [GAUGES, (n) => ({ spec: { n: String(n) } }), (o) => o.spec?.n],
    ];
    for (const [type, body] of types) {
      const apiVersion = type.group ? `${type.group}/v1` : 'v1';
      await make(type, { apiVersion, kind: type.kind, metadata, ...body(0) });
    }
    let writing = true;
    let written = 0;
    const writer = (async () => {
      while (writing) {
        written++;
        // One after the other: at any instant the first may be one ahead of the last, never more, never behind.
        for (const [type, body] of types)
          await cluster.call('PATCH', objectPath(type, 'counter', 'export-b'), {
            body: body(written),
            contentType: 'application/merge-patch+json',
          });
      }
    })();
    const torn: string[] = [];
    const resources = ['configmaps', 'secrets', 'gauges.export.test'];
    for (let run = 0; run < 100; run++) {
      const { entries, result } = await exportOf(workOf(['export-b'], { includedResources: resources }));
      const seen = types.map(([type, , read]) => {
        const name = type.group ? `${type.resource}.${type.group}` : type.resource;
        const raw = entries.get(`resources/${name}/namespaces/export-b/counter.json`);
        return Number(read(JSON.parse(raw as string) as KubeObject));
      }) as [number, number, number];
      const [first, second, third] = seen;
      const ordered = first >= second && second >= third && first - third <= 1;
      if (!ordered || result.consistency !== 'exact') torn.push(`run ${run}: ${seen} ${result.consistency}`);
    }
    writing = false;
    await writer;
    expect(torn).toEqual([]);
    expect(written).toBeGreaterThan(100);
  });

  it('keeps the bytes that the API server sent: integers beyond 2^53 and fields nobody knows', async () => {
    const body =
      '{"apiVersion":"export.test/v1","kind":"Gauge","metadata":{"name":"big"},"spec":{"n":9007199254740993,"x":{"y":[]}}}';
    await cluster.call('POST', collectionPath(GAUGES, 'export-a'), { body, accept: [409] });
    const { entries } = await exportOf(workOf(['export-a']));
    const live = await cluster.call('GET', objectPath(GAUGES, 'big', 'export-a'));
    const archived = entries.get(
      'resources/gauges.export.test/v1-preferredversion/namespaces/export-a/big.json',
    );
    expect(archived).toContain('"n":9007199254740993');
    expect(archived).toBe(live.body.toString('utf8').trim());
  });

  it('leaves out what is labelled so, and takes names of 253 characters', async () => {
    const long = 'l'.repeat(253);
    await make(CONFIG_MAPS, configMap('export-a', long));
    await make(
      CONFIG_MAPS,
      configMap('export-a', 'not-me', { labels: { 'velero.io/exclude-from-backup': 'true' } }),
    );
    const { entries } = await exportOf(workOf(['export-a']));
    const names = [...entries.keys()].filter((k) => k.startsWith('resources/configmaps/namespaces/'));
    expect(names).toContain(`resources/configmaps/namespaces/export-a/${long}.json`);
    expect(names.join()).not.toContain('not-me');
  });

  it('takes the types and labels that were asked for, each object once, and the Namespace always', async () => {
    await make(CONFIG_MAPS, configMap('export-a', 'red', { labels: { color: 'red', size: 'xl' } }));
    await make(CONFIG_MAPS, configMap('export-a', 'blue', { labels: { color: 'blue' } }));
    const { entries, result } = await exportOf(
      workOf(['export-a'], {
        includedResources: ['configmaps', 'namespaces'],
        orLabelSelectors: ['color=red', 'size in (xl)'],
      }),
    );
    const objects = [...entries.keys()].filter((k) => k.includes('preferredversion')).sort();
    expect(objects).toEqual([
      'resources/configmaps/v1-preferredversion/namespaces/export-a/red.json',
      'resources/namespaces/v1-preferredversion/cluster/export-a.json',
    ]);
    expect(result.items).toBe(2);
  });

  it('brings the definition of a custom resource, and the roles bound to its service accounts', async () => {
    const rbac = 'rbac.authorization.k8s.io';
    const type = (resource: string, kind: string): ResourceType => ({
      group: rbac,
      version: 'v1',
      resource,
      kind,
      namespaced: false,
    });
    const metadata = { name: 'export-reader' };
    await make(type('clusterroles', 'ClusterRole'), {
      apiVersion: `${rbac}/v1`,
      kind: 'ClusterRole',
      metadata,
      rules: [],
    });
    await make(type('clusterrolebindings', 'ClusterRoleBinding'), {
      apiVersion: `${rbac}/v1`,
      kind: 'ClusterRoleBinding',
      metadata,
      roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: 'export-reader' },
      subjects: [{ kind: 'ServiceAccount', name: 'default', namespace: 'export-a' }],
    });
    const { entries } = await exportOf(workOf(['export-a']));
    const cluster = [...entries.keys()]
      .filter((k) => /preferredversion\/cluster/.test(k))
      .map((k) => k.split('/').at(-1));
    expect(cluster.sort()).toEqual([
      'export-a.json',
      'export-reader.json',
      'export-reader.json',
      'gauges.export.test.json',
    ]);
  });

  it('names an aggregated API that is down, and brings everything else', async () => {
    const services: ResourceType = {
      group: 'apiregistration.k8s.io',
      version: 'v1',
      resource: 'apiservices',
      kind: 'APIService',
      namespaced: false,
    };
    const name = 'v1.down.export.test';
    const service = { name: 'nobody', namespace: 'default' };
    await make(services, {
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name },
      spec: {
        group: 'down.export.test',
        version: 'v1',
        service,
        groupPriorityMinimum: 1,
        versionPriority: 1,
        insecureSkipTLSVerify: true,
      },
    });
    try {
      while (!(await cluster.call('GET', '/apis')).body.includes('down.export.test'))
        await new Promise((resolve) => setTimeout(resolve, 200));
      const { result, entries } = await exportOf(workOf(['export-a']));
      expect(result.unreadable).toEqual([expect.stringMatching(/^down\.export\.test\/v1 \(.*503/)]);
      expect(entries.has('resources/configmaps/namespaces/export-a/red.json')).toBe(true);
    } finally {
      await cluster.call('DELETE', objectPath(services, name));
    }
  });

  it('made in shards is one archive with the same objects', async () => {
    const whole = await exportOf(workOf(['export-a', 'export-b']));
    const work = workOf(['export-a', 'export-b']);
    const ports = { cluster, vault, keys };
    const plan = await planExport(cluster, work, 5);
    expect(plan.shards.length).toBeGreaterThan(2);
    for (const shard of plan.shards.keys()) await exportShard(ports, work, plan, shard);
    const result = await joinShards(ports, work, plan, performance.now());
    const entries = await entriesOf(await vault.stream(keys.velero.archive(work.backup)));
    expect([...entries.keys()].sort()).toEqual([...whole.entries.keys()].sort());
    expect(result).toMatchObject({
      items: whole.result.items,
      types: whole.result.types,
      consistency: 'exact',
    });
  });

  it('takes a hundred Secrets of nearly a mebibyte', async () => {
    const data = { blob: randomBytes(700_000).toString('base64') };
    const name = (i: number) => `large-${i}`;
    for (let i = 0; i < 100; i++)
      await make(TYPES.secrets, {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: name(i), namespace: 'export-a' },
        data,
      });
    const { result, entries } = await exportOf(workOf(['export-a'], { includedResources: ['secrets'] }));
    // With their Namespace.
    expect(result.items).toBe(101);
    expect(entries.size).toBe(203);
    await cluster.call('DELETE', collectionPath(TYPES.secrets, 'export-a'));
  });
});
