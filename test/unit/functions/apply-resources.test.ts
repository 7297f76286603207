import { beforeEach, describe, expect, it } from 'vitest';
import { putObject } from '../../../functions/apply-resources/put-object.ts';
import { applyStage, type StageContext } from '../../../functions/apply-resources/stage.ts';
import type { RestoreOptions } from '../../../functions/contract/restore-options.ts';
import { BACKUP_LABEL, RESTORE_LABEL, UPDATED_ANNOTATION } from '../../../functions/core/clean.ts';
import type { KubeObject } from '../../../functions/core/resources.ts';
import { scopeOf } from '../../../functions/core/restore-options.ts';
import { vaultKeys } from '../../../functions/core/vault-keys.ts';
import { planArchive } from '../../../functions/plan-restore/plan.ts';
import { type AppliedItem, getApplied, putRestore } from '../../../functions/runtime/restore-documents.ts';
import { FakeCluster, REFUSALS, type Refusal } from '../../support/fake-cluster.ts';
import { killAtEveryCall, Life } from '../../support/kill.ts';
import { MemoryVault } from '../../support/memory-vault.ts';
import { archiveOf, KINDS, type Thing, thing } from '../../support/restores.ts';

const keys = vaultKeys('paris');
const [RESTORE, BACKUP] = ['restore-20260201020000-abcdef', 'daily-20260101000000'] as const;
const NAMES = ['shop', 'app', 'bank'];

interface World {
  readonly vault: MemoryVault;
  readonly cluster: FakeCluster;
  /** Milliseconds of every wait. */
  readonly waits: number[];
}
let world: World;
beforeEach(() => {
  world = newWorld();
});
function newWorld(): World {
  const cluster = new FakeCluster(...Object.values(KINDS));
  cluster.addNamespaces('shop');
  return { vault: new MemoryVault('primary'), cluster, waits: [] };
}

/** Plans a restore of these objects, as plan-restore does. */
async function planned(at: World, things: readonly Thing[], options: RestoreOptions = {}): Promise<void> {
  const { body, sha256 } = await archiveOf(...things);
  at.vault.objects.set(keys.velero.archive(BACKUP), { body, metadata: {} });
  const archive = await at.vault.stream(keys.velero.archive(BACKUP));
  const { items } = await planArchive(archive, sha256, scopeOf(options, NAMES), options);
  const plan = {
    restore: RESTORE,
    backup: BACKUP,
    from: 'primary',
    fillsVolumes: true,
    startedAt: '2026-02-01T02:00:00Z',
    namespaces: NAMES,
    options,
    archiveSha256: sha256,
    dryRun: false,
    volumes: [],
  };
  await putRestore(at.vault, keys, plan, items);
}
const contextOf = (at: World, goOn = () => true, life = new Life()): StageContext => ({
  vault: life.of(at.vault),
  keys,
  sourceOf: () => ({ vault: life.of(at.vault), archive: keys.velero.archive }),
  withCluster: (work) => work(life.of(at.cluster)),
  goOn,
  sleep: async (ms) => void at.waits.push(ms),
});
const apply = (stage: 1 | 2, goOn?: () => boolean) =>
  applyStage(contextOf(world, goOn), { restore: RESTORE, backup: BACKUP, stage });
const results = async (stage: 1 | 2, at = world) =>
  (await getApplied(at.vault, keys, RESTORE, stage)).map(({ name, result, reason }) => [
    name,
    result,
    reason,
  ]);

const settings = (color: string, metadata: object = {}) =>
  thing(KINDS.configMaps, 'settings', { data: { color } }, metadata);
const config = (name = 'settings', namespace = 'shop') =>
  world.cluster.find(KINDS.configMaps, name, namespace);
const there = ([type, object]: Thing) => world.cluster.add(type, object);

