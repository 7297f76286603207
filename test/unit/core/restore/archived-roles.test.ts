import { describe, expect, it } from 'vitest';
import type { RestoreOptions } from '../../../../functions/contract/restore-options.ts';
import type { KubeObject } from '../../../../functions/core/kubernetes/resources.ts';
import { rolesOf } from '../../../../functions/core/restore/archived-roles.ts';
import { holdReason } from '../../../../functions/core/restore/dangerous.ts';
import { draftOf } from '../../../../functions/core/restore/drafts.ts';
import { planDrafts } from '../../../../functions/core/restore/plan-drafts.ts';
import { placeOf } from '../../../../functions/core/restore/references.ts';
import { scopeOf } from '../../../../functions/core/restore/restore-options.ts';
import { grantsOf } from '../../../../functions/core/restore/role-grants.ts';
import { planOfObjects, type Stored } from '../../../support/plans.ts';
import { clusterRole, place, RBAC, role, rule } from '../../../support/privileged-builders.ts';

const SECRETS = rule([''], ['secrets'], ['get']);
const READS = 'read every Secret of {of}';
const TYPE = `clusterroles.${RBAC}`;
const rolesFrom = (...stored: readonly Stored[]) =>
  rolesOf(
    new Map(stored.map(([{ name }, o]) => [placeOf(TYPE, undefined, name), grantsOf(o as KubeObject, true)])),
  );
const powersOf = (name: string, ...stored: readonly Stored[]) =>
  rolesFrom(...stored)
    .powersOf(placeOf(TYPE, undefined, name))
    ?.map(({ can }) => can);
const takingIn = (name: string, selectors: object[], labels = {}): Stored =>
  clusterRole([], { labels }, name, { aggregationRule: { clusterRoleSelectors: selectors } });

describe('a role that takes in others', () => {
  const inner = clusterRole([SECRETS], { labels: { tier: 'a' } }, 'inner');
  it.each<[object, boolean]>([
    [{ matchLabels: { tier: 'a' } }, true],
    [{ matchLabels: { tier: 'b' } }, false],
    [{ matchLabels: { tier: 'a', other: 'x' } }, false],
    [{ matchExpressions: [{ key: 'tier', operator: 'In', values: ['a', 'b'] }] }, true],
    [{ matchExpressions: [{ key: 'tier', operator: 'In', values: ['b'] }] }, false],
    [
      { matchLabels: { tier: 'a' }, matchExpressions: [{ key: 'tier', operator: 'NotIn', values: ['b'] }] },
      true,
    ],
    [
      { matchLabels: { tier: 'a' }, matchExpressions: [{ key: 'tier', operator: 'NotIn', values: ['a'] }] },
      false,
    ],
    [{ matchExpressions: [{ key: 'tier', operator: 'Exists' }] }, true],
    [{ matchExpressions: [{ key: 'other', operator: 'Exists' }] }, false],
    [{ matchLabels: { tier: 'a' }, matchExpressions: [{ key: 'other', operator: 'DoesNotExist' }] }, true],
    [{ matchLabels: { tier: 'a' }, matchExpressions: [{ key: 'tier', operator: 'DoesNotExist' }] }, false],
    [{ matchLabels: { tier: 'a' }, matchExpressions: [{ key: 'tier', operator: 'Unknown' }] }, true],
  ])('with the selector %j has what the role grants: %s', (selector, isIn) => {
    expect(powersOf('outer', inner, takingIn('outer', [selector]))?.includes(READS)).toBe(isIn);
  });

  it('has what those grant that its roles take in, also in a circle', () => {
    const one = takingIn('one', [{ matchLabels: { of: 'two' } }], { of: 'one' });
    const two = takingIn('two', [{ matchLabels: { of: 'one' } }, { matchLabels: { tier: 'a' } }], {
      of: 'two',
    });
    expect(powersOf('one', one, two, inner)).toEqual([READS]);
    expect(powersOf('two', one, two, inner)).toEqual([READS]);
  });

  it('counts as one that grants everything if there are too many to look at', () => {
    const many = Array.from({ length: 600 }, (_, i) =>
      takingIn(`r${i}`, [{ matchLabels: { none: 'x' } }], { a: 'b' }),
    );
    expect(powersOf('r0', ...many)).toEqual(['change everything of {of}']);
    expect(powersOf('r0', ...many.slice(0, 20))).toEqual([]);
  });
});

