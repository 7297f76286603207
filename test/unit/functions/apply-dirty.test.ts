import { beforeEach, describe, expect, it } from 'vitest';
import { HoldfastError } from '../../../functions/contract/holdfast-error.ts';
import type { KubeObject } from '../../../functions/core/kubernetes/resources.ts';
import { vaultKeys } from '../../../functions/core/vault/vault-keys.ts';
import type { KubeClient } from '../../../functions/ports/kubernetes.ts';
import { getApplied } from '../../../functions/restore/documents.ts';
import { type FakeCluster, REFUSALS } from '../../support/fake-cluster.ts';
import { KINDS, thing } from '../../support/restores.ts';
import { RESTORE, StageWorld, settings } from '../../support/stage-world.ts';

const keys = vaultKeys('paris');
let world: StageWorld;
beforeEach(() => {
  world = new StageWorld();
});
const applied = (stage: 1 | 2) => getApplied(world.vault, keys, RESTORE, stage);
const writes = ({ calls }: FakeCluster) => calls.filter((call) => !call.startsWith('GET'));
const WIDGETS = '/apis/example.com/v1/namespaces/shop/widgets';
const LEVEL = 'pod-security.kubernetes.io/enforce';
const waited = () => world.waits.reduce((sum, ms) => sum + ms, 0);

describe('an object that is there and equal', () => {
  it('is unchanged, and no request to write it is sent, alone or among many', async () => {
    const many = Array.from({ length: 25 }, (_, i) => thing(KINDS.secrets, `s${i}`, { data: { i: `${i}` } }));
    for (const one of [settings('red'), ...many]) world.has(one);
    await world.plan([settings('red'), ...many]);
    expect(await world.apply(1)).toMatchObject({ unchanged: 26, failed: 0 });
    expect(writes(world.cluster)).toEqual([]);
  });

  it('is unchanged although it is privileged and would be held', async () => {
    const root = thing(KINDS.roles, 'root', { rules: [{ verbs: ['escalate'] }] });
    world.has(root);
    await world.plan([root]);
    expect(await world.apply(1)).toMatchObject({ unchanged: 1, held: 0 });
  });

  it('is not merged into if it is held: an account of a part of the cluster gets no role of the cloud', async () => {
    const annotations = { 'eks.amazonaws.com/role-arn': 'arn:aws:iam::1:role/admin' };
    world.has(thing(KINDS.serviceAccounts, 'web', {}, { namespace: 'kube-system' }));
    await world.plan([thing(KINDS.serviceAccounts, 'web', {}, { annotations })], {
      namespaceMapping: { shop: 'kube-system' },
    });
    await world.apply(1);
    expect(await world.results(1)).toEqual([
      ['web', 'skipped', expect.stringMatching(/differs in metadata/)],
    ]);
    expect(writes(world.cluster)).toEqual([]);
  });

  it.each([
    ['baseline', 'restricted', [], 'held'],
    [undefined, 'baseline', [], 'held'],
    ['baseline', 'restricted', ['namespaces/shop'], 'updated'],
    ['restricted', 'baseline', [], 'updated'],
    ['baseline', undefined, [], 'updated'],
  ])(
    'is a Namespace of the level %s, there %s; allowed %j, its update is %s',
    async (to, from, allow, result) => {
      const enforce = (level?: string) => ({
        labels: { a: level ?? 'none', ...(level && { [LEVEL]: level }) },
      });
      world.has(thing(KINDS.namespaces, 'shop', {}, enforce(from)));
      await world.plan([thing(KINDS.namespaces, 'shop', {}, enforce(to))], {
        existingResources: 'update',
        allow,
      });
      await world.apply(1);
      const [[, found, reason] = []] = await world.results(1);
      expect(found).toBe(result);
      if (result === 'held')
        expect(reason).toMatch(/^it lowers the Pod Security level .*"allow": \["namespaces\/shop"\]$/);
    },
  );

  it.each(Object.entries(REFUSALS))(
    'is unchanged although a create would be refused: %s',
    async (_, refusal) => {
      world.has(settings('red'));
      world.cluster.refuse('POST', '/api/v1/namespaces/shop/configmaps', refusal);
      world.cluster.refuse('GET', '/api/v1/namespaces/shop/configmaps/settings', REFUSALS.unavailable, 1);
      await world.plan([settings('red')]);
      expect(await world.apply(1)).toMatchObject({ unchanged: 1, failed: 0 });
    },
  );
});