describe('an object of a restore', () => {
  it('is created, with the labels of its backup and its restore', async () => {
    await planned(world, [settings('red')]);
    expect(await apply(1)).toEqual({
      created: 1,
      updated: 0,
      unchanged: 0,
      skipped: 0,
      held: 0,
      failed: 0,
      remaining: 0,
    });
    expect(config()).toMatchObject({
      data: { color: 'red' },
      metadata: { labels: { [BACKUP_LABEL]: BACKUP, [RESTORE_LABEL]: RESTORE } },
    });
    expect(await results(1)).toEqual([['settings', 'created', undefined]]);
  });

  it('is unchanged when it is there and the same', async () => {
    there(settings('red'));
    await planned(world, [settings('red')]);
    await apply(1);
    expect(await results(1)).toEqual([['settings', 'unchanged', 'exists already, and is the same']]);
  });

  it.each([
    ['skip', 'skipped', 'exists already, and differs in data.color', 'blue'],
    ['fail', 'failed', 'exists already', 'blue'],
    ['update', 'updated', 'differed in data.color', 'red'],
  ] as const)(
    'that is there and differs, with existingResources %s, is %s',
    async (policy, result, reason, color) => {
      there(settings('blue'));
      await planned(world, [settings('red')], { existingResources: policy });
      expect(await apply(1)).toMatchObject({ [result]: 1 });
      expect(await results(1)).toEqual([['settings', result, reason]]);
      expect(config()?.data).toEqual({ color });
    },
  );

  it('that is updated is marked as one that was there', async () => {
    there(settings('blue', { annotations: { note: 'theirs' } }));
    await planned(world, [settings('red')], { existingResources: 'update' });
    await apply(1);
    expect(config()?.metadata.annotations).toEqual({ note: 'theirs', [UPDATED_ANNOTATION]: RESTORE });
  });

  it('says of many differences the first three', async () => {
    there(thing(KINDS.configMaps, 'many', { data: {} }));
    await planned(world, [thing(KINDS.configMaps, 'many', { data: { a: '1', b: '1', c: '1', d: '1' } })]);
    await apply(1);
    expect((await results(1))[0]?.[2]).toBe(
      'exists already, and differs in data.a, data.b, data.c and 1 more',
    );
  });

  it('is skipped or held as its plan says, and the cluster is not asked', async () => {
    const token = thing(KINDS.secrets, 'token', { type: 'kubernetes.io/service-account-token' });
    const root = thing(KINDS.roles, 'root', { rules: [{ verbs: ['escalate'] }] });
    await planned(world, [token, root]);
    expect(await apply(1)).toMatchObject({ skipped: 1, held: 1 });
    expect(await results(1)).toEqual([
      ['root', 'held', expect.stringMatching(/^it allows to escalate/)],
      ['token', 'skipped', 'a token of the old cluster'],
    ]);
    expect(world.cluster.calls).toEqual([]);
  });

  it('gets its new namespace, and its result names what it is of', async () => {
    world.cluster.addNamespaces('copy');
    await planned(world, [settings('red')], { namespaceMapping: { shop: 'copy' } });
    await apply(1);
    expect(config('settings', 'copy')).toBeDefined();
    const [item] = await getApplied(world.vault, keys, RESTORE, 1);
    expect(item).toMatchObject({ namespace: 'copy', from: 'configmaps/v1/shop/settings' });
  });

  it('fails alone when a rule does not fit it', async () => {
    const rule = {
      conditions: { groupResource: 'configmaps' },
      patches: [{ op: 'remove' as const, path: '/data/size' }],
    };
    await planned(world, [settings('red'), thing(KINDS.secrets, 'key')], { resourceModifiers: [rule] });
    expect(await apply(1)).toMatchObject({ created: 1, failed: 1 });
    expect((await results(1)).at(-1)?.[2]).toMatch(/^resourceModifiers\[0\] does not fit/);
  });

  it('gets its status where the restore says so, and says when it could not', async () => {
    const widgets = ['whole', 'refused'].map((name) =>
      thing(KINDS.widgets, name, { spec: {}, status: { count: 3 } }),
    );
    await planned(world, widgets, { restoreStatus: ['widgets.example.com'] });
    const path = '/apis/example.com/v1/namespaces/shop/widgets/refused/status';
    world.cluster.refuse('PATCH', path, REFUSALS.invalid);
    await apply(2);
    expect(world.cluster.find(KINDS.widgets, 'whole', 'shop')?.status).toEqual({ count: 3 });
    expect(await results(2)).toEqual([
      ['refused', 'created', `without its status: ${REFUSALS.invalid.message}`],
      ['whole', 'created', undefined],
    ]);
  });

  it('is, as an account that is there, given the names of its secrets beside those it has', async () => {
    const account = (...names: string[]) =>
      thing(KINDS.serviceAccounts, 'default', { imagePullSecrets: names.map((name) => ({ name })) });
    there(account('theirs'));
    await planned(world, [account('ours')]);
    expect(await apply(1)).toMatchObject({ updated: 1 });
    expect(world.cluster.find(KINDS.serviceAccounts, 'default', 'shop')?.imagePullSecrets).toEqual([
      { name: 'theirs' },
      { name: 'ours' },
    ]);
  });
});

