import { beforeEach, describe, expect, it } from 'vitest';
import type { KubeObject } from '../../../functions/core/kubernetes/resources.ts';
import { vaultKeys } from '../../../functions/core/vault/vault-keys.ts';
import type { AppliedItem } from '../../../functions/restore/documents.ts';
import { REFUSALS } from '../../support/fake-cluster.ts';
import { killAtEveryCall } from '../../support/kill.ts';
import { archiveOf, KINDS, thing } from '../../support/restores.ts';
import { BACKUP, RESTORE, StageWorld, settings } from '../../support/stage-world.ts';

const keys = vaultKeys('paris');
let world: StageWorld;
beforeEach(() => {
  world = new StageWorld();
});
const NOT_SERVED = { status: 404, message: '404 page not found' };
const config = () => world.cluster.find(KINDS.configMaps, 'settings', 'shop');

describe('definitions', () => {
  const definition = thing(KINDS.customResourceDefinitions, 'widgets.example.com', { spec: {} });
  const established = { conditions: [{ type: 'Established', status: 'True' }] };

  it('are waited for before anything that comes after them', async () => {
    await world.plan([definition, settings('red')]);
    const sleep = async (ms: number) => {
      world.waits.push(ms);
      expect(config()).toBeUndefined();
      const found = world.cluster.find(KINDS.customResourceDefinitions, 'widgets.example.com') as KubeObject;
      if (world.waits.length === 3) found.status = established;
    };
    await world.apply(1, { sleep });
    expect(world.waits).toEqual([200, 200, 200]);
    expect(config()).toBeDefined();
  });

  it('that are never established cost themselves and their objects, and nothing else', async () => {
    const widgets = ['a', 'b'].map((name) => thing(KINDS.widgets, name, { spec: {} }));
    world.cluster.refuse('POST', '/apis/example.com/v1/namespaces/shop/widgets', NOT_SERVED);
    await world.plan([definition, settings('red'), ...widgets]);
    expect(await world.apply(1)).toMatchObject({ created: 1, failed: 1, remaining: 0 });
    expect(await world.results(1)).toEqual([
      [
        'widgets.example.com',
        'failed',
        'created, but not established: the API server has not established it',
      ],
      ['settings', 'created', undefined],
    ]);
    const before = world.waits.length;
    expect(await world.apply(2)).toMatchObject({ failed: 2 });
    expect(world.waits.slice(before)).toEqual([]);
  });
});

describe('a stage', () => {
  const many = Array.from({ length: 30 }, (_, i) =>
    thing(KINDS.configMaps, `c${i}`, { data: { i: `${i}` } }),
  );

  it('brings only its own objects, and the second goes by the results of neither', async () => {
    await world.plan([settings('red'), thing(KINDS.deployments, 'web', { spec: {} })]);
    expect(await world.apply(1)).toMatchObject({ created: 1, remaining: 0 });
    expect(world.cluster.find(KINDS.deployments, 'web', 'shop')).toBeUndefined();
    expect(await world.apply(2)).toMatchObject({ created: 1, remaining: 0 });
    expect(world.cluster.find(KINDS.deployments, 'web', 'shop')).toBeDefined();
  });

  it('resumes in the next call with the remaining objects, and requests nothing twice', async () => {
    await world.plan(many);
    let left = 10;
    const first = await world.apply(1, { goOn: () => left-- > 0 });
    expect(first.created).toBeGreaterThan(0);
    expect(first.created + first.remaining).toBe(30);
    expect(first.remaining).toBeGreaterThan(0);
    expect(await world.apply(1)).toMatchObject({ created: 30, remaining: 0 });
    const writes = world.cluster.calls.filter((call) => !call.startsWith('GET'));
    expect(new Set(writes).size).toBe(1);
    expect(writes).toHaveLength(30);
  });

  it('leaves to the next call what may still pass when its time is over', async () => {
    world.cluster.refuse('POST', '/api/v1/namespaces/shop/configmaps', REFUSALS.quota, 1);
    await world.plan([settings('red')]);
    let left = 1;
    expect(await world.apply(1, { goOn: () => left-- > 0 })).toMatchObject({ failed: 0, remaining: 1 });
    expect(await world.apply(1)).toMatchObject({ created: 1, remaining: 0 });
  });

  it('does not begin when its archive is not the one that was planned from', async () => {
    await world.plan([settings('red')]);
    const other = await archiveOf(settings('planted'));
    world.vault.objects.set(keys.velero.archive(BACKUP), { body: other.body, metadata: {} });
    await expect(world.apply(1)).rejects.toMatchObject({ name: 'RecoveryPointDamaged' });
    expect(world.cluster.calls).toEqual([]);
  });

  it('ends, to be tried again, when the cluster has gone', async () => {
    const gone = new Error('nobody answers');
    await world.plan([settings('red')]);
    const withCluster = () => Promise.reject(gone);
    await expect(world.apply(1, { withCluster })).rejects.toBe(gone);
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
          world = new StageWorld();
          world.has(settings('blue'));
          world.has(claimOf('1Gi', { annotations: { note: 'theirs' } }));
          const things = [settings('red'), claimOf('2Gi'), ...many.slice(0, 3)];
          await world.plan([thing(KINDS.namespaces, 'app'), ...things], { existingResources });
          return world;
        },
        run: (at: StageWorld, life) => at.apply(1, {}, life),
        end: (at, state) => [state, endOf(at)],
      });
      expect(calls).toBeGreaterThan(10);
      expect(config()?.data).toEqual({ color: theirs });
      expect((await world.results(1)).find(([name]) => name === 'data')?.[1]).toBe(claim);
    },
  );
});

/** What the cluster holds, and how each object ended; without what differs from run to run. */
function endOf({ vault, cluster }: StageWorld): unknown {
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
