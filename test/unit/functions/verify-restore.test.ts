import { beforeEach, describe, expect, it } from 'vitest';
import { vaultKeys } from '../../../functions/core/vault/vault-keys.ts';
import type { VolumeOutcome } from '../../../functions/core/volumes/work.ts';
import { takeLease } from '../../../functions/runtime/leases.ts';
import { DATA } from '../../support/builders.ts';
import { REFUSALS } from '../../support/fake-cluster.ts';
import { killAtEveryCall } from '../../support/kill.ts';
import { archiveOf, KINDS, thing } from '../../support/restores.ts';
import { NAME, STARTED, VerifyWorld } from '../../support/verify-world.ts';

const keys = vaultKeys('paris');
const ready = { observedGeneration: 1, readyReplicas: 2, updatedReplicas: 2 };
const web = (status: object = {}) =>
  thing(KINDS.deployments, 'web', { spec: { replicas: 2 }, status }, { generation: 1 });
const settings = (color: string, metadata: object = {}) =>
  thing(KINDS.configMaps, 'settings', { data: { color } }, metadata);

let world: VerifyWorld;
beforeEach(() => {
  world = new VerifyWorld();
});
const restored: VerifyWorld['restored'] = (...args) => world.restored(...args);
const there: VerifyWorld['there'] = (...things) => world.there(...things);
const verify = (seconds?: number) => world.verify(seconds);
const report = () => world.report();

describe('a restore in which everything is as it was asked for', () => {
  it('is Completed, is reported in numbers and in full, and frees the cluster', async () => {
    await restored([settings('red'), web()]);
    there(settings('red'), web(ready));
    expect(await verify()).toEqual({
      ...NAME,
      phase: 'Completed',
      waitSeconds: 0,
      seconds: 60,
      created: 2,
      updated: 0,
      unchanged: 0,
      skipped: 0,
      held: 0,
      failed: 0,
      differing: 0,
      changedSince: 0,
      notReady: 0,
      volumes: 0,
      failedVolumes: 0,
    });
    expect(report()).toEqual({
      ...NAME,
      phase: 'Completed',
      seconds: 60,
      notReady: [],
      notReadyBefore: [],
      differing: [],
      changedSince: [],
      volumes: [],
      skippedVolumes: [],
      items: [
        expect.objectContaining({ name: 'settings', result: 'created' }),
        expect.objectContaining({ name: 'web', result: 'created' }),
      ],
    });
    expect(world.hasLease).toBe(false);
  });

  it('counts objects that were skipped as asked for', async () => {
    await restored([settings('red')], { results: { settings: 'skipped' } });
    expect(await verify()).toMatchObject({ phase: 'Completed', created: 0 });
    expect(world.cluster.calls).toEqual([]);
  });

  it('is compared in the namespace that it was restored into', async () => {
    await restored([settings('red')], { plan: { options: { namespaceMapping: { shop: 'copy' } } } });
    there(thing(KINDS.configMaps, 'settings', { data: { color: 'red' } }, { namespace: 'copy' }));
    expect(await verify()).toMatchObject({ phase: 'Completed', differing: 0 });
  });

  it('lists once what is of one type and namespace', async () => {
    const many = Array.from({ length: 5 }, (_, i) => thing(KINDS.configMaps, `c${i}`, { data: {} }));
    await restored(many);
    there(...many);
    await verify();
    expect(world.cluster.calls).toEqual(['GET /api/v1/namespaces/shop/configmaps']);
  });
});

