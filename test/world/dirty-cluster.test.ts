import { afterAll, beforeAll, expect, it } from 'vitest';
import { collectionPath, type KubeObject } from '../../functions/core/kubernetes/resources.ts';
import { ClusterApi, until } from '../support/cluster-api.ts';
import { Pipeline, type Point, type Restored } from '../support/dirty.ts';
import { BIG, dirtyCluster } from '../support/dirty-cluster.ts';
import { GROUP } from '../support/dirty-platform.ts';
import { SecondServer } from '../support/second-server.ts';
import { signingRequest } from '../support/signing-request.ts';
import { missingIn, type Snapshot, snapshotOf, unlike, writtenBetween } from '../support/snapshot.ts';

// A generated cluster as those of the field are. It is backed up, restored on top of itself, lost, restored, restored
// again, and taken to a second API server. What is there before and after is compared here, not by Holdfast.
const pipeline = new Pipeline();
const { api } = pipeline;
const generated = dirtyCluster(20_260_101);
const PROJ = /(^| |\/)[Pp]roj|\.proj\.test/;
/** What never comes back, with the cause: the cluster makes it, or it has ended. */
const LEFT_OUT =
  /^(certificatesigningrequests\.certificates\.k8s\.io|endpoints|endpointslices\.discovery\.k8s\.io|controllerrevisions\.apps|replicasets\.apps|pods) |^jobs\.batch .*\/ended$/;
let before: Snapshot;
let whole: Point;
let plan: Point;
let hints: string[];

const made = (snapshot: Snapshot): Snapshot => new Map([...snapshot].filter(([ref]) => PROJ.test(ref)));
const results = (restored: Restored) => [...new Set(restored.applied.map((a) => a.result))].sort();

/** Writes an object as a tool does, with its long integers. */
async function write(object: KubeObject, manager: string): Promise<KubeObject> {
  const type = await api.typeOf(object);
  const body = JSON.stringify(object).replaceAll(JSON.stringify(BIG), BIG.slice(1));
  const query = { fieldManager: manager };
  const answer = await api.client.call('POST', collectionPath(type, object.metadata.namespace), {
    body,
    query,
  });
  return JSON.parse(answer.body.toString('utf8')) as KubeObject;
}

async function make(): Promise<void> {
  for (const definition of generated.definitions) await write(definition, 'helm');
  for (const definition of generated.definitions) await api.served(definition.metadata.name);
  const owners: KubeObject[] = [];
  for (const { object, manager, also } of generated.objects) {
    owners.push(await write(object, manager));
    if (also)
      expect(await api.apply(JSON.stringify(also.fields), also.manager)).toMatchObject({ status: 200 });
  }
  for (const { owner, object } of generated.owned) {
    const { apiVersion = '', kind = '', metadata } = owners[owner] as KubeObject;
    const reference = {
      apiVersion,
      kind,
      name: metadata.name,
      uid: metadata.uid as string,
      controller: true,
    };
    await write({ ...object, metadata: { ...object.metadata, ownerReferences: [reference] } }, 'operator');
  }
  for (const object of [...running, await signingRequest('proj-somebody'), ...generated.last])
    await write(object, 'kubectl-create');
}

const sleeps = (command: string[]) => ({
  terminationGracePeriodSeconds: 0,
  restartPolicy: 'Never',
  containers: [
    { name: 'c', image: 'docker.io/library/busybox:1.37', imagePullPolicy: 'IfNotPresent', command },
  ],
});
/** What runs: a bare pod and a Job that ends. */
const running: KubeObject[] = [
  {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'bare', namespace: 'proj-argo' },
    spec: sleeps(['sleep', '100000']),
  },
  {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'ended', namespace: 'proj-argo' },
    spec: { template: { spec: sleeps(['true']) } },
  },
];

async function settle(): Promise<void> {
  await until(
    'the Job has ended',
    async () => (await api.get('jobs.batch proj-argo/ended')).status?.succeeded === 1,
  );
  await until(
    'the bare pod runs',
    async () => (await api.get('pods proj-argo/bare')).status?.phase === 'Running',
  );
  for (const quota of (await api.list('resourcequotas')).filter((q) => q.metadata.name === 'full'))
    await until(`quota of ${quota.metadata.namespace} is full`, async () => {
      const { hard, used } = ((await api.get(`resourcequotas ${quota.metadata.namespace}/full`)).status ??
        {}) as Record<string, object>;
      return JSON.stringify(hard) === JSON.stringify(used);
    });
  for (let last = await snapshotOf(api), quiet = 0; quiet < 3; ) {
    const next = await snapshotOf(api);
    quiet = writtenBetween(last, next).length === 0 ? quiet + 1 : 0;
    last = next;
  }
}

