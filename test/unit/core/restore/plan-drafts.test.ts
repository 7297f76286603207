import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RestoreOptions } from '../../../../functions/contract/restore-options.ts';
import type { PlanItem } from '../../../../functions/core/restore/restore-plan.ts';
import { at } from '../../../support/archived.ts';
import { planOfObjects, type Stored } from '../../../support/plans.ts';

interface Ref {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
}
const owner = (apiVersion: string, kind: string, name: string): Ref => ({
  apiVersion,
  kind,
  name,
  uid: `${kind}-${name}`,
});
const ownedBy = (reference: Ref, controller = true) => ({ ownerReferences: [{ ...reference, controller }] });
const stored = (type: string, name: string, metadata: object = {}, body: object = {}): Stored => [
  at(type, name),
  { metadata: { name, namespace: 'shop', ...metadata }, ...body },
];
const NAMESPACE: Stored = [
  { ...at('namespaces', 'shop'), namespace: undefined },
  { metadata: { name: 'shop' } },
];

const DEPLOYMENT = owner('apps/v1', 'Deployment', 'web');
const REPLICA_SET = owner('apps/v1', 'ReplicaSet', 'web-1');
const deployment = (body: object = {}, metadata: object = {}) =>
  stored('deployments.apps', 'web', { uid: DEPLOYMENT.uid, ...metadata }, body);
const replicaSet = (metadata: object = {}) =>
  stored('replicasets.apps', 'web-1', { uid: REPLICA_SET.uid, ...ownedBy(DEPLOYMENT), ...metadata });
const pod = (metadata: object = {}) =>
  stored('pods', 'web-1-x', { uid: 'pod', ...ownedBy(REPLICA_SET), ...metadata });
const DEPLOYMENT_KEY = 'deployments.apps/v1/shop/web';

const plan = (things: readonly Stored[], options: RestoreOptions = {}, isFiltered = false) => {
  const items = planOfObjects([NAMESPACE, ...things], { options, isFiltered });
  return (name: string): PlanItem | undefined => items.find((i) => i.name === name);
};