describe('a restore is PartiallyFailed', () => {
  it.each(['created', 'updated', 'unchanged'] as const)(
    'when an object that was %s was not taken as wanted, and names the fields',
    async (result) => {
      const differs = { settings: ['data.color'] };
      await restored([settings('red')], { results: { settings: result }, differs });
      there(settings('blue'));
      expect(await verify()).toMatchObject({ phase: 'PartiallyFailed', differing: 1 });
      expect(report()?.differing).toEqual(['configmaps shop/settings: data.color']);
    },
  );

  it('when an object is not there', async () => {
    await restored([settings('red')]);
    expect(await verify()).toMatchObject({ phase: 'PartiallyFailed', differing: 1 });
    expect(report()?.differing).toEqual(['configmaps shop/settings: is not there']);
  });

  it.each(['failed', 'held'] as const)('when an object was %s, which is not looked for', async (result) => {
    await restored([settings('red')], { results: { settings: result } });
    expect(await verify()).toMatchObject({ phase: 'PartiallyFailed', [result]: 1, differing: 0 });
  });

  it('when a volume failed, or has no result', async () => {
    const other = { ...DATA, id: 'shop.other', pvc: 'other' };
    const failed: VolumeOutcome = { ...DATA, result: 'failed', message: 'no space' };
    await restored([], { plan: { volumes: [DATA, other] }, volumes: [failed] });
    expect(await verify()).toMatchObject({ phase: 'PartiallyFailed', volumes: 1, failedVolumes: 2 });
    expect(report()).toMatchObject({ volumes: [failed], skippedVolumes: ['shop.other'] });
  });

  it('when it is of a Velero source and made claims, which stay empty', async () => {
    const claim = thing(KINDS.persistentVolumeClaims, 'data', { status: { phase: 'Bound' } });
    await restored([claim], { plan: { from: 'old' } });
    there(claim);
    expect(await verify()).toMatchObject({ phase: 'PartiallyFailed', failedVolumes: 1 });
    expect(report()?.skippedVolumes).toEqual(['shop.data']);
  });

  it('but not when that was asked for, or the claim was there before', async () => {
    const claim = thing(KINDS.persistentVolumeClaims, 'data', { status: { phase: 'Bound' } });
    await restored([claim], { plan: { from: 'old', fillsVolumes: false } });
    there(claim);
    expect(await verify()).toMatchObject({ phase: 'Completed' });
    await restored([claim], { plan: { from: 'old' }, results: { data: 'unchanged' } });
    expect(await verify()).toMatchObject({ phase: 'Completed' });
  });
});

describe('verifying a restore', () => {
  it('ends without a report, and holds the lease, when the API server does not answer', async () => {
    await restored([settings('red')]);
    world.cluster.refuse('GET', '/api/v1/namespaces/shop/configmaps', REFUSALS.busy);
    world.cluster.refuse('GET', '/api/v1', REFUSALS.busy);
    await expect(verify()).rejects.toMatchObject({ name: 'ClusterBusy' });
    expect([report(), world.hasLease]).toEqual([undefined, true]);
  });

  it('refuses an archive that is not the one that was planned from', async () => {
    await restored([settings('red')]);
    const other = await archiveOf(settings('planted'));
    world.vault.objects.set(keys.velero.archive(NAME.backup), { body: other.body, metadata: {} });
    await expect(verify()).rejects.toMatchObject({ name: 'RecoveryPointDamaged' });
  });

  it('does not take the lease of another restore away', async () => {
    await restored([settings('red')]);
    there(settings('red'));
    world.vault.objects.delete(keys.leases.restore);
    await takeLease({ vault: world.vault, now: STARTED, isGone: async () => false }, keys.leases.restore, {
      work: 'restore-2',
      execution: 'arn',
    });
    await verify();
    expect(world.hasLease).toBe(true);
  });

  it('that is killed at any call, ends as if it had not been, with the report before the lease is given back', async () => {
    const calls = await killAtEveryCall({
      prepare: async () => {
        world = new VerifyWorld();
        const differs = { settings: ['data.color'] };
        await restored([settings('red'), web()], { plan: { volumes: [DATA] }, volumes: [DATA], differs });
        there(settings('blue'), web(ready));
        return world;
      },
      run: (at: VerifyWorld, life) => at.verify(60, { life }),
      end: ({ vault }, result) => [
        result,
        [...vault.objects].map(([key, { body }]) => [key, `${body}`]).sort(),
      ],
      afterKill: () => {
        if (!world.hasLease) expect(report()).toBeDefined();
      },
    });
    expect(calls).toBeGreaterThan(10);
  });
});
