import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../../../functions/core/kubernetes/resources.ts';
import { claimClasses } from '../../../../functions/core/restore/claim-readiness.ts';
import { becomesReady, readiness } from '../../../../functions/core/restore/readiness.ts';

const object = (spec: object, status: object, metadata: object = {}): KubeObject => ({
  metadata: { name: 'x', generation: 1, ...metadata },
  spec: { ...spec },
  status: { ...status },
});
const seen = { observedGeneration: 1 };
const of = (groupResource: string, spec: object, status: object, metadata: object = {}) =>
  readiness({ groupResource }, object(spec, status, metadata));
const conditions = (type: string, status: string, message?: string, reason?: string) => ({
  conditions: [null, { type: 'Other', status: 'True' }, { type, status, message, reason }],
});

/** Statuses of workloads with so many of their pods ready. */
const PODS: Readonly<Record<string, (ready: number) => object>> = {
  'deployments.apps': (n) => ({ ...seen, readyReplicas: n, updatedReplicas: n }),
  'statefulsets.apps': (n) => ({ ...seen, readyReplicas: n }),
  'replicasets.apps': (n) => ({ ...seen, readyReplicas: n }),
  replicationcontrollers: (n) => ({ ...seen, readyReplicas: n }),
};
const WORKLOADS = Object.keys(PODS);

describe('a workload', () => {
  it.each(WORKLOADS)('of %s is ready when all of its pods are, and says how many are missing', (type) => {
    const at = (ready: number) => of(type, { replicas: 2 }, PODS[type]?.(ready) ?? {});
    expect([at(2), at(1)]).toEqual([undefined, '1 of 2 ready']);
    expect(of(type, { replicas: 2 }, seen)).toBe('0 of 2 ready');
  });

  it.each(WORKLOADS)('of %s has one pod when it does not say, and may have none', (type) => {
    expect(of(type, {}, seen)).toBe('0 of 1 ready');
    expect(of(type, { replicas: 0 }, seen)).toBeUndefined();
  });

  it.each([...WORKLOADS, 'daemonsets.apps'])('of %s waits for its controller to see it', (type) => {
    const status = { ...PODS[type]?.(1), desiredNumberScheduled: 0 };
    const words = 'its controller has not seen its newest generation';
    expect(of(type, { replicas: 1 }, status, { generation: 2 })).toBe(words);
    expect(of(type, { replicas: 1 }, {})).toBe(words);
  });

  it.each(['deployments.apps', 'replicasets.apps', 'replicationcontrollers'])(
    'of %s says in the words of the API server why it has no pods',
    (type) => {
      const full = { ...seen, ...conditions('ReplicaFailure', 'True', 'exceeded quota:\n small') };
      expect(of(type, {}, full)).toBe('0 of 1 ready: exceeded quota: small');
    },
  );

  it('is not ready while a Deployment rolls out, unless it is paused', () => {
    const status = { ...seen, readyReplicas: 2, updatedReplicas: 1 };
    expect(of('deployments.apps', { replicas: 2 }, status)).toBe('1 of 2 updated');
    expect(of('deployments.apps', { replicas: 2, paused: true }, status)).toBeUndefined();
    expect(of('deployments.apps', { paused: true }, seen)).toBe('0 of 1 ready: the Deployment is paused');
  });

  it('is not ready while a StatefulSet rolls out, unless old pods are to stay', () => {
    const status = { ...seen, readyReplicas: 2, currentRevision: 'a', updateRevision: 'b' };
    const at = (updateStrategy: object) =>
      of('statefulsets.apps', { replicas: 2, updateStrategy }, { ...status, updatedReplicas: 1 });
    expect(at({ type: 'RollingUpdate', rollingUpdate: { partition: 0 } })).toBe('1 of 2 updated');
    expect(at({ type: 'RollingUpdate', rollingUpdate: { partition: 1 } })).toBeUndefined();
    expect(at({ type: 'OnDelete' })).toBeUndefined();
  });

  it('of a DaemonSet waits for each of its nodes, if it has any', () => {
    const status = { ...seen, desiredNumberScheduled: 3, updatedNumberScheduled: 3 };
    expect(of('daemonsets.apps', {}, { ...status, numberReady: 2 })).toBe('2 of 3 ready');
    expect(of('daemonsets.apps', {}, { ...status, numberReady: 3 })).toBeUndefined();
    expect(of('daemonsets.apps', {}, { ...seen, desiredNumberScheduled: 0 })).toBeUndefined();
  });
});