describe('what a built-in controller makes again from its owner', () => {
  it.each<[string, string, Ref, string]>([
    ['pods', 'x', owner('apps/v1', 'ReplicaSet', 'o'), 'replicasets.apps'],
    ['pods', 'x', owner('apps/v1', 'StatefulSet', 'o'), 'statefulsets.apps'],
    ['pods', 'x', owner('apps/v1', 'DaemonSet', 'o'), 'daemonsets.apps'],
    ['pods', 'x', owner('batch/v1', 'Job', 'o'), 'jobs.batch'],
    ['pods', 'x', owner('v1', 'ReplicationController', 'o'), 'replicationcontrollers'],
    ['replicasets.apps', 'x', owner('apps/v1', 'Deployment', 'o'), 'deployments.apps'],
    ['replicasets.apps', 'x', owner('extensions/v1beta1', 'Deployment', 'o'), 'deployments.apps'],
    ['jobs.batch', 'x', owner('batch/v1', 'CronJob', 'o'), 'cronjobs.batch'],
    ['controllerrevisions.apps', 'x', owner('apps/v1', 'StatefulSet', 'o'), 'statefulsets.apps'],
    ['controllerrevisions.apps', 'x', owner('apps/v1', 'DaemonSet', 'o'), 'daemonsets.apps'],
    ['endpointslices.discovery.k8s.io', 'x', owner('v1', 'Service', 'o'), 'services'],
    ['endpointslices.discovery.k8s.io', 'x', owner('v1', 'Endpoints', 'o'), 'endpoints'],
    ['persistentvolumeclaims', 'o-scratch', owner('v1', 'Pod', 'o'), 'pods'],
    ['resourceclaims.resource.k8s.io', 'o-gpu-x', owner('v1', 'Pod', 'o'), 'pods'],
  ])('%s %s of %j is left to it', (type, name, reference, ownerType) => {
    const things = [stored(type, name, ownedBy(reference)), stored(ownerType, 'o', { uid: reference.uid })];
    for (const order of [things, things.toReversed()])
      expect(plan(order)(name)).toMatchObject({
        action: 'skip',
        reason: `created by ${reference.kind}/o`,
        madeBy: `${ownerType}/v1/shop/o`,
      });
    // A custom resource of the same kind does not make it, nor an owner that does not control it.
    const custom = { ...reference, apiVersion: 'example.com/v1' };
    expect(
      plan([stored(type, name, ownedBy(custom)), stored(ownerType, 'o', { uid: reference.uid })])(name),
    ).toMatchObject({ action: 'create' });
    expect(
      plan([stored(type, name, ownedBy(reference, false)), stored(ownerType, 'o', { uid: reference.uid })])(
        name,
      ),
    ).toMatchObject({ action: 'create' });
  });

  it('is left to it over several steps, and names the object that is created', () => {
    const of = plan([
      pod(),
      replicaSet(),
      deployment(),
      stored('persistentvolumeclaims', 'web-1-x-scratch', ownedBy(owner('v1', 'Pod', 'web-1-x'))),
    ]);
    expect(of('web-1')).toMatchObject({ action: 'skip', madeBy: DEPLOYMENT_KEY });
    expect(of('web-1-x')).toMatchObject({
      action: 'skip',
      reason: 'created by ReplicaSet/web-1',
      madeBy: DEPLOYMENT_KEY,
    });
  });

  it('is left to it when a step between is of a type that was not asked for', () => {
    const options = { excludedResources: ['replicasets.apps'] };
    expect(plan([pod(), replicaSet(), deployment()], options)('web-1-x')).toMatchObject({
      action: 'skip',
      madeBy: DEPLOYMENT_KEY,
    });
  });

  it('is created when the owner is not in the recovery point', () => {
    expect(plan([pod()])('web-1-x')?.action).toBe('create');
  });

  it('is created when the owner is out of scope', () => {
    expect(
      plan([pod(), replicaSet(), deployment()], { includedResources: ['pods'] })('web-1-x'),
    ).toMatchObject({
      action: 'create',
      owners: [{ key: 'replicasets.apps/v1/shop/web-1', controller: true }],
    });
  });

  it('is created when the object with that uid is of another type or namespace', () => {
    const elsewhere: Stored = [
      at('replicasets.apps', 'web-1', 'bank'),
      { metadata: { uid: REPLICA_SET.uid } },
    ];
    const items = planOfObjects([pod(), elsewhere], { namespaces: ['shop', 'bank'] });
    expect(items.find((i) => i.name === 'web-1-x')?.action).toBe('create');
    expect(plan([pod(), stored('configmaps', 'web-1', { uid: REPLICA_SET.uid })])('web-1-x')?.action).toBe(
      'create',
    );
  });

  it('is left to an owner that is held, and names it: it is not held by itself', () => {
    const spec = { spec: { template: { spec: { hostPID: true } } } };
    const privileged = stored('pods', 'web-1-x', ownedBy(REPLICA_SET), { spec: { hostPID: true } });
    const of = plan([privileged, replicaSet(), deployment(spec)]);
    expect(of('web')?.action).toBe('hold');
    for (const name of ['web-1', 'web-1-x'])
      expect(of(name)).toMatchObject({ action: 'skip', madeBy: DEPLOYMENT_KEY });
  });

  it('goes with an owner that has ended or was being deleted', () => {
    const job = owner('batch/v1', 'Job', 'once');
    const ended = { status: { conditions: [{ type: 'Complete', status: 'True' }] } };
    const of = plan([
      stored('pods', 'left', ownedBy(job)),
      stored('jobs.batch', 'once', { uid: job.uid }, ended),
    ]);
    expect(of('left')).toMatchObject({
      action: 'skip',
      reason: 'created by Job/once, which is not restored: the Job has ended',
    });
    const gone = plan([replicaSet(), deployment({}, { deletionTimestamp: '2026-01-01T00:00:00Z' })]);
    expect(gone('web-1')?.action).toBe('skip');
  });

  it('is not a Job that somebody started by hand from a CronJob', () => {
    const cron = owner('batch/v1', 'CronJob', 'nightly');
    const annotations = { 'cronjob.kubernetes.io/instantiate': 'manual' };
    const things = [
      stored('jobs.batch', 'by-hand', { ...ownedBy(cron), annotations }),
      stored('cronjobs.batch', 'nightly', { uid: cron.uid }),
    ];
    expect(plan(things)('by-hand')?.action).toBe('create');
  });

  it('is the claim of an ephemeral volume even without its pod, and no other claim of a pod', () => {
    const claim = (name: string) =>
      stored('persistentvolumeclaims', name, ownedBy(owner('v1', 'Pod', 'driver')));
    const of = plan([claim('driver-scratch'), claim('exec-1-data')]);
    expect(of('driver-scratch')?.action).toBe('skip');
    expect(of('exec-1-data')?.action).toBe('create');
  });
});

