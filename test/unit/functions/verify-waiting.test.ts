import { beforeEach, describe, expect, it } from 'vitest';
import { createJson } from '../../../functions/adapters/s3/documents.ts';
import type { KubeObject } from '../../../functions/core/kubernetes/resources.ts';
import { TYPES } from '../../../functions/core/kubernetes/well-known.ts';
import { noteWritten } from '../../../functions/restore/verify-restore/written.ts';
import { REFUSALS } from '../../support/fake-cluster.ts';
import { killAtEveryCall } from '../../support/kill.ts';
import { MemoryVault } from '../../support/memory-vault.ts';
import { KINDS, thing } from '../../support/restores.ts';
import { NAME, VerifyWorld } from '../../support/verify-world.ts';

const ready = { observedGeneration: 1, readyReplicas: 2, updatedReplicas: 2 };
const half = { ...ready, readyReplicas: 1 };
const web = (status: object = {}) =>
  thing(KINDS.deployments, 'web', { spec: { replicas: 2 }, status }, { generation: 1 });
const settings = thing(KINDS.configMaps, 'settings');

let world: VerifyWorld;
beforeEach(() => {
  world = new VerifyWorld();
});

describe('a restored object that is not ready', () => {
  it('is waited for, and nothing but the time is written meanwhile', async () => {
    await world.restored([web()]);
    world.there(web(half));
    expect(await world.verify()).toEqual({ ...NAME, waitSeconds: 3, notReady: 1 });
    expect([world.report(), world.hasLease]).toEqual([undefined, true]);
  });

  it('is waited for from the first look on, however long the restore took before', async () => {
    await world.restored([web()]);
    world.there(web(half));
    expect(await world.verify(7200)).toMatchObject({ waitSeconds: 3 });
    expect(await world.verify(7799)).toMatchObject({ waitSeconds: 3 });
    expect(await world.verify(7800)).toMatchObject({ phase: 'PartiallyFailed', notReady: 1, waitSeconds: 0 });
    expect(world.report()?.notReady).toEqual(['deployments.apps shop/web: 1 of 2 ready']);
    expect(world.hasLease).toBe(false);
  });

  it('is waited for as long as the restore was asked to', async () => {
    await world.restored([web()], { plan: { options: { waitSeconds: 0 } } });
    world.there(web(half));
    expect(await world.verify()).toMatchObject({ phase: 'PartiallyFailed', notReady: 1 });
  });

  it('ends the wait when it becomes ready', async () => {
    await world.restored([web()]);
    world.there(web());
    expect(await world.verify(5)).toMatchObject({ waitSeconds: 3 });
    (world.cluster.find(KINDS.deployments, 'web', 'shop') as KubeObject).status = ready;
    expect(await world.verify(8)).toMatchObject({ phase: 'Completed', seconds: 8 });
  });

  it('is looked at alone while it is waited for: nothing else is listed, and no archive is read', async () => {
    await world.restored([web(), settings]);
    world.there(web(half), settings);
    world.vault.breaking.add(`velero/paris/backups/${NAME.backup}/${NAME.backup}.tar.gz`);
    expect(await world.verify()).toMatchObject({ waitSeconds: 3 });
    expect(world.cluster.calls).toEqual(['GET /apis/apps/v1/namespaces/shop/deployments']);
  });

  it('is told with its reason', async () => {
    const message = '0/1 nodes are available: persistentvolumeclaim "data" not found';
    const status = { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', message }] };
    const options = { waitSeconds: 0 };
    await world.restored([thing(KINDS.pods, 'bare')], { plan: { options } });
    world.there(thing(KINDS.pods, 'bare', { status }));
    expect(await world.verify()).toMatchObject({ phase: 'PartiallyFailed', notReady: 1 });
    expect(world.report()?.notReady).toEqual([`pods shop/bare: Pending: ${message}`]);
  });
});

describe('a claim that is not bound', () => {
  const claim = (phase: string) =>
    thing(KINDS.persistentVolumeClaims, 'data', { spec: { storageClassName: 'disk' }, status: { phase } });
  const disk = (volumeBindingMode: string) => {
    const [type, object] = thing(TYPES.storageClasses, 'disk', { volumeBindingMode });
    world.there([type, object]);
  };
  const plan = { options: { waitSeconds: 0 }, fillsVolumes: false };

  it('is not ready, for the reason of its class and its last event', async () => {
    await world.restored([claim('Bound')], { plan });
    world.there(claim('Pending'));
    disk('Immediate');
    const event = (name: string, message: string, lastTimestamp: string) =>
      thing(TYPES.events, name, { message, lastTimestamp });
    world.there(
      event('b', 'failed to provision volume: no space', '2026-02-01T02:01:00Z'),
      event('a', 'waiting for a volume to be created', '2026-02-01T02:00:00Z'),
    );
    await world.verify();
    expect(world.report()?.notReady).toEqual([
      'persistentvolumeclaims shop/data: Pending: storage class disk has not made its volume: failed to provision volume: no space',
    ]);
  });

  it('is ready when it is bound to its first pod and has none', async () => {
    await world.restored([claim('Bound')], { plan });
    world.there(claim('Pending'));
    disk('WaitForFirstConsumer');
    expect(await world.verify()).toMatchObject({ phase: 'Completed' });
  });

  it('is told without reasons when classes and events cannot be read', async () => {
    await world.restored([claim('Bound')], { plan });
    world.there(claim('Pending'));
    world.cluster.refuse('GET', '/apis/storage.k8s.io/v1/storageclasses', REFUSALS.forbidden);
    world.cluster.refuse('GET', '/api/v1/namespaces/shop/events', REFUSALS.forbidden);
    await world.verify();
    expect(world.report()?.notReady).toEqual(['persistentvolumeclaims shop/data: Pending']);
  });
});

describe('an object that the restore left unchanged', () => {
  it('is Completed and told when it was not ready in the recovery point either', async () => {
    await world.restored([web(half)], { results: { web: 'unchanged' } });
    world.there(web(half));
    expect(await world.verify()).toMatchObject({ phase: 'Completed', notReady: 0 });
    expect(world.report()?.notReadyBefore).toEqual(['deployments.apps shop/web: 1 of 2 ready']);
  });

  it('is waited for when it was ready in the recovery point', async () => {
    await world.restored([web(ready)], { results: { web: 'unchanged' } });
    world.there(web(half));
    expect(await world.verify()).toMatchObject({ waitSeconds: 3, notReady: 1 });
  });

  it('counts when the restore wrote it, whatever it was before', async () => {
    await world.restored([web(half)], { plan: { options: { waitSeconds: 0 } } });
    world.there(web(half));
    expect(await world.verify()).toMatchObject({ phase: 'PartiallyFailed', notReady: 1 });
  });
});

describe('an aggregated API that was down in the recovery point', () => {
  const api = (status: string) =>
    thing(KINDS.apiServices, 'v1.metrics.example', {
      spec: { service: { name: 'x', namespace: 'shop' } },
      status: { conditions: [{ type: 'Available', status, message: 'no pods' }] },
    });

  it.each([
    ['False', 'Completed', 0],
    ['True', 'PartiallyFailed', 1],
  ])('is as it was, although the restore created it: Available was %s', async (before, phase, notReady) => {
    await world.restored([api(before)], { plan: { options: { waitSeconds: 0 } } });
    world.there(api('False'));
    expect(await world.verify()).toMatchObject({ phase, notReady });
  });
});

describe('waiting', () => {
  it('that is killed at any call ends as if it had not been', async () => {
    const calls = await killAtEveryCall({
      prepare: async () => {
        world = new VerifyWorld();
        await world.restored([web(half), settings], { results: { web: 'unchanged' } });
        world.there(web(half), settings);
        return world;
      },
      run: (at, life) => at.verify(60, { life }),
      end: ({ vault }, result) => [
        result,
        [...vault.objects].map(([key, { body }]) => [key, `${body}`]).sort(),
      ],
    });
    expect(calls).toBeGreaterThan(10);
  });

  it('counts from the call that noted its beginning first', async () => {
    const vault = new MemoryVault('primary');
    const first = { at: '2026-02-01T02:00:00Z', notReadyBefore: [] };
    const second = { at: '2026-02-01T02:00:05Z', notReadyBefore: [] };
    const noted = await noteWritten(vault, 'written.json', async () => {
      await createJson(vault, 'written.json', first); // another call, meanwhile
      return second;
    });
    expect(noted).toEqual(first);
    expect(await noteWritten(vault, 'written.json', async () => second)).toEqual(first);
  });
});