describe('a pod', () => {
  const waiting = (name: string, reason: string, message?: string) => ({
    name,
    state: { waiting: { reason, message } },
  });

  it.each([
    ['is ready when it runs', { phase: 'Running', ...conditions('Ready', 'True') }, undefined],
    ['is ready when it has succeeded', { phase: 'Succeeded' }, undefined],
    ['is Pending before anybody has seen it', {}, 'Pending'],
    [
      'has the words of the scheduler',
      { phase: 'Pending', ...conditions('PodScheduled', 'False', 'claim "data" not found', 'Unschedulable') },
      'Pending: claim "data" not found',
    ],
    [
      'has the words of the container that cannot start',
      {
        phase: 'Pending',
        containerStatuses: [
          waiting('a', 'ContainerCreating'),
          waiting('b', 'ImagePullBackOff', 'Back-off pulling x'),
        ],
      },
      'Pending: b: ImagePullBackOff: Back-off pulling x',
    ],
    [
      'has those of an init container first',
      {
        phase: 'Pending',
        initContainerStatuses: [waiting('i', 'CrashLoopBackOff')],
        containerStatuses: [waiting('a', 'PodInitializing')],
      },
      'Pending: i: CrashLoopBackOff',
    ],
    [
      'that crashes is not ready',
      { phase: 'Running', containerStatuses: [waiting('a', 'CrashLoopBackOff', 'back-off 10s')] },
      'Running: a: CrashLoopBackOff: back-off 10s',
    ],
    [
      'that runs and is not ready says which containers',
      { phase: 'Running', ...conditions('Ready', 'False', 'containers with unready status: [a]') },
      'Running: containers with unready status: [a]',
    ],
    ['that failed says why', { phase: 'Failed', reason: 'Evicted' }, 'Failed: Evicted'],
  ])('%s', (_, status, words) => {
    expect(of('pods', {}, status)).toBe(words);
  });

  it('that a scheduling gate holds back is as it should be', () => {
    expect(of('pods', { schedulingGates: [{ name: 'quota' }] }, { phase: 'Pending' })).toBeUndefined();
  });
});

describe('a Job', () => {
  it.each([
    ['is ready when it is complete', {}, conditions('Complete', 'True'), undefined],
    ['is ready when its pods run', {}, { active: 2, ready: 1 }, undefined],
    ['is ready when a pod has succeeded', { completions: 3 }, { succeeded: 1 }, undefined],
    ['is ready when it is suspended', { suspend: true }, {}, undefined],
    ['is ready when another controller runs it', { managedBy: 'example.com/queue' }, {}, undefined],
    ['that wants no pods is ready', { parallelism: 0 }, {}, undefined],
    ['waits for its pods to run', {}, { active: 2, ready: 0 }, '0 of 2 pods run'],
    ['waits for its pods to be made', {}, {}, 'it has no pods yet'],
    ['whose pods fail says so', {}, { failed: 2 }, 'its pods fail'],
    [
      'that failed says why',
      {},
      conditions('Failed', 'True', 'too many failures'),
      'Failed: too many failures',
    ],
  ])('%s', (_, spec, status, words) => {
    expect(of('jobs.batch', spec, status)).toBe(words);
  });
});

