import { gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, it } from 'vitest';
import { encode } from '../../../functions/adapters/s3/documents.ts';
import { HoldfastError } from '../../../functions/contract/holdfast-error.ts';
import type { RestoreInput } from '../../../functions/contract/restore-options.ts';
import { restoreName } from '../../../functions/core/backup/backup-name.ts';
import { TYPES } from '../../../functions/core/kubernetes/well-known.ts';
import { vaultKeys, veleroKeys } from '../../../functions/core/vault/vault-keys.ts';
import type { KubeClient } from '../../../functions/ports/kubernetes.ts';
import { getItems, getRestore } from '../../../functions/restore/documents.ts';
import { type PlanContext, planRestore } from '../../../functions/restore/plan-restore/plan-restore.ts';
import { madeObjects } from '../../../functions/runtime/jobs/made-objects.ts';
import { releaseLease, takeLease } from '../../../functions/runtime/leases.ts';
import { DATA } from '../../support/builders.ts';
import { FakeCluster } from '../../support/fake-cluster.ts';
import { keyPair } from '../../support/key-pair.ts';
import { killAtEveryCall, Life } from '../../support/kill.ts';
import { MemoryCluster } from '../../support/memory-cluster.ts';
import { MemoryVault } from '../../support/memory-vault.ts';
import { putRecoveryPoint } from '../../support/recovery-points.ts';
import { archiveOf, KINDS, thing } from '../../support/restores.ts';

const keys = vaultKeys('paris');
const old = veleroKeys('old/');
const signer = keyPair();
const NOW = new Date('2026-02-01T02:00:00Z');
const EXECUTION = 'arn:aws:states:::execution:holdfast-paris-restore:1';
const RESTORE = restoreName(NOW, EXECUTION);
const [FIRST, SECOND] = ['daily-20260101000000', 'daily-20260102000000'] as const;
const SHOP = [
  thing(KINDS.namespaces, 'shop'),
  thing(KINDS.configMaps, 'settings', { data: { color: 'red' } }),
  thing(KINDS.pods, 'done', { status: { phase: 'Succeeded' } }),
  thing(KINDS.persistentVolumeClaims, 'data', { spec: { storageClassName: 'fast' } }),
  thing(KINDS.roles, 'root', { rules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }] }),
];

interface World {
  readonly primary: MemoryVault;
  readonly replica: MemoryVault;
  readonly velero: MemoryVault;
  /** The cluster that is restored into. */
  readonly cluster: FakeCluster;
}
const newWorld = (): World => ({
  primary: new MemoryVault('primary'),
  replica: new MemoryVault('replica'),
  velero: new MemoryVault('company-velero'),
  cluster: new FakeCluster(...Object.values(KINDS)),
});
let world: World;
beforeEach(() => {
  world = newWorld();
});

const contextOf = (at: World, life = new Life()): PlanContext => {
  const sources = {
    primary: { vault: life.of(at.primary), archive: keys.velero.archive },
    replica: { vault: life.of(at.replica), archive: keys.velero.archive },
    old: { vault: life.of(at.velero), archive: old.archive, velero: old },
  };
  return {
    vault: sources.primary.vault,
    keys,
    verifier: life.of(signer),
    now: NOW,
    sourceOf: (from) => {
      const source = sources[from as keyof typeof sources];
      if (source) return source;
      throw new HoldfastError('InputInvalid', `from: there is no source "${from}"`);
    },
    isGone: async () => false,
    withCluster: (work) => work(life.of(at.cluster)),
  };
};
const plan = (input: Partial<RestoreInput> = {}, over: Partial<PlanContext> = {}) =>
  planRestore(
    { ...contextOf(world), ...over },
    { input: { backup: 'latest', ...input }, startedAt: NOW.toISOString(), execution: EXECUTION },
  );
const put = (backup: string, over: Partial<Parameters<typeof putRecoveryPoint>[3]> = {}) =>
  putRecoveryPoint(world.primary, backup, SHOP, { signer, volumes: [DATA], ...over });