describe('what is held of a pair of a role and its binding', () => {
  const superRole = clusterRole([SECRETS], {}, 'super');
  const binding: Stored = [
    place(`clusterrolebindings.${RBAC}`, 'x'),
    {
      metadata: { name: 'x' },
      roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: 'super' },
      subjects: [{ kind: 'ServiceAccount', name: 'default', namespace: 'evil' }],
    },
  ];
  const held = (options: RestoreOptions) =>
    planOfObjects([superRole, binding], { options })
      .filter((i) => i.action === 'hold')
      .map((i) => [i.groupResource.split('.')[0], i.reason?.split(';')[0]]);
  const OF_BINDING = [
    'clusterrolebindings',
    'it lets evil/default read every Secret of the cluster (ClusterRole super)',
  ];

  it('is both, in any order', () => {
    expect(held({})).toEqual([
      ['clusterroles', 'it lets whoever is bound to it read every Secret of the cluster'],
      OF_BINDING,
    ]);
  });
  it('is still the binding if the role is allowed, or is not restored', () => {
    expect(held({ allow: [`${TYPE}/super`] })).toEqual([OF_BINDING]);
    expect(held({ excludedResources: [TYPE] })).toEqual([OF_BINDING]);
  });
  it('is nothing if both are allowed by the names that the reasons give', () => {
    const hints = planOfObjects([superRole, binding]).flatMap(
      (i) => /"allow": \["(.*)"\]/.exec(i.reason ?? '')?.[1] ?? [],
    );
    expect(held({ allow: hints })).toEqual([]);
  });
});

describe('a role that the cluster has under the name of one of the recovery point', () => {
  const harmless = role([rule(['coordination.k8s.io'], ['leases'], ['create'])], 'kube-system', 'keys');
  const binding: Stored = [
    place(`rolebindings.${RBAC}`, 'x', 'kube-system'),
    {
      metadata: { name: 'x', namespace: 'kube-system' },
      roleRef: { apiGroup: RBAC, kind: 'Role', name: 'keys' },
      subjects: [{ kind: 'ServiceAccount', name: 'default', namespace: 'evil' }],
    },
  ];
  const actionWith = (namespace: string, options: RestoreOptions = {}) => {
    const reads = grantsOf(role([SECRETS])[1] as KubeObject, false);
    const cluster = {
      roles: new Map([[placeOf(`roles.${RBAC}`, namespace, 'keys'), reads]]),
      apiServers: new Set<string>(),
    };
    const scope = scopeOf(options, ['kube-system']);
    const drafts = [harmless, binding].map(([at, object]) =>
      draftOf({ at, bytes: 1 }, object, scope, options),
    );
    return planDrafts(drafts, scope, cluster).find((i) => i.name === 'x')?.action;
  };
  it('counts for its bindings, where a mapping takes them', () => {
    expect(actionWith('kube-system')).toBe('hold');
    expect(actionWith('elsewhere')).toBe('create');
    expect(actionWith('kube-copy', { namespaceMapping: { 'kube-system': 'kube-copy' } })).toBe('hold');
    expect(actionWith('kube-system', { namespaceMapping: { 'kube-system': 'kube-copy' } })).toBe('create');
  });
});

describe('an object under a namespace mapping', () => {
  const pod = { metadata: { name: 'x' }, spec: { containers: [] } } as unknown as KubeObject;
  it.each([
    ['that takes it into a system namespace', 'shop', { shop: 'kube-system' }],
    ['that takes it out of one', 'kube-system', { 'kube-system': 'copy' }],
    ['that takes it into Holdfast’s', 'shop', { shop: 'holdfast' }],
  ])('%s is held', (_, namespace, namespaceMapping) => {
    expect(holdReason(place('pods', 'x', namespace), pod, { namespaceMapping })).toBeDefined();
    expect(holdReason(place('pods', 'x', 'shop'), pod, {})).toBeUndefined();
  });
});