describe('an object that the API server refuses', () => {
  const CREATE = '/api/v1/namespaces/shop/configmaps';
  const refuse = (refusal: Refusal, times?: number) => world.cluster.refuse('POST', CREATE, refusal, times);

  it.each([
    ['for good: it is invalid', REFUSALS.invalid],
    ['for good: it is forbidden', REFUSALS.forbidden],
    ['for good: a webhook denies it', REFUSALS.denied],
  ])('%s, is failed with the server’s words, and the others are created', async (_, refusal) => {
    refuse(refusal);
    await planned(world, [settings('red'), thing(KINDS.secrets, 'key')]);
    expect(await apply(1)).toMatchObject({ created: 1, failed: 1, remaining: 0 });
    expect(await results(1)).toContainEqual(['settings', 'failed', refusal.message]);
    expect(world.waits).toEqual([]);
  });

  it.each([
    ['its quota is exceeded', REFUSALS.quota],
    ['a webhook does not answer', REFUSALS.webhook],
    ['the server is busy', REFUSALS.busy],
    ['the server is shutting down', REFUSALS.unavailable],
  ])('while %s, is tried again until it passes', async (_, refusal) => {
    refuse(refusal, 2);
    await planned(world, [settings('red')]);
    expect(await apply(1)).toMatchObject({ created: 1, failed: 0 });
    expect(world.waits).toEqual([1000, 2000]);
    expect(await results(1)).toEqual([['settings', 'created', undefined]]);
  });

  it('is failed when it does not pass in half a minute', async () => {
    refuse(REFUSALS.webhook);
    await planned(world, [settings('red')]);
    expect(await apply(1)).toMatchObject({ failed: 1, remaining: 0 });
    expect(world.waits).toEqual([1000, 2000, 4000, 8000, 16_000]);
    expect(await results(1)).toEqual([['settings', 'failed', REFUSALS.webhook.message]]);
  });

  it('because its namespace is being terminated, is failed with that', async () => {
    world.cluster.add(KINDS.namespaces, { metadata: { name: 'shop', deletionTimestamp: '2026-01-01' } });
    await planned(world, [settings('red')]);
    await apply(1);
    expect(await results(1)).toEqual([
      ['settings', 'failed', expect.stringMatching(/namespace shop because it is being terminated/)],
    ]);
  });

  it('because it has no namespace yet, comes when that does', async () => {
    const inBank = settings('red', { namespace: 'bank' });
    await planned(world, [inBank]);
    const context = contextOf(world);
    const sleep = async () => world.cluster.addNamespaces('bank');
    await applyStage({ ...context, sleep }, { restore: RESTORE, backup: BACKUP, stage: 1 });
    expect(await results(1)).toEqual([['settings', 'created', undefined]]);
  });

  it('as an update, because another changed it meanwhile, is tried again', async () => {
    there(settings('blue'));
    world.cluster.refuse('PATCH', `${CREATE}/settings`, REFUSALS.modified, 1);
    await planned(world, [settings('red')], { existingResources: 'update' });
    expect(await apply(1)).toMatchObject({ updated: 1 });
    expect(world.waits).toEqual([1000]);
  });

  it('while the one that is there is being deleted, is failed if that does not end', async () => {
    there(settings('blue', { deletionTimestamp: '2026-01-01' }));
    await planned(world, [settings('red')]);
    await apply(1);
    expect(await results(1)).toEqual([
      ['settings', 'failed', 'the one that is there is still being deleted'],
    ]);
    expect(world.waits).toHaveLength(5);
  });

  it('because it exists, and is gone when it is looked at, is to be tried again', async () => {
    const [, object] = settings('red');
    const at = { groupResource: 'configmaps', version: 'v1', namespace: 'shop', name: 'settings' };
    refuse({ status: 409, message: 'configmaps "settings" already exists' });
    expect(await putObject(world.cluster, at, object, undefined, { restore: RESTORE, options: {} })).toEqual({
      result: 'failed',
      reason: 'it went away',
      again: true,
    });
  });
});

describe('definitions', () => {
  const definition = thing(KINDS.customResourceDefinitions, 'widgets.example.com', { spec: {} });
  const established = { conditions: [{ type: 'Established', status: 'True' }] };

  it('are waited for before anything that comes after them', async () => {
    await planned(world, [definition, settings('red')]);
    const sleep = async (ms: number) => {
      world.waits.push(ms);
      expect(config()).toBeUndefined();
      const found = world.cluster.find(KINDS.customResourceDefinitions, 'widgets.example.com') as KubeObject;
      if (world.waits.length === 3) found.status = established;
    };
    await applyStage({ ...contextOf(world), sleep }, { restore: RESTORE, backup: BACKUP, stage: 1 });
    expect(world.waits).toEqual([200, 200, 200]);
    expect(config()).toBeDefined();
  });

  it('that are never served end the call, to be tried again', async () => {
    await planned(world, [definition]);
    await expect(apply(1)).rejects.toMatchObject({
      name: 'ClusterBusy',
      message: expect.stringContaining('widgets.example.com is not established'),
    });
  });
});

