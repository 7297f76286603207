import { describe, expect, it } from 'vitest';
import type { RestoreOptions } from '../../../../functions/contract/restore-options.ts';
import type { ServedType } from '../../../../functions/core/kubernetes/served.ts';
import { contentsReader } from '../../../../functions/core/restore/contents.ts';
import { type Asked, refusals, withoutFixedTypes } from '../../../../functions/core/restore/refusals.ts';
import { at } from '../../../support/archived.ts';
import { planOfObjects, type Stored } from '../../../support/plans.ts';

const CRDS = 'customresourcedefinitions.apiextensions.k8s.io';
const served = (groupResource: string, kind: string, verbs = ['create', 'get', 'list']) => {
  const [resource = '', ...group] = groupResource.split('.');
  const type: ServedType = {
    group: group.join('.'),
    version: 'v1',
    resource,
    kind,
    namespaced: true,
    verbs,
    hasStatus: true,
  };
  return [groupResource, [type]] as const;
};
const CLUSTER = {
  served: new Map([
    served('deployments.apps', 'Deployment'),
    served('configmaps', 'ConfigMap'),
    served('cronjobs.batch', 'CronJob'),
    served('packagemanifests.packages.operators.coreos.com', 'PackageManifest', ['get', 'list']),
  ]),
  unreadable: ['metrics.k8s.io/v1beta1 (503)'],
  storageClasses: ['gp3'],
};
const POINT: readonly Stored[] = [
  [at('configmaps', 'one'), { kind: 'ConfigMap', metadata: { name: 'one' } }],
  [at('deployments.apps', 'web'), { kind: 'Deployment', metadata: { name: 'web' } }],
  [at('widgets.example.com', 'w'), { kind: 'Widget', metadata: { name: 'w' } }],
  [
    at('persistentvolumeclaims', 'c'),
    { kind: 'PersistentVolumeClaim', metadata: {}, spec: { storageClassName: 'gp2' } },
  ],
  [
    { ...at(CRDS, 'widgets.example.com'), namespace: undefined },
    { metadata: {}, spec: { names: { singular: 'widget', shortNames: ['wi'] } } },
  ],
];

const refused = (options: RestoreOptions, over: Partial<Asked> = {}) => {
  const { contents, read } = contentsReader();
  for (const [where, object] of POINT) read(where, object);
  const items = planOfObjects(POINT, { options });
  const asked = { options, held: ['shop', 'bank'], namespaces: ['shop'], contents, unmatched: [], items };
  return refusals({ ...asked, ...over }, CLUSTER);
};

describe('a restore is refused', () => {
  it.each<[string, string]>([
    ['deployment', 'deployments.apps'],
    ['Deployment', 'deployments.apps'],
    ['deployment.apps', 'deployments.apps'],
    ['deploy', 'deployments.apps'],
    ['cm', 'configmaps'],
    ['configmap', 'configmaps'],
    ['widget', 'widgets.example.com'],
    ['wi', 'widgets.example.com'],
    ['Widget', 'widgets.example.com'],
    ['deployments.extensions', 'deployments.apps'],
  ])('for the type %s, with the hint %s', (pattern, hint) => {
    for (const options of [{ includedResources: [pattern] }, { excludedResources: [pattern] }])
      expect(refused(options)[0]).toMatch(
        new RegExp(`"${pattern}" names no type .*; did you mean "${hint}"\\?$`),
      );
  });

  it.each<[RestoreOptions, RegExp]>([
    [{ includedResources: ['cronjobs.batch'] }, /names no type of the recovery point$/],
    [{ includedResources: ['constructor'] }, /names no type of the recovery point$/],
    [{ namespaceMapping: { shpo: 'copy' } }, /does not hold namespace shpo; it holds: shop, bank/],
    [{ namespaceMapping: { bank: 'copy' } }, /namespace bank is not restored/],
    [
      { storageClassMapping: { gp2: 'gp4' } },
      /neither the cluster nor the recovery point has storage class gp4/,
    ],
    [
      { storageClassMapping: { gp1: 'gp3' } },
      /no claim of the recovery point has storage class gp1; they have gp2/,
    ],
  ])('for %j', (options, words) => {
    expect(refused(options)).toEqual([expect.stringMatching(words)]);
  });

  it('for a mapping onto a namespace that is itself restored, unless that is mapped too', () => {
    const both = { namespaces: ['shop', 'bank'] };
    expect(refused({ namespaceMapping: { shop: 'bank' } }, both)[0]).toMatch(
      /mapped to bank, which is itself/,
    );
    expect(refused({ namespaceMapping: { shop: 'bank', bank: 'shop' } }, both)).toEqual([]);
    expect(refused({ namespaceMapping: { shop: 'shop' } }, both)).toEqual([]);
  });

  it('with all its problems at once', () => {
    expect(refused({ includedResources: ['deployment'], namespaceMapping: { shpo: 'x' } })).toHaveLength(2);
  });

  it('when its archive has another layout, whose entries are all passed over', () => {
    expect(refused({}, { items: [], contents: contentsReader().contents })[0]).toMatch(
      /layout of format 1\.1\.0/,
    );
  });

  it('when nothing is to be done, with the reasons', () => {
    expect(refused({}, { items: [] })).toEqual(['the recovery point holds no object that was asked for']);
    const ended = planOfObjects([[at('events', 'e'), { metadata: { name: 'e' } }]]);
    expect(refused({}, { items: ended })).toEqual([]);
    expect(refused({ includedResources: ['*'] }, { items: ended })[0]).toMatch(
      /events shop\/e: events describe the past/,
    );
  });

  it.each<[RestoreOptions]>([
    [{}],
    [{ includedResources: ['deployments.apps', 'configmaps', '*.example.com'] }],
    [{ excludedResources: ['cronjobs'], restoreStatus: ['widgets.example.com', '*'] }],
    [{ excludedResources: ['pods.metrics.k8s.io'] }],
    [{ namespaceMapping: { shop: 'copy' }, storageClassMapping: { gp2: 'gp3' } }],
  ])('but not for %j', (options) => {
    expect(refused(options)).toEqual([]);
  });
});

describe('a type that the API server lets nobody create', () => {
  it('is left out with its reason, and no other', () => {
    const things: Stored[] = [
      [at('packagemanifests.packages.operators.coreos.com', 'p'), { metadata: { name: 'p' } }],
      [at('gadgets.example.com', 'g'), { metadata: { name: 'g' } }],
      [at('configmaps', 'one'), { metadata: { name: 'one' } }],
    ];
    const items = withoutFixedTypes(planOfObjects(things), CLUSTER.served);
    expect(items.filter((i) => i.action === 'skip').map((i) => [i.name, i.reason])).toEqual([
      ['p', 'the API server lets nobody create it'],
    ]);
  });
});
