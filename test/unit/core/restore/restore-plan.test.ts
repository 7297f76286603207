import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ArchivedName } from '../../../../functions/core/backup/archive.ts';
import type { KubeObject } from '../../../../functions/core/kubernetes/resources.ts';
import { contentsReader } from '../../../../functions/core/restore/contents.ts';
import {
  compareItems,
  itemKey,
  type PlanItem,
  restoreOrder,
} from '../../../../functions/core/restore/restore-plan.ts';
import { at } from '../../../support/archived.ts';
import { planOfObjects, type Stored } from '../../../support/plans.ts';

/** The item of one object, which is alone in its recovery point. */
const decide = (where: ArchivedName, object: Partial<KubeObject> = {}): PlanItem => {
  const whole = { ...object, metadata: { name: where.name, ...object.metadata } };
  return planOfObjects([[where, whole]], { namespaces: ['shop', 'x'] }).find(
    (i) => i.groupResource === where.groupResource,
  ) as PlanItem;
};

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
      bytes: 10,
    });
  });

  it('may have any type in any field: the plan goes on', () => {
    const types = fc.constantFrom(
      ...['pods', 'jobs.batch', 'cronjobs.batch', 'statefulsets.apps', 'secrets', 'configmaps', 'endpoints'],
      ...[
        'endpointslices.discovery.k8s.io',
        'persistentvolumes',
        'persistentvolumeclaims',
        'serviceaccounts',
      ],
      ...['clusterroles.rbac.authorization.k8s.io', 'rolebindings.rbac.authorization.k8s.io'],
      ...['apiservices.apiregistration.k8s.io', 'clustertrustbundles.certificates.k8s.io', 'namespaces'],
      ...['customresourcedefinitions.apiextensions.k8s.io', 'rollouts.argoproj.io'],
    );
    const fields = fc.constantFrom(
      'spec',
      'status',
      'data',
      'type',
      'rules',
      'subsets',
      'roleRef',
      'secrets',
    );
    const inMetadata = fc.constantFrom('labels', 'annotations', 'ownerReferences', 'managedFields', 'uid');
    const odd = fc.oneof(
      fc.jsonValue({ maxDepth: 3 }),
      fc.record({
        template: fc.record({ spec: fc.record({ containers: fc.jsonValue(), volumes: fc.jsonValue() }) }),
      }),
      fc.array(fc.record({ uid: fc.jsonValue(), apiVersion: fc.jsonValue(), controller: fc.boolean() })),
      fc.constant({ toString: 1 }),
    );
    fc.assert(
      fc.property(
        types,
        fields,
        inMetadata,
        odd,
        odd,
        fc.boolean(),
        (type, field, inner, a, b, isFiltered) => {
          const things: Stored[] = [
            [at(type, 'odd'), { metadata: { name: 'odd', [inner]: a }, [field]: b }],
            [at('configmaps', 'good'), { metadata: { name: 'good' } }],
          ];
          const items = planOfObjects(things, { isFiltered });
          expect(items.find((i) => i.name === 'good')?.action).toBe('create');
          const { contents, read } = contentsReader();
          for (const [where, object] of things) read(where, object);
          expect(contents.kinds.size).toBeGreaterThan(0);
        },
      ),
    );
  });

  it('that cannot be examined is held, and costs nobody else', () => {
    const odd = [
      null,
      'text',
      [],
      7,
      {},
      { metadata: 'text' },
      { metadata: [] },
      { metadata: { name: 'other' } },
      { metadata: { namespace: 'kube-system' } },
    ];
    for (const value of odd) {
      const items = planOfObjects([
        [at('configmaps', 'odd'), value],
        [at('configmaps', 'good'), { metadata: { name: 'good' } }],
      ]);
      const of = (name: string) => items.find((i) => i.name === name);
      expect([JSON.stringify(value), of('odd')?.action]).toEqual([JSON.stringify(value), 'hold']);
      expect(of('odd')?.reason).toMatch(/^it cannot be examined: /);
      expect(of('good')?.action).toBe('create');
    }
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

describe('the identity of an item', () => {
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