describe('what an operator made', () => {
  const cluster = owner('postgresql.cnpg.io/v1', 'Cluster', 'main');
  const things = [
    stored('clusters.postgresql.cnpg.io', 'main', { uid: cluster.uid }),
    stored('secrets', 'main-password', ownedBy(cluster)),
    stored('persistentvolumeclaims', 'main-1', ownedBy(cluster)),
    stored('pods', 'main-pod', ownedBy(cluster)),
  ];
  it('is created, with the owners that are in the recovery point', () => {
    for (const name of ['main-password', 'main-1', 'main-pod'])
      expect(plan(things)(name)).toMatchObject({
        action: 'create',
        owners: [{ key: 'clusters.postgresql.cnpg.io/v1/shop/main', controller: true }],
      });
  });
  it('is created when only its type was asked for', () => {
    expect(plan(things, { includedResources: ['secrets'] })('main-password')?.action).toBe('create');
  });

  it('is created whatever the owner is, unless that is a built-in type: for any kind in any other group', () => {
    const kinds = fc.constantFrom(
      'Deployment',
      'ReplicaSet',
      'Job',
      'CronJob',
      'StatefulSet',
      'Pod',
      'Service',
    );
    const children = fc.constantFrom(
      'pods',
      'replicasets.apps',
      'jobs.batch',
      'secrets',
      'persistentvolumeclaims',
      'endpointslices.discovery.k8s.io',
      'widgets.example.com',
    );
    const groups = fc.stringMatching(/^[a-z]{1,8}\.(io|com|test)$/);
    fc.assert(
      fc.property(children, kinds, groups, (type, kind, group) => {
        const reference = owner(`${group}/v1`, kind, 'o');
        const parent = stored(`${kind.toLowerCase()}s.${group}`, 'o', { uid: reference.uid });
        expect(plan([parent, stored(type, 'o-child', ownedBy(reference))])('o-child')?.action).toBe('create');
      }),
    );
  });
});

describe('things that were being deleted', () => {
  const deletionTimestamp = '2026-01-01T00:00:00Z';
  it('stay deleted', () => {
    expect(plan([stored('configmaps', 'gone', { deletionTimestamp })])('gone')).toMatchObject({
      action: 'skip',
      reason: 'it was being deleted when it was backed up',
    });
  });
  it('stay deleted with all that their Namespace held', () => {
    const ending: Stored = [NAMESPACE[0], { metadata: { name: 'shop', deletionTimestamp } }];
    const items = planOfObjects([ending, stored('configmaps', 'left')]);
    expect(items.map((i) => [i.name, i.action])).toEqual([
      ['shop', 'skip'],
      ['left', 'skip'],
    ]);
  });
});

describe('a Namespace that the recovery point does not hold', () => {
  const config = stored('configmaps', 'one');
  it('is created for what is in it', () => {
    expect(planOfObjects([config])[0]).toEqual({
      groupResource: 'namespaces',
      version: 'v1',
      namespace: undefined,
      name: 'shop',
      stage: 1,
      order: 1,
      action: 'create',
      bytes: 0,
      reason: 'not in the recovery point: created without labels',
    });
  });
  it('is not made up when nothing is created in it, when it is there, or when Namespaces are excluded', () => {
    const count = (things: readonly Stored[], options: RestoreOptions = {}) =>
      planOfObjects(things, { options }).filter((i) => i.groupResource === 'namespaces' && i.bytes === 0)
        .length;
    expect(count([stored('events', 'e')])).toBe(0);
    expect(count([NAMESPACE, config])).toBe(0);
    expect(count([config], { excludedResources: ['namespaces'] })).toBe(0);
  });
});

