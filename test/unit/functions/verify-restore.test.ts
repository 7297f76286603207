import { beforeEach, describe, expect, it } from 'vitest';
import { encode } from '../../../functions/adapters/s3/documents.ts';
import type { KubeObject } from '../../../functions/core/kubernetes/resources.ts';
import { scopeOf } from '../../../functions/core/restore/restore-options.ts';
import { targetOf } from '../../../functions/core/restore/transform.ts';
import { vaultKeys } from '../../../functions/core/vault/vault-keys.ts';
import type { VolumeOutcome } from '../../../functions/core/volumes/work.ts';
import {
  type AppliedItem,
  type ItemResult,
  putApplied,
  putRestore,
  type StoredRestore,
} from '../../../functions/restore/documents.ts';
import { planArchive } from '../../../functions/restore/plan-restore/plan.ts';
import { type VerifyContext, verifyRestore } from '../../../functions/restore/verify-restore/verify.ts';
import { takeLease } from '../../../functions/runtime/leases.ts';
import { DATA } from '../../support/builders.ts';
import { FakeCluster, REFUSALS } from '../../support/fake-cluster.ts';
import { killAtEveryCall, Life } from '../../support/kill.ts';
import { MemoryVault } from '../../support/memory-vault.ts';
import { archiveOf, KINDS, type Thing, thing } from '../../support/restores.ts';

const keys = vaultKeys('paris');
const NAME = { restore: 'restore-20260201020000-abcdef', backup: 'daily-20260101000000' } as const;
const STARTED = new Date('2026-02-01T02:00:00Z');
const after = (seconds: number) => new Date(STARTED.getTime() + seconds * 1000);

const ready = { observedGeneration: 1, readyReplicas: 2 };
const web = (status: object = {}) =>
  thing(KINDS.deployments, 'web', { spec: { replicas: 2 }, status }, { generation: 1 });
const settings = (color: string) => thing(KINDS.configMaps, 'settings', { data: { color } });

interface World {
  readonly vault: MemoryVault;
  readonly cluster: FakeCluster;
}
const newWorld = (): World => ({
  vault: new MemoryVault('primary'),
  cluster: new FakeCluster(...Object.values(KINDS)),
});
let world: World;
beforeEach(() => {
  world = newWorld();
});

interface Restored {
  readonly plan?: Partial<StoredRestore>;
  /** How objects ended that did not end as `created`, by name. */
  readonly results?: Readonly<Record<string, ItemResult>>;
  readonly volumes?: readonly VolumeOutcome[];
}

