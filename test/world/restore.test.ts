import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readArchive } from '../../functions/adapters/archive/reader.ts';
import { archiveWriter } from '../../functions/adapters/archive/writer.ts';
import type { RestoreOptions } from '../../functions/contract/restore-options.ts';
import {
  collectionPath,
  type KubeObject,
  objectPath,
  type ResourceType,
} from '../../functions/core/kubernetes/resources.ts';
import { TYPES } from '../../functions/core/kubernetes/well-known.ts';
import { scopeOf } from '../../functions/core/restore/restore-options.ts';
import { itemKey } from '../../functions/core/restore/restore-plan.ts';
import type { KubeClient } from '../../functions/ports/kubernetes.ts';
import { applyItems } from '../../functions/restore/apply-resources/apply.ts';
import { planArchive } from '../../functions/restore/plan-restore/plan.ts';
import { inspect } from '../../functions/restore/verify-restore/inspect.ts';
import { connect, freeForm } from '../support/world.ts';

const typed = (group: string, resource: string, kind: string, namespaced = true): ResourceType => ({
  group,
  version: 'v1',
  resource,
  kind,
  namespaced,
});
const CONFIG_MAPS = typed('', 'configmaps', 'ConfigMap');
const SERVICES = typed('', 'services', 'Service');
const DEPLOYMENTS = typed('apps', 'deployments', 'Deployment');
const BINDINGS = typed('rbac.authorization.k8s.io', 'rolebindings', 'RoleBinding');
const GAUGES = typed('restore.test', 'gauges', 'Gauge');
let cluster: KubeClient;
let count = 0;

type Thing = readonly [ResourceType, string];

const definition: Thing = [
  TYPES.customResourceDefinitions,
  JSON.stringify(freeForm(GAUGES, { subresources: { status: {} } })),
];
const object = (type: ResourceType, name: string, body: object = {}, metadata: object = {}): Thing => [
  type,
  JSON.stringify({
    apiVersion: type.group ? `${type.group}/v1` : 'v1',
    kind: type.kind,
    metadata: { name, ...(type.namespaced && { namespace: 'restored' }), uid: `uid-${name}`, ...metadata },
    ...body,
  }),
];
const namespace = object(TYPES.namespaces, 'restored');

/** Plans and applies an archive of these objects, as the machine's functions do, and inspects what came of it. */
async function restore(
  things: readonly Thing[],
  options: RestoreOptions = {},
  time = Number.POSITIVE_INFINITY,
) {
  const writer = archiveWriter();
  const reading = buffer(writer.output);
  for (const [type, json] of things) {
    const { metadata } = JSON.parse(json) as KubeObject;
    await writer.add(type, metadata.name, metadata.namespace, Buffer.from(json));
  }
  await writer.end();
  const archive = await reading;
  const { items } = await planArchive(
    Readable.from([archive]),
    undefined,
    scopeOf(options, ['restored']),
    options,
  );
  const bodies = new Map<string, Buffer>();
  await readArchive(Readable.from([archive]), undefined, ({ at, raw }) => bodies.set(itemKey(at), raw));
  const origin = { backup: 'apps-20260101000000', restore: `restore-${count++}` };
  let left = time;
  const applied = await applyItems(cluster, items, async () => bodies, {
    ...origin,
    options,
    before: [],
    goOn: () => left-- > 0,
  });
  const there = items.filter((i) => applied.some((a) => a.result === 'created' && a.name === i.name));
  const result = (name: string) => applied.find((a) => a.name === name)?.result;
  const reason = (name: string) => applied.find((a) => a.name === name)?.reason;
  return {
    items,
    applied,
    result,
    reason,
    seen: () => inspect(cluster, there, bodies, { ...origin, options }),
  };
}

const live = async (type: ResourceType, name: string, where = 'restored'): Promise<KubeObject> =>
  JSON.parse(
    (await cluster.call('GET', objectPath(type, name, type.namespaced ? where : undefined))).body.toString(),
  ) as KubeObject;

beforeAll(() => {
  cluster = connect();
});
afterAll(() => cluster.close());