describe('an object that is there and has more', () => {
  const two = thing(KINDS.configMaps, 'settings', { data: { color: 'red', injected: 'x' } });

  it('is not the same: skip names what was added', async () => {
    world.has(two);
    await world.plan([settings('red')]);
    await world.apply(1);
    expect(await world.results(1)).toEqual([
      ['settings', 'skipped', 'already exists, and differs in data.injected'],
    ]);
  });

  it('loses what was added by an update', async () => {
    world.has(two);
    await world.plan([settings('red')], { existingResources: 'update' });
    await world.apply(1);
    expect(world.cluster.find(KINDS.configMaps, 'settings', 'shop')?.data).toEqual({ color: 'red' });
  });

  it('keeps a list whole: an update takes away what was added to it', async () => {
    const rules = (...resources: string[]) => ({ rules: [{ verbs: ['get'], apiGroups: [''], resources }] });
    world.has(thing(KINDS.roles, 'reader', rules('pods', 'secrets')));
    await world.plan([thing(KINDS.roles, 'reader', rules('pods'))], { existingResources: 'update' });
    expect(await world.apply(1)).toMatchObject({ updated: 1 });
    expect(world.cluster.find(KINDS.roles, 'reader')?.rules).toEqual(rules('pods').rules);
  });
});

describe('an update of what cannot be changed', () => {
  const IMMUTABLE = {
    status: 422,
    message: 'Deployment "web" is invalid: spec.selector: field is immutable',
  };
  const path = '/apis/apps/v1/namespaces/shop/deployments/web';
  const web = (app: string, labels: object = {}) =>
    thing(KINDS.deployments, 'web', { spec: { selector: { app } } }, { labels });

  it('changes the labels, and says of the rest that it cannot be changed', async () => {
    world.has(web('old', { tier: 'b' }));
    world.cluster.refuse('PATCH', path, IMMUTABLE, 1);
    await world.plan([web('new', { tier: 'a' })], { existingResources: 'update' });
    expect(await world.apply(2)).toMatchObject({ updated: 1, failed: 0 });
    expect(world.cluster.find(KINDS.deployments, 'web', 'shop')?.metadata.labels).toMatchObject({
      tier: 'a',
    });
    expect(await applied(2)).toMatchObject([
      { differs: ['spec.selector.app'], reason: expect.stringContaining('field is immutable') },
    ]);
  });

  it('is skipped with its paths when nothing else differs', async () => {
    world.has(web('old'));
    world.cluster.refuse('PATCH', path, IMMUTABLE);
    await world.plan([web('new')], { existingResources: 'update' });
    await world.apply(2);
    expect(await applied(2)).toMatchObject([{ result: 'skipped', differs: ['spec.selector.app'] }]);
  });
});

describe('an object whose API fails', () => {
  it('that waits for the pods of a webhook is left to the second stage, and is tried until they are there', async () => {
    const path = '/api/v1/namespaces/shop/configmaps';
    world.cluster.refuse('POST', path, REFUSALS.webhook, 10);
    await world.plan([settings('red'), thing(KINDS.deployments, 'hook', { spec: {} })]);
    expect(await world.apply(1)).toMatchObject({ failed: 1, remaining: 0 });
    expect(await applied(1)).toMatchObject([{ name: 'settings', again: true }]);
    expect(waited()).toBe(31_000);
    expect(await world.apply(2)).toMatchObject({ created: 2, failed: 0 });
    expect(await applied(2)).toMatchObject([{ name: 'settings', result: 'created' }, { name: 'hook' }]);
  });

  it('that waits for a webhook which never comes is failed at the end of the time, and the others are there', async () => {
    world.cluster.refuse('POST', WIDGETS, REFUSALS.webhook);
    const things = [thing(KINDS.widgets, 'w', { spec: {} }), thing(KINDS.deployments, 'web', { spec: {} })];
    await world.plan(things, { waitSeconds: 120 });
    expect(await world.apply(2)).toMatchObject({ created: 1, failed: 1, remaining: 0 });
    expect(waited()).toBeGreaterThan(100_000);
    expect(waited()).toBeLessThanOrEqual(120_000);
  });

  it('waits no longer in all, however many calls it takes', async () => {
    world.cluster.refuse('POST', WIDGETS, REFUSALS.webhook);
    await world.plan([thing(KINDS.widgets, 'w', { spec: {} })], { waitSeconds: 100 });
    let state = { remaining: 1, waitedSeconds: 0 };
    for (let call = 0; call < 200 && state.remaining > 0; call++) {
      const until = world.waits.length + 1;
      const goOn = () => world.waits.length < until;
      state = await world.apply(2, { goOn }, undefined, { waitedSeconds: state.waitedSeconds });
    }
    expect(state.remaining).toBe(0);
    expect(waited()).toBeLessThanOrEqual(100_000);
  });
});

