import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ArchivedName } from '../../../../functions/core/backup/archive.ts';
import type { KubeObject } from '../../../../functions/core/kubernetes/resources.ts';
import { scopeOf } from '../../../../functions/core/restore/restore-options.ts';
import {
  compareItems,
  draftItem,
  itemKey,
  type PlanItem,
  planItem,
  restoreOrder,
} from '../../../../functions/core/restore/restore-plan.ts';
import { at } from '../../../support/archived.ts';

const decide = (where: ArchivedName, object: Partial<KubeObject> = {}, uids: string[] = []) =>
  planItem(draftItem(where, { ...object, metadata: { name: where.name, ...object.metadata } }, 0), (uid) =>
    uids.includes(uid),
  );
const ownedBy = (kind: string, controller = true) => ({
  metadata: {
    name: 'x',
    ownerReferences: [{ apiVersion: 'apps/v1', kind, name: 'web', uid: 'u1', controller }],
  },
});

describe('the order of a restore', () => {
  it('makes what others need before they need it', () => {
    const kinds = [
      'customresourcedefinitions.apiextensions.k8s.io',
      'namespaces',
      'storageclasses.storage.k8s.io',
      'persistentvolumeclaims',
      'serviceaccounts',
      'rolebindings.rbac.authorization.k8s.io',
      'secrets',
      'configmaps',
      'pods',
      'replicasets.apps',
      'services',
      'deployments.apps',
      'mutatingwebhookconfigurations.admissionregistration.k8s.io',
      'validatingwebhookconfigurations.admissionregistration.k8s.io',
    ];
    const sorted = [...kinds]
      .reverse()
      .map((k) => decide(at(k)))
      .sort(compareItems);
    expect(sorted.map((i) => i.groupResource)).toEqual(kinds);
  });

  it.each(['pods', 'deployments.apps', 'statefulsets.apps', 'jobs.batch', 'cronjobs.batch'])(
    'makes %s only after the volumes are filled',
    (workload) => {
      expect(restoreOrder(workload).stage).toBe(2);
    },
  );

  it.each(['persistentvolumeclaims', 'secrets', 'serviceaccounts'])(
    'makes %s before the volumes are filled, because their Jobs need it',
    (needed) => {
      expect(restoreOrder(needed).stage).toBe(1);
    },
  );

  it('sorts the same whatever order the archive has', () => {
    const items = ['pods', 'secrets', 'widgets.example.com', 'configmaps']
      .flatMap((k) => ['a', 'b'].map((n) => at(k, n)))
      .map((where) => decide(where));
    fc.assert(
      fc.property(fc.shuffledSubarray(items, { minLength: items.length }), (shuffled: PlanItem[]) => {
        expect(shuffled.sort(compareItems)).toEqual([...items].sort(compareItems));
      }),
    );
  });
});