/** Removes all that was generated: first what would stand in the way of the rest. */
async function wipe(): Promise<void> {
  // A namespace does not go while an API does not answer.
  const down = generated.last.filter((o) => o.kind === 'APIService').map((o) => o.metadata.name);
  await api.remove(...down.map((name) => `apiservices.apiregistration.k8s.io ${name}`));
  const refs = [...(await snapshotOf(api)).keys()].filter((ref) => PROJ.test(ref) && !ref.includes('/'));
  const late = (ref: string) =>
    /^(customresourcedefinitions\.apiextensions\.k8s\.io|persistentvolumes) /.test(ref);
  const others = (ref: string) =>
    !late(ref) && !/^(namespaces|apiservices\.apiregistration\.k8s\.io) /.test(ref);
  await api.remove(...refs.filter(others));
  await api.gone(...generated.namespaces);
  await api.remove(...refs.filter(late));
}

beforeAll(async () => {
  await pipeline.open();
  await make();
  await settle();
  before = await snapshotOf(api);
});
afterAll(async () => {
  await wipe();
  await pipeline.close();
});

it('is a few hundred objects', () => {
  expect(made(before).size).toBeGreaterThan(400);
});

it('backs up completely, but for the API that is down and is not metrics', async () => {
  plan = await pipeline.backup(['proj-*']);
  whole = await pipeline.backup(['*']);
  for (const { record } of [plan, whole])
    expect(record.reasons.filter((reason) => !reason.includes(`down.${GROUP}`))).toEqual([]);
});

it.each([
  ['a plan of all its namespaces', () => plan],
  ['the whole cluster', () => whole],
])('restored in place from %s changes nothing, and everything is unchanged', async (_, point) => {
  const restored = await pipeline.restore(point());
  expect(restored.wrong).toEqual([]);
  expect(results(restored)).toEqual(['skipped', 'unchanged']);
  expect(restored.with('skipped').filter((line) => /differs/.test(line))).toEqual([]);
  const after = await snapshotOf(api);
  expect(writtenBetween(before, after)).toEqual([]);
  const quotas = (of: Snapshot) =>
    [...of].filter(([ref]) => ref.startsWith('resourcequotas ')).map(([, o]) => o.status);
  expect(quotas(after)).toEqual(quotas(before));
});

it('says what must be allowed, in words that the input takes', async () => {
  await wipe();
  hints = await pipeline.hints(whole);
  const rbac = 'rbac.authorization.k8s.io';
  expect(hints).toEqual(
    expect.arrayContaining([
      `clusterroles.${rbac}/proj:with:colons`,
      `clusterrolebindings.${rbac}/Proj Admins`,
    ]),
  );
  expect(hints.length).toBeGreaterThan(10);
});

it('comes back when it was lost, as it was', async () => {
  const restored = await pipeline.restore(whole, { allow: hints });
  expect(restored.wrong).toEqual([]);
  const after = made(await snapshotOf(api));
  expect(missingIn(made(before), after).filter((ref) => !LEFT_OUT.test(ref))).toEqual([]);
  expect(unlike(made(before), after)).toEqual([]);
  expect([...after.keys()].filter((ref) => !before.has(ref) && !LEFT_OUT.test(ref))).toEqual([]);
  const big = await api.client.call('GET', await api.path('certificates.cert.proj.test proj-cert/thing-0'));
  expect(big.body.toString()).toContain(`"number":${BIG.slice(1)}`);
});

it('restored once more is unchanged', async () => {
  const now = await snapshotOf(api);
  const restored = await pipeline.restore(whole, { allow: ['*'] });
  expect(restored.wrong).toEqual([]);
  expect(results(restored)).toEqual(['skipped', 'unchanged']);
  expect(writtenBetween(now, await snapshotOf(api))).toEqual([]);
});

it('goes to a second cluster whole, and leaves what is its own alone', async () => {
  const server = await SecondServer.start();
  try {
    const second = new ClusterApi(server.client);
    const own = await snapshotOf(second);
    const restored = await pipeline.restore(whole, { allow: hints }, { to: server.client, readySeconds: 5 });
    expect(restored.with('failed', 'held')).toEqual([]);
    expect(restored.differing).toEqual([]);
    // There is no node there: the bare pod does not run, nor does what other files left in the world.
    const ours = restored.notReady.filter((line) => line.includes(' proj-'));
    expect(ours.filter((line) => !line.startsWith('pods proj-argo/bare'))).toEqual([]);
    const after = await snapshotOf(second);
    expect(missingIn(made(before), made(after)).filter((ref) => !LEFT_OUT.test(ref))).toEqual([]);
    expect(unlike(made(before), made(after))).toEqual([]);
    // Controllers write the rules of roles that aggregate others, and the state of the range of service addresses.
    const isOwn = (ref: string) =>
      own.get(ref)?.aggregationRule === undefined && own.has(ref) && !ref.startsWith('servicecidrs.');
    expect(writtenBetween(own, after).filter(isOwn)).toEqual([]);
  } finally {
    await server.stop();
  }
});