describe('a restore', () => {
  it('makes definitions before their objects, keeps long integers, and finds nothing that differs', async () => {
    const gauge = object(GAUGES, 'big', { spec: { n: '@', list: [{ a: null }] } });
    const big: Thing = [GAUGES, gauge[1].replace('"@"', '9007199254740993')];
    const { applied, seen } = await restore([
      big,
      object(CONFIG_MAPS, 'one', { data: { a: '1' } }),
      definition,
      namespace,
    ]);
    expect(applied.map((a) => a.result)).toEqual(['created', 'created', 'created', 'created']);
    const { body } = await cluster.call('GET', objectPath(GAUGES, 'big', 'restored'));
    expect(body.toString()).toContain('"n":9007199254740993');
    expect(await seen()).toEqual({ notReady: [], differing: [] });
  });

  it('leaves what may still come to the next call when its time is up', async () => {
    const early = object(CONFIG_MAPS, 'early', {}, { namespace: 'restored' });
    const { applied } = await restore([early], { namespaceMapping: { restored: 'not-there' } }, 1);
    expect(applied).toEqual([]);
  });

  it('skips, updates or refuses what is there and differs, and calls the same unchanged', async () => {
    const one = object(CONFIG_MAPS, 'one', { data: { a: '1' } });
    const other = object(CONFIG_MAPS, 'one', { data: { a: '2' } });
    const skip = await restore([other]);
    expect([skip.result('one'), skip.reason('one')]).toEqual([
      'skipped',
      'already exists, and differs in data.a',
    ]);
    expect((await restore([other], { existingResources: 'fail' })).result('one')).toBe('failed');
    expect((await restore([other], { existingResources: 'update' })).result('one')).toBe('updated');
    expect((await live(CONFIG_MAPS, 'one')).data).toEqual({ a: '2' });
    expect((await restore([other], { existingResources: 'update' })).result('one')).toBe('unchanged');
    expect((await restore([one], { existingResources: 'update' })).result('one')).toBe('updated');
  });

  it('brings a namespace back under another name, with its bindings', async () => {
    const subjects = [{ kind: 'ServiceAccount', name: 'web', namespace: 'restored' }];
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' };
    const { applied } = await restore(
      [
        namespace,
        object(BINDINGS, 'viewers', { roleRef, subjects }),
        object(CONFIG_MAPS, 'one', { data: {} }),
      ],
      { namespaceMapping: { restored: 'restored-copy' } },
    );
    expect(applied.map((a) => [a.namespace ?? a.name, a.result])).toEqual([
      ['restored-copy', 'created'],
      ['restored-copy', 'created'],
      ['restored-copy', 'created'],
    ]);
    expect((await live(BINDINGS, 'viewers', 'restored-copy')).subjects).toEqual([
      { kind: 'ServiceAccount', name: 'web', namespace: 'restored-copy' },
    ]);
  });

  it('holds back what could seize the cluster, and lets it through by name', async () => {
    const pod = { hostNetwork: true, containers: [{ name: 'c', image: 'docker.io/library/busybox:1.37' }] };
    const spec = {
      replicas: 0,
      selector: { matchLabels: { a: 'b' } },
      template: { metadata: { labels: { a: 'b' } }, spec: pod },
    };
    const agent = object(DEPLOYMENTS, 'agent', { spec });
    const held = await restore([agent]);
    expect([held.result('agent'), held.reason('agent')]).toEqual([
      'held',
      'its pods use host namespaces (hostNetwork); to restore it, set "allow": ["deployments.apps/restored/agent"]',
    ]);
    expect((await restore([agent], { allow: ['deployments.apps/restored/*'] })).result('agent')).toBe(
      'created',
    );
  });

  it('gives a Service a new address, and its node port only when that is asked for', async () => {
    const spec = { type: 'NodePort', clusterIP: '10.96.77.77', ports: [{ port: 80, nodePort: 31777 }] };
    const portOf = async (name: string) =>
      ((await live(SERVICES, name)).spec as { ports: { nodePort: number }[] }).ports[0]?.nodePort;
    await restore([object(SERVICES, 'kept', { spec })], { preserveNodePorts: true });
    expect(await portOf('kept')).toBe(31777);
    expect((await live(SERVICES, 'kept')).spec?.clusterIP).not.toBe('10.96.77.77');
    const fresh = await restore([object(SERVICES, 'fresh', { spec })]);
    expect(fresh.result('fresh')).toBe('created');
    expect(await portOf('fresh')).not.toBe(31777);
  });

  it('restores a status only of the types that were asked for', async () => {
    const status = { phase: 'Ready' };
    await restore([object(GAUGES, 'with', { status })], { restoreStatus: ['gauges.restore.test'] });
    await restore([object(GAUGES, 'without', { status })]);
    expect([(await live(GAUGES, 'with')).status, (await live(GAUGES, 'without')).status]).toEqual([
      status,
      undefined,
    ]);
  });

  it('tries again what a quota forbids until there is room', async () => {
    const quotas = typed('', 'resourcequotas', 'ResourceQuota');
    const path = objectPath(quotas, 'none', 'restored');
    const quota = {
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'none' },
      spec: { hard: { 'count/secrets': '0' } },
    };
    await cluster.call('POST', collectionPath(quotas, 'restored'), { body: quota });
    const used = async () => ((await live(quotas, 'none')).status?.used as object | undefined) !== undefined;
    while (!(await used())) await new Promise((resolve) => setTimeout(resolve, 100));
    setTimeout(() => void cluster.call('DELETE', path), 2500);
    const { result } = await restore([object(TYPES.secrets, 'later', { type: 'Opaque', data: {} })]);
    expect(result('later')).toBe('created');
  });

  it('stops when its time is up, and the next call goes on where it stopped', async () => {
    const many = Array.from({ length: 30 }, (_, i) => object(CONFIG_MAPS, `many-${i}`, { data: {} }));
    const { applied, items } = await restore(many, {}, 10);
    expect(applied.length).toBeLessThan(items.length);
    const bodies = new Map(
      many.map(([, json], i) => [
        itemKey(items.find((it) => it.name === `many-${i}`) as never),
        Buffer.from(json),
      ]),
    );
    const rest = await applyItems(cluster, items, async () => bodies, {
      backup: 'b',
      restore: 'r',
      options: {},
      before: applied,
      goOn: () => true,
    });
    expect(rest.map((a) => a.result)).toEqual(many.map(() => 'created'));
  });

  it('names an object that the API server refuses, and brings the others', async () => {
    const bad = object(SERVICES, 'bad', { spec: { ports: [{ port: 700_000 }] } });
    const { result, reason } = await restore([bad, object(CONFIG_MAPS, 'good', { data: {} })]);
    expect([result('bad'), result('good')]).toEqual(['failed', 'created']);
    expect(reason('bad')).toContain('spec.ports[0].port');
  });
});