/** A restore of these objects whose stages have ended, and that holds the lease. */
async function restored(things: readonly Thing[], { plan, results = {}, volumes = [] }: Restored = {}) {
  const { vault } = world;
  const { body, sha256 } = await archiveOf(...things);
  vault.objects.set(keys.velero.archive(NAME.backup), { body, metadata: {} });
  const options = plan?.options ?? {};
  const archive = await vault.stream(keys.velero.archive(NAME.backup));
  const { items } = await planArchive(archive, { sha256 }, scopeOf(options, ['shop']), options);
  const stored: StoredRestore = {
    ...NAME,
    from: 'primary',
    fillsVolumes: true,
    startedAt: STARTED.toISOString(),
    namespaces: ['shop'],
    options,
    archiveSha256: sha256,
    dryRun: false,
    volumes: [],
    ...plan,
  };
  await putRestore(vault, keys, stored, items);
  for (const stage of [1, 2] as const) {
    const applied = items
      .filter((i) => i.stage === stage)
      .map((item): AppliedItem => {
        const { groupResource, version, namespace, name } = targetOf(item, options);
        const from = `${groupResource}/${version}/${item.namespace ?? ''}/${item.name}`;
        const at = { groupResource, version, name, ...(namespace !== undefined && { namespace }) };
        return { ...at, from, result: results[name] ?? 'created' };
      });
    await putApplied(vault, keys.restores.applied(NAME.restore, stage), applied);
  }
  for (const volume of volumes) {
    const at = keys.restores.volume(NAME.restore, volume.id);
    vault.objects.set(at, { body: encode(volume), metadata: {} });
  }
  await takeLease({ vault, now: STARTED, isGone: async () => false }, keys.leases.restore, {
    work: NAME.restore,
    execution: 'arn',
  });
}
const there = (...things: Thing[]) => {
  for (const [type, object] of things) world.cluster.add(type, object);
};
const contextOf = (at: World, seconds = 60, life = new Life()): VerifyContext => ({
  vault: life.of(at.vault),
  keys,
  now: after(seconds),
  sourceOf: () => ({ vault: life.of(at.vault), archive: keys.velero.archive }),
  withCluster: (work) => work(life.of(at.cluster)),
});
const verify = (seconds?: number) => verifyRestore(contextOf(world, seconds), NAME);
const report = () => {
  const found = world.vault.objects.get(keys.restores.report(NAME.restore));
  return found && (JSON.parse(found.body.toString()) as Record<string, unknown>);
};
const hasLease = () => world.vault.objects.has(keys.leases.restore);

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
      held: 0,
      failed: 0,
      differing: 0,
      notReady: 0,
      volumes: 0,
      failedVolumes: 0,
    });
    expect(report()).toEqual({
      ...NAME,
      phase: 'Completed',
      seconds: 60,
      notReady: [],
      differing: [],
      volumes: [],
      skippedVolumes: [],
      items: [
        expect.objectContaining({ name: 'settings', result: 'created' }),
        expect.objectContaining({ name: 'web', result: 'created' }),
      ],
    });
    expect(hasLease()).toBe(false);
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
    'when an object that was %s differs, and names the fields',
    async (result) => {
      await restored([settings('red')], { results: { settings: result } });
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
    const claim = thing(KINDS.persistentVolumeClaims, 'data');
    await restored([claim], { plan: { from: 'old' } });
    there(claim);
    expect(await verify()).toMatchObject({ phase: 'PartiallyFailed', failedVolumes: 1 });
    expect(report()?.skippedVolumes).toEqual(['shop.data']);
  });

  it('but not when that was asked for, or the claim was there before', async () => {
    const claim = thing(KINDS.persistentVolumeClaims, 'data');
    await restored([claim], { plan: { from: 'old', fillsVolumes: false } });
    there(claim);
    expect(await verify()).toMatchObject({ phase: 'Completed' });
    await restored([claim], { plan: { from: 'old' }, results: { data: 'unchanged' } });
    expect(await verify()).toMatchObject({ phase: 'Completed' });
  });
});

describe('a workload that is not ready', () => {
  it('is waited for, and nothing is written meanwhile', async () => {
    await restored([web()]);
    there(web({ ...ready, readyReplicas: 1 }));
    expect(await verify(599)).toEqual({ ...NAME, waitSeconds: 3, notReady: 1 });
    expect([report(), hasLease()]).toEqual([undefined, true]);
  });

  it('is reported after ten minutes', async () => {
    await restored([web()]);
    there(web({ ...ready, readyReplicas: 1 }));
    expect(await verify(600)).toMatchObject({ phase: 'PartiallyFailed', notReady: 1, waitSeconds: 0 });
    expect(report()?.notReady).toEqual(['deployments.apps shop/web: 1 of 2 ready']);
    expect(hasLease()).toBe(false);
  });

  it('ends the wait when it becomes ready', async () => {
    await restored([web()]);
    there(web());
    expect(await verify(5)).toMatchObject({ waitSeconds: 3 });
    (world.cluster.find(KINDS.deployments, 'web', 'shop') as KubeObject).status = ready;
    expect(await verify(8)).toMatchObject({ phase: 'Completed', seconds: 8 });
  });
});

describe('verifying a restore', () => {
  it('ends without a report, and holds the lease, when the cluster refuses a list', async () => {
    await restored([settings('red')]);
    world.cluster.refuse('GET', '/api/v1/namespaces/shop/configmaps', REFUSALS.busy);
    await expect(verify()).rejects.toMatchObject({ name: 'ClusterBusy' });
    expect([report(), hasLease()]).toEqual([undefined, true]);
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
    expect(hasLease()).toBe(true);
  });

  it('that is killed at any call, ends as if it had not been, with the report before the lease is given back', async () => {
    const calls = await killAtEveryCall({
      prepare: async () => {
        world = newWorld();
        await restored([settings('red'), web()], { plan: { volumes: [DATA] }, volumes: [DATA] });
        there(settings('blue'), web(ready));
        return world;
      },
      run: (at: World, life) => verifyRestore(contextOf(at, 60, life), NAME),
      end: ({ vault }, result) => [
        result,
        [...vault.objects].map(([key, { body }]) => [key, `${body}`]).sort(),
      ],
      afterKill: () => {
        if (!hasLease()) expect(report()).toBeDefined();
      },
    });
    expect(calls).toBeGreaterThan(10);
  });
});