describe('a Secret with a token', () => {
  const token = (name: string, metadata: object = {}) =>
    stored(
      'secrets',
      name,
      { annotations: { 'kubernetes.io/service-account.name': 'ci' }, ...metadata },
      { type: 'kubernetes.io/service-account-token' },
    );
  const account = (...secrets: string[]) =>
    stored('serviceaccounts', 'ci', {}, { secrets: secrets.map((name) => ({ name })) });
  const writtenBy = (manager: string) => ({
    managedFields: [
      { manager, operation: 'Update', fieldsV1: { 'f:type': {} } },
      { manager: 'kube-controller-manager', operation: 'Update', fieldsV1: { 'f:data': {} } },
    ],
  });
  it.each<[string, Stored[], string]>([
    ['that somebody made', [token('ci-credentials'), account()], 'create'],
    ['that somebody made, as managedFields say', [token('ci-token-abcde', writtenBy('kubectl'))], 'create'],
    [
      'that was generated, as managedFields say',
      [token('ci-token-abcde', writtenBy('kube-controller-manager'))],
      'skip',
    ],
    [
      'that was generated, as its account lists it',
      [token('ci-token-abcde'), account('ci-token-abcde')],
      'skip',
    ],
    ['that was generated, by its name', [token('ci-token-abcde')], 'skip'],
    ['that looks generated, but its account lists it not', [token('ci-token-abcde'), account()], 'create'],
  ])('%s', (_, things, action) => {
    const [name = ''] = things.map(([where]) => where.name);
    expect(plan(things)(name)?.action).toBe(action);
  });
});

describe('a volume', () => {
  const inCluster = (type: string, name: string, body: object = {}, metadata: object = {}): Stored => [
    { ...at(type, name), namespace: undefined },
    { metadata: { name, ...metadata }, ...body },
  ];
  const share = (metadata: object = {}) =>
    inCluster(
      'persistentvolumes',
      'share',
      { spec: { persistentVolumeReclaimPolicy: 'Retain', nfs: {} } },
      metadata,
    );
  const claim = stored(
    'persistentvolumeclaims',
    'data',
    {},
    { spec: { storageClassName: '', volumeName: 'share' } },
  );
  it('that somebody made comes back with its claim, before it', () => {
    for (const isFiltered of [false, true]) {
      const items = planOfObjects([NAMESPACE, claim, share()], { isFiltered });
      expect(items.map((i) => [i.name, i.action])).toEqual([
        ['shop', 'create'],
        ['share', 'create'],
        ['data', 'create'],
      ]);
    }
  });
  it('comes with claims that were asked for by type', () => {
    expect(plan([claim, share()], { includedResources: ['persistentvolumeclaims'] })('share')?.action).toBe(
      'create',
    );
  });
  it('does not come without its claim when namespaces were asked for', () => {
    expect(plan([share()], {}, true)('share')).toBeUndefined();
  });
  it('that was provisioned is not restored', () => {
    const provisioned = share({ annotations: { 'pv.kubernetes.io/provisioned-by': 'ebs.csi.aws.com' } });
    expect(plan([claim, provisioned])('share')?.action).toBe('skip');
  });
  it('of a path of a node is held', () => {
    const path = inCluster('persistentvolumes', 'share', {
      spec: { persistentVolumeReclaimPolicy: 'Retain', hostPath: { path: '/etc/kubernetes' } },
    });
    expect(plan([claim, path])('share')).toMatchObject({ action: 'hold' });
  });
});

describe('a default role of the original cluster', () => {
  it('is looked for, and under update left to the API server', () => {
    const metadata = {
      name: 'view',
      labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults' },
      annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'true' },
    };
    const role: Stored = [
      { ...at('clusterroles.rbac.authorization.k8s.io', 'view'), namespace: undefined },
      { metadata },
    ];
    expect(plan([role])('view')?.action).toBe('create');
    expect(plan([role], { existingResources: 'update' })('view')?.action).toBe('skip');
  });
});