const written = () => [...world.primary.objects.keys()].filter((key) => /^(restores|leases)\//.test(key));
const error = (name: string, words: RegExp) => ({ name, message: expect.stringMatching(words) });

describe('the recovery point of a restore', () => {
  it('is, as latest, the newest that is Completed', async () => {
    await put(FIRST);
    await put(SECOND);
    await put('daily-20260103000000', { phase: 'PartiallyFailed' });
    expect(await plan()).toMatchObject({ backup: SECOND, plan: 'daily', from: 'primary' });
  });

  it('is, as latest of a plan, that plan’s', async () => {
    await put(FIRST);
    await put('hourly-20260102000000', { plan: 'hourly' });
    expect(await plan({ plan: 'daily' })).toMatchObject({ backup: FIRST });
    await expect(plan({ plan: 'weekly' })).rejects.toMatchObject(
      error('RecoveryPointNotFound', /no Completed recovery point of plan weekly in bucket primary/),
    );
  });

  it('is by name also one that is PartiallyFailed', async () => {
    await put(FIRST, { phase: 'PartiallyFailed' });
    expect(await plan({ backup: FIRST })).toMatchObject({ backup: FIRST });
  });

  it.each([
    ['daily-20260109000000', /daily-20260109000000 is not in bucket primary/],
    ['no name', /no name is not in bucket primary/],
  ])('that is not there is named: %s', async (backup, words) => {
    await expect(plan({ backup })).rejects.toMatchObject(error('RecoveryPointNotFound', words));
  });

  it('that failed and holds nothing says why', async () => {
    await put(FIRST, { phase: 'Failed', reasons: ['the cluster was down'], resources: undefined });
    await expect(plan({ backup: FIRST })).rejects.toMatchObject(
      error('RecoveryPointNotFound', /failed and holds nothing: the cluster was down/),
    );
  });

  it('is read in the replica when that is said, and its documents are written to the primary', async () => {
    await putRecoveryPoint(world.replica, FIRST, SHOP, { signer });
    expect(await plan({ from: 'replica' })).toMatchObject({ backup: FIRST, from: 'replica' });
    expect([...world.replica.objects.keys()].filter((key) => key.startsWith('restores/'))).toEqual([]);
    expect(written()).toHaveLength(3);
  });
});

describe('a recovery point that cannot be trusted is refused, and nothing is written:', () => {
  const refused = async (name: string, words: RegExp, input: Partial<RestoreInput> = {}) => {
    await expect(plan(input)).rejects.toMatchObject(error(name, words));
    expect(written()).toEqual([]);
  };
  const spoil = (key: string, change: (body: Buffer) => Buffer) => {
    const { body } = world.primary.objects.get(key) as { body: Buffer };
    world.primary.objects.set(key, { body: change(body), metadata: {} });
  };
  const record = keys.records.record(FIRST);

  it('a record that was changed after it was signed', async () => {
    await put(FIRST);
    spoil(record, (body) => Buffer.from(body.toString().replace('"shop"', '"bank"')));
    await refused('RecordForged', /is not what Holdfast signed/, { backup: FIRST });
  });

  it('the record of another recovery point in its place', async () => {
    await put(FIRST);
    await put(SECOND);
    spoil(record, () => world.primary.objects.get(keys.records.record(SECOND))?.body as Buffer);
    await refused('RecordForged', /is the record of daily-20260102000000/, { backup: FIRST });
  });

  it('a record without a signature, unless that is allowed', async () => {
    const unsigned = await put(FIRST);
    spoil(record, () => encode(unsigned));
    await refused('RecordUnsigned', /"allowUnsigned": true/);
    expect(await plan({ allowUnsigned: true })).toMatchObject({ backup: FIRST });
  });

  it('an archive that is missing', async () => {
    await put(FIRST);
    world.primary.objects.delete(keys.velero.archive(FIRST));
    await refused('VaultObjectMissing', /tar\.gz does not exist in bucket primary/);
  });

  it('an archive of another backup in its place', async () => {
    await put(FIRST);
    const other = await archiveOf(thing(KINDS.configMaps, 'planted'));
    spoil(keys.velero.archive(FIRST), () => other.body);
    await refused('RecoveryPointDamaged', /the archive has sha256 .*, but its record has/);
  });

  it('a document beside the archive that was changed', async () => {
    await put(FIRST);
    spoil(keys.velero.resourceList(FIRST), () => Buffer.from('?'));
    await refused('RecoveryPointDamaged', /resource-list.json.gz has sha256 .*Restore from the other copy/);
  });
});

describe('the plan of a restore', () => {
  it('has a line for each object, in order of work, with what happens to it and why', async () => {
    await put(FIRST);
    expect(await plan()).toEqual({
      restore: RESTORE,
      backup: FIRST,
      plan: 'daily',
      from: 'primary',
      dryRun: false,
      items: 3,
      volumes: 1,
    });
    const items = await getItems(world.primary, keys, RESTORE);
    expect(items.map((i) => [i.name, i.action, i.reason])).toEqual([
      ['shop', 'create', undefined],
      ['data', 'create', undefined],
      [
        'root',
        'hold',
        expect.stringMatching(
          /^it lets whoever is bound to it change everything of the cluster; to restore it, set "allow"/,
        ),
      ],
      ['settings', 'create', undefined],
      ['done', 'skip', 'the pod has ended'],
    ]);
    expect(await getRestore(world.primary, keys, RESTORE)).toMatchObject({
      namespaces: ['shop'],
      startedAt: NOW.toISOString(),
      volumes: [DATA],
      fillsVolumes: true,
      dryRun: false,
    });
  });

  it.each([
    ['grants no more', 'configmaps', true, 'create'],
    ['reads Secrets', 'secrets', true, 'hold'],
    ['alone is there, and harmless', 'configmaps', false, 'create'],
    ['alone is there, and reads Secrets', 'secrets', false, 'hold'],
  ])(
    'judges a binding by the role of that name in the cluster too: one that %s',
    async (_, resource, isArchived, action) => {
      const role = (of: string) => ({ rules: [{ apiGroups: [''], resources: [of], verbs: ['get'] }] });
      const binding = {
        roleRef: { kind: 'ClusterRole', name: 'ops' },
        subjects: [{ kind: 'ServiceAccount', name: 'web', namespace: 'shop' }],
      };
      const own = isArchived ? [thing(KINDS.roles, 'ops', role('pods'))] : [];
      const things = [...own, thing(KINDS.bindings, 'web', binding)];
      await putRecoveryPoint(world.primary, FIRST, [...SHOP, ...things], { signer });
      world.cluster.add(...thing(KINDS.roles, 'ops', role(resource)));
      await plan();
      const items = await getItems(world.primary, keys, RESTORE);
      expect(items.filter((i) => i.name === 'web').map((i) => i.action)).toEqual([action]);
    },
  );

  it('judges a binding by the Role of its namespace in the cluster, too', async () => {
    const own = {
      type: KINDS.namespacedRoles,
      rules: (verbs: string[]) => ({ rules: [{ apiGroups: [], resources: [], verbs }] }),
    };
    const binding = {
      roleRef: { kind: 'Role', name: 'ops' },
      subjects: [{ kind: 'ServiceAccount', name: 'web' }],
    };
    const bindings = { ...KINDS.bindings, resource: 'rolebindings', kind: 'RoleBinding', namespaced: true };
    const things = [thing(own.type, 'ops', own.rules(['get'])), thing(bindings, 'web', binding)];
    await putRecoveryPoint(world.primary, FIRST, [...SHOP, ...things], { signer });
    world.cluster.add(...thing(own.type, 'ops', own.rules(['escalate'])));
    await plan();
    const items = await getItems(world.primary, keys, RESTORE);
    expect(items.find((i) => i.name === 'web')?.reason).toMatch(
      /^it lets shop\/web give rights .* \(Role ops\)/,
    );
  });

  it.each([
    ['of this cluster', '10.0.0.7', true],
    ['of this cluster, in another form', '::ffff:a00:8', true],
    ['of the original cluster', '10.1.0.1', true],
    ['of a database', '10.0.0.9', false],
  ])('holds endpoints that lead to the API server: %s', async (_, ip, isHeld) => {
    const endpoints = (address: string) => ({ subsets: [{ addresses: [{ ip: address }] }] });
    const things = [
      thing(KINDS.endpoints, 'kubernetes', endpoints('10.1.0.1'), { namespace: 'default' }),
      thing(KINDS.endpoints, 'db', endpoints(ip)),
    ];
    await putRecoveryPoint(world.primary, FIRST, [...SHOP, ...things], { signer });
    world.cluster.add(
      ...thing(KINDS.endpoints, 'kubernetes', endpoints('10.0.0.7'), { namespace: 'default' }),
    );
    const service = { spec: { clusterIP: '10.0.0.8', clusterIPs: ['10.0.0.8'] } };
    world.cluster.add(...thing(KINDS.services, 'kubernetes', service, { namespace: 'default' }));
    const actionOf = async (input: Partial<RestoreInput> = {}) => {
      await plan(input);
      return (await getItems(world.primary, keys, RESTORE)).find((i) => i.name === 'db')?.action;
    };
    expect(await actionOf()).toBe(isHeld ? 'hold' : 'create');
    expect(await actionOf({ allow: ['endpoints/shop/db'] })).toBe('create');
  });

  it('acquires the lease of the cluster for its execution; a dry run acquires none, even while another restore is running', async () => {
    await put(FIRST);
    await plan();
    expect(world.primary.objects.get(keys.leases.restore)?.body.toString()).toContain(EXECUTION);
    world.primary.objects.delete(keys.leases.restore);
    await takeLease({ vault: world.primary, now: NOW, isGone: async () => false }, keys.leases.restore, {
      work: 'restore-1',
      execution: 'arn',
    });
    expect(await plan({ dryRun: true })).toMatchObject({ dryRun: true, items: 3 });
    await expect(plan()).rejects.toMatchObject(
      error('RestoreInProgress', /restore-1 \(arn\) is running in this cluster/),
    );
  });

  it('waits for a prune that is running, and keeps the next one from starting', async () => {
    await put(FIRST);
    const leases = { vault: world.primary, now: NOW, isGone: async () => false };
    const prune = { work: 'prune-20260201015900-abcdef', execution: 'arn:1' };
    await takeLease(leases, keys.leases.prune, prune);
    expect(await plan()).toMatchObject({
      restore: RESTORE,
      items: 0,
      waits: 'prune-20260201015900-abcdef (arn:1) is pruning in this cluster',
    });
    expect(written()).toEqual([keys.leases.prune, keys.leases.restore].sort());
    expect(await plan({ dryRun: true })).not.toHaveProperty('waits');
    await releaseLease(world.primary, keys.leases.prune, prune.work);
    expect(await plan()).toMatchObject({ backup: FIRST, items: 3 });
  });

  it('ends the Jobs of a prune that was stopped, and waits until their pods are gone', async () => {
    await put(FIRST);
    const jobs = new MemoryCluster(NOW);
    const dir = keys.runs.dir('prune-20260201015900-abcdef');
    const made = madeObjects({ cluster: jobs, vault: world.primary, now: NOW }, dir);
    const job = (name: string) => ({ metadata: { name, namespace: 'holdfast' } });
    await made.make({ kind: 'job', id: 'shop', attempt: 1 }, 'holdfast', job);
    let pods = 2;
    const client = {
      ...world.cluster,
      call: (...[method, path, options]: Parameters<KubeClient['call']>) => {
        if (!path.includes('/jobs/')) return world.cluster.call(method, path, options);
        // The Job is there until its pods are gone.
        return method === 'DELETE' && pods-- > 0
          ? Promise.resolve({ status: 200, body: Buffer.from('{}') })
          : jobs.call(method, path, options);
      },
    } as unknown as KubeClient;
    const withCluster: PlanContext['withCluster'] = (work) => work(client);
    const look = async () => (await plan({}, { withCluster })).waits;
    const waits = '1 Jobs of a prune that was stopped are ending';
    expect([await look(), await look(), await look()]).toEqual([waits, waits, undefined]);
    expect([jobs.all(TYPES.jobs), await made.slots()]).toEqual([[], []]);
  });

  it('takes over the lease of an execution that has ended without giving it back', async () => {
    await put(FIRST);
    await takeLease({ vault: world.primary, now: NOW, isGone: async () => false }, keys.leases.restore, {
      work: 'restore-1',
      execution: 'arn',
    });
    await plan({}, { isGone: async (holder) => holder.work === 'restore-1' && holder.execution === 'arn' });
    expect(world.primary.objects.get(keys.leases.restore)?.body.toString()).toContain(RESTORE);
  });

  it('has the volumes with a snapshot whose claims it creates, or none when that is said', async () => {
    const { snapshot: _, ...unsaved } = DATA;
    const volumes = [DATA, { ...unsaved, id: 'shop.lost' }, { ...DATA, id: 'bank.data', namespace: 'bank' }];
    const things = [...SHOP, thing(KINDS.persistentVolumeClaims, 'data', {}, { namespace: 'bank' })];
    await putRecoveryPoint(world.primary, FIRST, things, { signer, volumes, namespaces: ['bank', 'shop'] });
    expect(await plan({ namespaces: ['shop'] })).toMatchObject({ volumes: 1 });
    expect(await plan()).toMatchObject({ volumes: 2 });
    expect(await plan({ includedResources: ['configmaps'] })).toMatchObject({ volumes: 0 });
    expect(await plan({ volumes: false })).toMatchObject({ volumes: 0 });
    expect((await getRestore(world.primary, keys, RESTORE)).fillsVolumes).toBe(false);
  });

  it('of namespaces by name has only the cluster-scoped objects that belong to them', async () => {
    await put(FIRST);
    expect(await plan({ namespaces: ['shop'] })).toMatchObject({ items: 3 });
    const names = async () => (await getItems(world.primary, keys, RESTORE)).map((i) => i.name);
    expect(await names()).not.toContain('root');
    await plan({ namespaces: ['shop'], includeClusterResources: true });
    expect(await names()).toContain('root');
    await plan({ namespaces: ['*'] });
    expect(await names()).toContain('root');
  });

  it.each<[Partial<RestoreInput>, RegExp]>([
    [
      { includedResources: ['configmap'] },
      /"configmap" names no type of the recovery point; did you mean "configmaps"\?/,
    ],
    [{ includedResources: ['widgets.example.com'] }, /names no type of the recovery point/],
    [{ excludedResources: ['sa'] }, /recovery point or the cluster; did you mean "serviceaccounts"\?/],
    [{ restoreStatus: ['Widget'] }, /did you mean "widgets.example.com"\?/],
    [{ labelSelector: 'app=nothing' }, /label selector "app=nothing" matches no object/],
    [
      { includedResources: ['pods'] },
      /nothing that was asked for is ever restored: pods shop\/done: the pod has/,
    ],
    [{ namespaceMapping: { shpo: 'copy' } }, /does not hold namespace shpo; it holds: shop/],
    [{ storageClassMapping: { fast: 'gone' } }, /neither .* has storage class gone; they have slow/],
    [{ storageClassMapping: { none: 'slow' } }, /no claim .* has storage class none; they have fast/],
    [
      { resourceModifiers: [{ conditions: { groupResource: 'deployment' }, patches: [] }] },
      /resourceModifiers: "deployment" names no type .* did you mean "deployments.apps"\?/,
    ],
  ])('is refused before anything is written for %j', async (input, words) => {
    await put(FIRST);
    world.cluster.add(KINDS.storageClasses, { metadata: { name: 'slow' } });
    await expect(plan(input)).rejects.toMatchObject(error('RestoreRefused', words));
    expect(written()).toEqual([]);
  });

  it('takes types that only the cluster has where they need not be in the recovery point', async () => {
    await put(FIRST);
    world.cluster.add(KINDS.storageClasses, { metadata: { name: 'slow' } });
    const conditions = { groupResource: 'widgets.example.com' };
    expect(
      await plan({
        excludedResources: ['deployments.apps'],
        resourceModifiers: [{ conditions, patches: [] }],
        storageClassMapping: { fast: 'slow' },
        namespaceMapping: { shop: 'copy' },
      }),
    ).toMatchObject({ items: 3 });
  });

  it('says that the cluster cannot be reached, and nothing is written', async () => {
    await put(FIRST);
    world.cluster.refuse('GET', '/apis', { status: 503, message: 'no route' });
    await expect(plan()).rejects.toMatchObject(error('ClusterBusy', /GET \/apis: 503 no route/));
    expect(written()).toEqual([]);
  });

  it('refuses namespaces that the recovery point does not hold, and names those that it does', async () => {
    await put(FIRST);
    await expect(plan({ namespaces: ['shop', 'bank'] })).rejects.toMatchObject(
      error('RestoreRefused', /does not hold namespace bank\. It holds: shop/),
    );
  });

  it('for files has the one volume and no objects; a volume without a snapshot is refused', async () => {
    await put(FIRST);
    const files = { volume: 'shop/data', include: ['/a'] };
    expect(await plan({ files })).toMatchObject({ items: 0, volumes: 1 });
    await expect(plan({ files: { ...files, volume: 'shop/other' } })).rejects.toMatchObject(
      error('RestoreRefused', /holds no snapshot of volume shop\/other\. It holds: shop\/data/),
    );
  });
});

describe('a restore from a Velero source', () => {
  const putVelero = async (phase = 'Completed') => {
    const objects: Record<string, Buffer> = {
      [old.backup('weekly')]: encode({
        metadata: { name: 'weekly' },
        status: { phase, startTimestamp: '2026-01-01T00:00:00Z' },
      }),
      [old.resourceList('weekly')]: gzipSync(JSON.stringify({ 'v1/Namespace': ['shop'] })),
      [old.archive('weekly')]: (await archiveOf(...SHOP)).body,
    };
    for (const [key, body] of Object.entries(objects)) world.velero.objects.set(key, { body, metadata: {} });
  };

  it('plans the same objects, and no volumes', async () => {
    await putVelero();
    expect(await plan({ from: 'old' })).toMatchObject({ backup: 'weekly', plan: '', items: 3, volumes: 0 });
  });

  it('refuses a backup that Velero did not end', async () => {
    await putVelero('InProgress');
    await expect(plan({ from: 'old', backup: 'weekly' })).rejects.toMatchObject(
      error('RestoreRefused', /backup weekly is InProgress/),
    );
  });

  it('refuses a source that is not configured', async () => {
    await expect(plan({ from: 'nowhere' })).rejects.toMatchObject(
      error('InputInvalid', /no source "nowhere"/),
    );
  });
});

describe('planning that is killed', () => {
  it('at any call, ends as it would have when it is called again', async () => {
    const calls = await killAtEveryCall({
      prepare: async () => {
        world = newWorld();
        await put(FIRST);
        await put(SECOND);
        return world;
      },
      run: (at: World, life) =>
        planRestore(contextOf(at, life), {
          input: { backup: 'latest' },
          startedAt: NOW.toISOString(),
          execution: EXECUTION,
        }),
      end: ({ primary }, result) => [
        result,
        [...primary.objects]
          .map(([key, { body }]) => [key, /^(restores|leases)/.test(key) ? `${body}` : key])
          .sort(),
      ],
      afterKill: ({ primary }) => {
        // Its items are there before the plan that speaks of them.
        if (primary.objects.has(keys.restores.plan(RESTORE)))
          expect(primary.objects.has(keys.restores.items(RESTORE))).toBe(true);
      },
    });
    expect(calls).toBeGreaterThan(6);
  });
});