describe('an API of a type that does not answer, while the API server does', () => {
  const silentFor = (times: number) => {
    const { cluster } = world;
    let left = times;
    const call: FakeCluster['call'] = async (method, path, options) => {
      if (method === 'POST' && path === WIDGETS && left-- > 0)
        throw new HoldfastError('ClusterUnreachable', `POST ${path}: no response`);
      return cluster.call(method, path, options);
    };
    const client: KubeClient = { call, socket: (path) => cluster.socket(path), close: () => cluster.close() };
    return { withCluster: <T>(work: (c: KubeClient) => Promise<T>) => work(client) };
  };
  const things = [
    ...['a', 'b', 'c'].map((name) => thing(KINDS.widgets, name, { spec: {} })),
    thing(KINDS.deployments, 'web', { spec: {} }),
  ];

  it('costs its objects, which are tried again within the time, and no others', async () => {
    await world.plan(things, { waitSeconds: 60 });
    expect(await world.apply(2, silentFor(1000))).toMatchObject({ created: 1, failed: 3, remaining: 0 });
    expect((await applied(2)).find((a) => a.name === 'c')?.reason).toMatch(/no response/);
  });

  it('costs nothing when it answers again', async () => {
    await world.plan(things);
    expect(await world.apply(2, silentFor(3))).toMatchObject({ created: 4, failed: 0 });
  });
});

describe('a namespace that is still being deleted', () => {
  it('is waited for, and what belongs into it is not tried before', async () => {
    world.cluster.add(KINDS.namespaces, { metadata: { name: 'shop', deletionTimestamp: '2026-01-01' } });
    await world.plan([thing(KINDS.namespaces, 'shop'), settings('red')]);
    const sleep = async (ms: number) => {
      world.waits.push(ms);
      if (waited() < 60_000) return;
      world.cluster.objects.delete('/api/v1/namespaces/shop');
    };
    expect(await world.apply(1, { sleep })).toMatchObject({ created: 2, failed: 0 });
    expect(writes(world.cluster)).toEqual([
      'POST /api/v1/namespaces',
      'POST /api/v1/namespaces/shop/configmaps',
    ]);
  });
});

describe('an existing object of the whole cluster, under a namespace mapping', () => {
  const account = (namespace: string) => ({ kind: 'ServiceAccount', name: 'web', namespace });
  const bound = (...subjects: object[]) =>
    thing(KINDS.bindings, 'viewers', { roleRef: { kind: 'ClusterRole', name: 'view' }, subjects });
  const served = thing(KINDS.apiServices, 'v1.example.com', {
    spec: { service: { name: 'x', namespace: 'shop' } },
  });
  const existingResources = 'update' as const;
  const options = { namespaceMapping: { shop: 'copy' }, existingResources, allow: ['*'] };

  it('that is a binding gets the subject of the copy, and keeps that of the original', async () => {
    world.has(bound(account('shop')));
    await world.plan([bound(account('shop'))], options);
    expect(await world.apply(1)).toMatchObject({ updated: 1 });
    const subjects = [account('shop'), account('copy')];
    expect(world.cluster.find(KINDS.bindings, 'viewers')?.subjects).toEqual(subjects);
  });

  it('that serves the original is left alone', async () => {
    world.has(served);
    await world.plan([served], options);
    expect(await world.apply(2)).toMatchObject({ skipped: 1, updated: 0 });
    expect(writes(world.cluster)).toEqual([]);
  });
});

describe('an owned object', () => {
  const owner = thing(KINDS.widgets, 'main', { spec: {} }, { uid: 'old' });
  const owned = thing(
    KINDS.secrets,
    'password',
    { data: { p: 'b25l' } },
    {
      ownerReferences: [
        { apiVersion: 'example.com/v1', kind: 'Widget', name: 'main', uid: 'old', controller: true },
      ],
    },
  );
  const references = () =>
    (world.cluster.find(KINDS.secrets, 'password', 'shop') as KubeObject).metadata.ownerReferences;

  it('is created before its owner, and gets it with its new uid when it is there', async () => {
    await world.plan([owner, owned]);
    await world.apply(1);
    expect(references()).toBeUndefined();
    await world.apply(2);
    const { uid } = world.cluster.find(KINDS.widgets, 'main', 'shop')?.metadata ?? {};
    expect(uid).not.toBe('old');
    expect(references()).toMatchObject([{ kind: 'Widget', name: 'main', uid, controller: true }]);
  });

  it('keeps its owner when that is there', async () => {
    world.has(owner);
    await world.plan([owner, owned]);
    await world.apply(1);
    expect(references()).toMatchObject([{ name: 'main', uid: 'old' }]);
  });

  it('is left alone when somebody has adopted it', async () => {
    await world.plan([owner, owned]);
    await world.apply(1);
    const theirs = [{ apiVersion: 'v1', kind: 'X', name: 'x', uid: 'u' }];
    const live = world.cluster.find(KINDS.secrets, 'password', 'shop') as KubeObject;
    live.metadata.ownerReferences = theirs;
    await world.apply(2);
    expect(references()).toEqual(theirs);
  });
});