describe('a claim', () => {
  const classes = claimClasses([
    { metadata: { name: 'now' }, volumeBindingMode: 'Immediate' },
    { metadata: { name: 'late' }, volumeBindingMode: 'WaitForFirstConsumer' },
  ]);
  const claim = (spec: object, annotations: object = {}, phase = 'Pending') =>
    readiness({ groupResource: 'persistentvolumeclaims' }, object(spec, { phase }, { annotations }), classes);
  const NODE = { 'volume.kubernetes.io/selected-node': 'n1' };

  it.each([
    ['that is bound is ready', claim({}, {}, 'Bound'), undefined],
    ['has lost its volume', claim({}, {}, 'Lost'), 'the claim has lost its volume'],
    ['that no pod needs yet is ready', claim({ storageClassName: 'late' }), undefined],
    [
      'that a pod needs is not',
      claim({ storageClassName: 'late' }, NODE),
      'Pending: storage class late has not made its volume',
    ],
    [
      'that is bound at once is not',
      claim({ storageClassName: 'now' }),
      'Pending: storage class now has not made its volume',
    ],
    [
      'of an unknown class says so',
      claim({ storageClassName: 'gone' }),
      'Pending: the cluster has no storage class gone',
    ],
    [
      'of an old annotation is of that class',
      claim({}, { 'volume.beta.kubernetes.io/storage-class': 'late' }),
      undefined,
    ],
    [
      'without a class needs a default',
      claim({}),
      'Pending: it names no storage class, and the cluster has no default storage class',
    ],
    [
      'without a class by intent needs a volume',
      claim({ storageClassName: '' }),
      'Pending: no PersistentVolume without a storage class fits',
    ],
    [
      'of a volume names it',
      claim({ volumeName: 'pv-1', storageClassName: 'late' }),
      'Pending: volume pv-1 is not bound to it',
    ],
  ])('%s', (_, words, expected) => {
    expect(words).toBe(expected);
  });

  it('without a class is of the default one', () => {
    const annotations = { 'storageclass.kubernetes.io/is-default-class': 'true' };
    const byDefault = claimClasses([
      { metadata: { name: 'd', annotations }, volumeBindingMode: 'WaitForFirstConsumer' },
    ]);
    const pending = object({}, { phase: 'Pending' });
    expect(readiness({ groupResource: 'persistentvolumeclaims' }, pending, byDefault)).toBeUndefined();
    expect(readiness({ groupResource: 'persistentvolumeclaims' }, pending)).toBe('Pending');
  });
});

describe('what the API server needs', () => {
  const DEFINITIONS = 'customresourcedefinitions.apiextensions.k8s.io';
  const APIS = 'apiservices.apiregistration.k8s.io';
  const service = { service: { name: 'a', namespace: 'b' } };

  it.each([
    ['a namespace that goes', of('namespaces', {}, { phase: 'Terminating' }), 'Terminating'],
    ['a namespace', of('namespaces', {}, { phase: 'Active' }), undefined],
    ['an established definition', of(DEFINITIONS, {}, conditions('Established', 'True')), undefined],
    ['a definition that nobody has looked at', of(DEFINITIONS, {}, {}), 'not established'],
    [
      'a definition whose names are taken',
      of(DEFINITIONS, {}, conditions('NamesAccepted', 'False', 'already in use')),
      'its names are not accepted: already in use',
    ],
    ['an API of the API server itself', of(APIS, {}, {}), undefined],
    ['an API that answers', of(APIS, service, conditions('Available', 'True')), undefined],
    [
      'an API whose pods are down',
      of(APIS, service, conditions('Available', 'False', 'no endpoints')),
      'not available: no endpoints',
    ],
  ])('is or is not ready as %s', (_, words, expected) => {
    expect(words).toBe(expected);
  });
});

describe('readiness', () => {
  const TYPES = [
    ...WORKLOADS,
    'daemonsets.apps',
    'pods',
    'jobs.batch',
    'persistentvolumeclaims',
    'namespaces',
    'customresourcedefinitions.apiextensions.k8s.io',
    'apiservices.apiregistration.k8s.io',
  ];

  it('is asked by group and resource, never by kind', () => {
    const kinds = ['Deployment', 'Pod', 'Job', 'Namespace', 'PersistentVolumeClaim'];
    for (const kind of kinds)
      for (const groupResource of ['widgets.example.com', 'jobs.example.com', 'constructor', 'pods.apps'])
        expect(readiness({ groupResource }, { kind, ...object({}, { phase: 'Lost' }) })).toBeUndefined();
  });

  it('takes fields of any type', () => {
    const field = fc.oneof(
      fc.jsonValue(),
      fc.record({
        phase: fc.jsonValue(),
        conditions: fc.jsonValue(),
        containerStatuses: fc.array(fc.jsonValue()),
        replicas: fc.jsonValue(),
        storageClassName: fc.jsonValue(),
      }),
    );
    fc.assert(
      fc.property(
        fc.constantFrom(...TYPES),
        field,
        field,
        fc.jsonValue(),
        (groupResource, spec, status, a) => {
          const odd = { metadata: { name: 'x', annotations: a, generation: a }, spec, status };
          const words = readiness({ groupResource }, odd as unknown as KubeObject, new Map());
          expect(words === undefined || typeof words === 'string').toBe(true);
          expect(becomesReady({ groupResource })).toBe(true);
        },
      ),
    );
  });
});