describe('a stage', () => {
  const many = Array.from({ length: 30 }, (_, i) =>
    thing(KINDS.configMaps, `c${i}`, { data: { i: `${i}` } }),
  );

  it('brings only its own objects, and the second goes by the results of neither', async () => {
    await planned(world, [settings('red'), thing(KINDS.deployments, 'web', { spec: {} })]);
    expect(await apply(1)).toMatchObject({ created: 1, remaining: 0 });
    expect(world.cluster.find(KINDS.deployments, 'web', 'shop')).toBeUndefined();
    expect(await apply(2)).toMatchObject({ created: 1, remaining: 0 });
    expect(world.cluster.find(KINDS.deployments, 'web', 'shop')).toBeDefined();
  });

  it('goes on in the next call with what it had no time for, and asks for nothing twice', async () => {
    await planned(world, many);
    let left = 10;
    const first = await apply(1, () => left-- > 0);
    expect(first.created).toBeGreaterThan(0);
    expect(first.created + first.remaining).toBe(30);
    expect(first.remaining).toBeGreaterThan(0);
    expect(await apply(1)).toMatchObject({ created: 30, remaining: 0 });
    expect(new Set(world.cluster.calls).size).toBe(1);
    expect(world.cluster.calls).toHaveLength(30);
  });

  it('leaves to the next call what may still pass when its time is over', async () => {
    world.cluster.refuse('POST', '/api/v1/namespaces/shop/configmaps', REFUSALS.quota, 1);
    await planned(world, [settings('red')]);
    let left = 1;
    expect(await apply(1, () => left-- > 0)).toMatchObject({ failed: 0, remaining: 1 });
    expect(await apply(1)).toMatchObject({ created: 1, remaining: 0 });
  });

  it('does not begin when its archive is not the one that was planned from', async () => {
    await planned(world, [settings('red')]);
    const other = await archiveOf(settings('planted'));
    world.vault.objects.set(keys.velero.archive(BACKUP), { body: other.body, metadata: {} });
    await expect(apply(1)).rejects.toMatchObject({ name: 'RecoveryPointDamaged' });
    expect(world.cluster.calls).toEqual([]);
  });

  it('ends, to be tried again, when the cluster has gone', async () => {
    const gone = new Error('nobody answers');
    await planned(world, [settings('red')]);
    const withCluster = () => Promise.reject(gone);
    await expect(
      applyStage({ ...contextOf(world), withCluster }, { restore: RESTORE, backup: BACKUP, stage: 1 }),
    ).rejects.toBe(gone);
    expect(await world.vault.exists(keys.restores.applied(RESTORE, 1))).toBe(false);
  });

  it.each([
    ['skip', { theirs: 'blue', claim: 'skipped' }],
    ['update', { theirs: 'red', claim: 'updated' }],
  ] as const)(
    'that is killed at any call, with existingResources %s, ends as if it had not been: what was there is never taken for created',
    async (existingResources, { theirs, claim }) => {
      const claimOf = (size: string, metadata: object = {}) =>
        thing(KINDS.persistentVolumeClaims, 'data', { spec: { size } }, metadata);
      const calls = await killAtEveryCall({
        prepare: async () => {
          world = newWorld();
          there(settings('blue'));
          there(claimOf('1Gi', { annotations: { note: 'theirs' } }));
          const things = [settings('red'), claimOf('2Gi'), ...many.slice(0, 3)];
          await planned(world, [thing(KINDS.namespaces, 'app'), ...things], { existingResources });
          return world;
        },
        run: (at: World, life) =>
          applyStage(
            contextOf(at, () => true, life),
            { restore: RESTORE, backup: BACKUP, stage: 1 },
          ),
        end: (at, state) => [state, endOf(at)],
      });
      expect(calls).toBeGreaterThan(10);
      expect(config()?.data).toEqual({ color: theirs });
      expect((await results(1)).find(([name]) => name === 'data')?.[1]).toBe(claim);
    },
  );
});

/** What the cluster holds, and how each object ended; without what differs from run to run. */
function endOf({ vault, cluster }: World): unknown {
  const lines =
    vault.objects.get(keys.restores.applied(RESTORE, 1))?.body.toString().trim().split('\n') ?? [];
  return {
    applied: lines.map((line) => {
      const { name, result } = JSON.parse(line) as AppliedItem;
      return [name, result];
    }),
    objects: [...cluster.objects.values()]
      .map(({ metadata: { uid: _, resourceVersion: __, ...metadata }, ...object }) => ({
        ...object,
        metadata,
      }))
      .sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)),
  };
}