describe('an object of a recovery point', () => {
  it('is created', () => {
    expect(decide(at('deployments.apps'))).toEqual({
      ...at('deployments.apps'),
      stage: 2,
      order: 100,
      action: 'create',
      bytes: 0,
    });
  });

  it.each([
    ['a node', at('nodes'), {}, 'nodes register themselves'],
    ['an event', at('events'), {}, 'events describe the past'],
    ['an event of the new API', at('events.events.k8s.io'), {}, 'events describe the past'],
    ['an attachment', at('volumeattachments.storage.k8s.io'), {}, 'the cluster attaches volumes itself'],
    ['an endpoint slice', at('endpointslices.discovery.k8s.io'), {}, 'created from the Service and its pods'],
    ['a volume', at('persistentvolumes'), {}, 'fresh volumes are provisioned for the claims'],
    [
      'a mirror pod',
      at('pods'),
      { metadata: { name: 'x', annotations: { 'kubernetes.io/config.mirror': 'h' } } },
      'a mirror pod belongs to its node',
    ],
    [
      'a pod that succeeded',
      at('pods'),
      { kind: 'Pod', status: { phase: 'Succeeded' } },
      'the pod has ended',
    ],
    ['a pod that failed', at('pods'), { kind: 'Pod', status: { phase: 'Failed' } }, 'the pod has ended'],
    [
      'a Job that completed',
      at('jobs.batch'),
      { kind: 'Job', status: { conditions: [{ type: 'Complete', status: 'True' }] } },
      'the Job has ended',
    ],
    [
      'a Job that failed',
      at('jobs.batch'),
      { kind: 'Job', status: { conditions: [{ type: 'Failed', status: 'True' }] } },
      'the Job has ended',
    ],
    ['what a controller made', at('pods'), ownedBy('ReplicaSet'), 'created by ReplicaSet/web'],
    [
      'endpoints of a Service',
      at('endpoints'),
      { metadata: { name: 'x', annotations: { 'endpoints.kubernetes.io/last-change-trigger-time': 't' } } },
      'created from the Service and its pods',
    ],
    [
      'a token',
      at('secrets'),
      { type: 'kubernetes.io/service-account-token' },
      'a token of the original cluster',
    ],
    ['the cluster’s CA', at('configmaps', 'kube-root-ca.crt'), {}, 'published by the cluster'],
  ])('is skipped with its reason when it is %s', (_, where, object, reason) => {
    expect(decide(where, object as Partial<KubeObject>, ['u1'])).toMatchObject({ action: 'skip', reason });
  });

  it('is skipped for what it is rather than for who made it', () => {
    const object = { kind: 'Pod', status: { phase: 'Succeeded' }, ...ownedBy('ReplicaSet') };
    expect(decide(at('pods'), object, ['u1']).reason).toBe('the pod has ended');
  });

  it.each([
    ['a running pod', at('pods'), { kind: 'Pod', status: { phase: 'Running' } }, ['u1']],
    [
      'a Job that is suspended',
      at('jobs.batch'),
      { kind: 'Job', status: { conditions: [{ type: 'Suspended', status: 'True' }] } },
      ['u1'],
    ],
    [
      'a Job whose failure is not true',
      at('jobs.batch'),
      { kind: 'Job', status: { conditions: [{ type: 'Failed', status: 'False' }] } },
      ['u1'],
    ],
    ['owned by what is not in the backup', at('pods'), ownedBy('ReplicaSet'), []],
    ['owned without being controlled', at('pods'), ownedBy('ReplicaSet', false), ['u1']],
    [
      'a claim of a StatefulSet: its data is in a snapshot',
      at('persistentvolumeclaims'),
      ownedBy('StatefulSet'),
      ['u1'],
    ],
    ['endpoints that a person wrote', at('endpoints'), {}, ['u1']],
    ['a Secret of another type', at('secrets'), { type: 'Opaque' }, ['u1']],
    ['a Secret called like the CA', at('secrets', 'kube-root-ca.crt'), {}, ['u1']],
  ])('is created when it is %s', (_, where, object, uids) => {
    const item = decide(where, object as Partial<KubeObject>, uids);
    expect([item.action, item.reason]).toEqual(['create', undefined]);
  });
});

describe('Endpoints', () => {
  const addresses = (kind?: string) => [
    { addresses: [{ ip: '10.0.0.1', ...(kind && { targetRef: { kind } }) }] },
  ];
  it('that a controller keeps are left to it, marked or of pods', () => {
    const managed = { labels: { 'endpoints.kubernetes.io/managed-by': 'endpoint-controller' } };
    expect(decide(at('endpoints'), { metadata: { name: 'x', ...managed } }).action).toBe('skip');
    expect(decide(at('endpoints'), { subsets: addresses('Pod') }).action).toBe('skip');
  });
  it('that a person wrote are restored', () => {
    expect(decide(at('endpoints'), { subsets: addresses() }).action).toBe('create');
  });
});

describe('a restore of some namespaces', () => {
  it.each([
    [at('pods', 'x', 'shop'), true],
    [at('pods', 'x', 'other'), false],
    [{ ...at('namespaces', 'shop'), namespace: undefined }, true],
    [{ ...at('namespaces', 'other'), namespace: undefined }, false],
    [{ ...at('clusterroles.rbac.authorization.k8s.io', 'x'), namespace: undefined }, true],
  ])('has %j: %s', (where, expected) => {
    expect(scopeOf({}, ['shop'])(where, { metadata: { name: where.name } })).toBe(expected);
  });

  it('never takes two objects for one', () => {
    const all = [
      at('pods'),
      at('secrets'),
      at('pods', 'y'),
      at('pods', 'x', 'z'),
      { ...at('pods'), version: 'v2' },
    ];
    expect(new Set(all.map(itemKey)).size).toBe(all.length);
  });
});
