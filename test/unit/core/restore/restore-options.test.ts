import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RestoreInput, type RestoreOptions } from '../../../../functions/contract/restore-options.ts';
import type { ArchivedName } from '../../../../functions/core/backup/archive.ts';
import type { KubeObject } from '../../../../functions/core/kubernetes/resources.ts';
import { holdReason } from '../../../../functions/core/restore/dangerous.ts';
import { restoredNamespaces, scopeOf } from '../../../../functions/core/restore/restore-options.ts';
import { at, objectOf } from '../../../support/archived.ts';

describe('an object that could seize the cluster is held back', () => {
  const hold = (where: ArchivedName, object: KubeObject, allow: string[] = []) =>
    holdReason(where, object, { allow });
  const rbac = 'rbac.authorization.k8s.io';
  const pod = (spec: object) =>
    objectOf('Deployment', { spec: { template: { spec: { containers: [], ...spec } } } });
  it.each([
    [
      at(`clusterrolebindings.${rbac}`, 'ops', undefined),
      objectOf('ClusterRoleBinding', { roleRef: { name: 'cluster-admin' } }),
      /cluster-admin/,
    ],
    [
      at(`rolebindings.${rbac}`),
      objectOf('RoleBinding', { subjects: [{ kind: 'Group', name: 'system:masters' }] }),
      /system:masters/,
    ],
    [
      at(`clusterroles.${rbac}`),
      objectOf('ClusterRole', { rules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }] }),
      /everything/,
    ],
    [at(`roles.${rbac}`), objectOf('Role', { rules: [{ verbs: ['get', 'escalate'] }] }), /escalate/],
    [
      at(`clusterroles.${rbac}`),
      objectOf('ClusterRole', { rules: [{ verbs: ['*'], apiGroups: [rbac], resources: ['*'] }] }),
      /\(escalate\)/,
    ],
    [
      at(`roles.${rbac}`),
      objectOf('Role', {
        rules: [{ verbs: ['*'], apiGroups: [''], resources: ['pods', 'serviceaccounts'] }],
      }),
      /\(impersonate\)/,
    ],
    [
      at('persistentvolumes'),
      objectOf('PersistentVolume', { spec: { hostPath: { path: '/' } } }),
      /hostPath/,
    ],
    [at('persistentvolumes'), objectOf('PersistentVolume', { spec: { local: { path: '/' } } }), /local/],
    [at('pods'), { metadata: { name: 'no-kind' }, spec: { hostPID: true } }, /hostPID/],
    [
      at('cronjobs.batch'),
      {
        metadata: { name: 'no-kind' },
        spec: { jobTemplate: { spec: { template: { spec: { hostIPC: true } } } } },
      },
      /hostIPC/,
    ],
    [at('rollouts.argoproj.io'), pod({ hostNetwork: true }), /hostNetwork/],
    [
      at('deployments.apps'),
      objectOf('Deployment', { spec: { template: { spec: { containers: {}, hostPID: true } } } }),
      /hostPID/,
    ],
    [at('mutatingwebhookconfigurations.admissionregistration.k8s.io'), objectOf('X'), /every API request/],
    [at('apiservices.apiregistration.k8s.io'), objectOf('APIService'), /in place of the API server/],
    [at('deployments.apps'), pod({ hostNetwork: true }), /hostNetwork/],
    [at('deployments.apps'), pod({ volumes: [{ name: 'root', hostPath: {} }] }), /volume root/],
    [
      at('deployments.apps'),
      pod({ containers: [{ name: 'c', securityContext: { privileged: true } }] }),
      /container c is privileged/,
    ],
  ])('%j', (where, object, why) => {
    expect(hold(where, object)).toMatch(why);
  });
  it('unless it is allowed by name or pattern', () => {
    const agent = pod({ hostPID: true });
    for (const allow of ['deployments.apps/shop/x', 'deployments.apps/shop/*', '*'])
      expect(hold(at('deployments.apps'), agent, [allow])).toBeUndefined();
    expect(hold(at('deployments.apps'), agent, ['deployments.apps/other/x'])).toContain(
      '"allow": ["deployments.apps/shop/x"]',
    );
  });
  it('and an ordinary one is not', () => {
    expect(hold(at('deployments.apps'), pod({ volumes: [{ name: 'd', emptyDir: {} }] }))).toBeUndefined();
    expect(
      hold(at(`rolebindings.${rbac}`), objectOf('RoleBinding', { roleRef: { name: 'view' } })),
    ).toBeUndefined();
    expect(
      hold(
        at(`roles.${rbac}`),
        objectOf('Role', {
          rules: [{ verbs: ['*'], apiGroups: ['apps', ''], resources: ['pods', 'secrets'] }],
        }),
      ),
    ).toBeUndefined();
    expect(
      hold(at('persistentvolumes'), objectOf('PersistentVolume', { spec: { nfs: {} } })),
    ).toBeUndefined();
    expect(hold(at('pods.example.com'), objectOf('Pod', { spec: { hostPID: true } }))).toBeUndefined();
    expect(hold(at('configmaps'), objectOf('ConfigMap', { data: { hostPID: 'true' } }))).toBeUndefined();
  });
});

describe('the scope of a restore', () => {
  const standing = (options: RestoreOptions, where: ArchivedName, labels = {}, isFiltered = false) =>
    scopeOf(options, ['shop'], isFiltered).standingOf(where, objectOf('X', {}, { labels }));
  const inCluster = (type: string, name = 'r'): ArchivedName => ({ ...at(type, name), namespace: undefined });
  const ROLES = 'clusterroles.rbac.authorization.k8s.io';
  const CRDS = 'customresourcedefinitions.apiextensions.k8s.io';

  it.each<[RestoreOptions, ArchivedName, string]>([
    [{}, at('pods'), 'asked'],
    [{}, at('pods', 'x', 'other'), 'out'],
    [{}, inCluster('namespaces', 'shop'), 'asked'],
    [{}, inCluster('namespaces', 'other'), 'out'],
    [{}, inCluster(ROLES), 'asked'],
    [{ includedResources: ['pods'] }, at('pods'), 'asked'],
    [{ includedResources: ['pods'] }, at('secrets'), 'out'],
    [{ includedResources: ['pods'] }, inCluster('namespaces', 'shop'), 'needed'],
    [{ includedResources: ['pods'] }, inCluster(CRDS), 'needed'],
    [{ includedResources: ['pods'] }, inCluster(ROLES), 'out'],
    [{ excludedResources: ['*.apps'] }, at('deployments.apps'), 'out'],
    [{ excludedResources: ['namespaces'] }, inCluster('namespaces', 'shop'), 'out'],
    [{ includeClusterResources: false }, inCluster(ROLES), 'out'],
    [{ includeClusterResources: false }, inCluster(CRDS), 'out'],
    [{ includeClusterResources: true, includedResources: ['pods'] }, inCluster(ROLES), 'asked'],
  ])('with %j has %j: %s', (options, where, expected) => {
    expect(standing(options, where)).toBe(expected);
  });

  it.each<[RestoreOptions, string, string]>([
    [{}, ROLES, 'needed'],
    [{ includedResources: ['*'] }, ROLES, 'needed'],
    [{ includedResources: [ROLES] }, ROLES, 'asked'],
    [{ includeClusterResources: true }, ROLES, 'asked'],
    [{ includeClusterResources: false }, ROLES, 'out'],
  ])('of namespaces by name, with %j, has %s: %s', (options, type, expected) => {
    expect(standing(options, inCluster(type), {}, true)).toBe(expected);
  });

  it('is by label what a selector matches; of the rest, only what that needs', () => {
    expect(standing({ labelSelector: 'a=1' }, at('pods'), { a: '1' })).toBe('asked');
    expect(standing({ labelSelector: 'a=1' }, at('pods'), { a: '2' })).toBe('needed');
    expect(standing({ orLabelSelectors: ['a=1', 'a=2'] }, at('pods'), { a: '2' })).toBe('asked');
    expect(standing({ labelSelector: 'a=1' }, at('pods'), 'no labels' as never)).toBe('needed');
  });

  it('knows the selectors that have matched nothing', () => {
    const scope = scopeOf({ orLabelSelectors: ['a=1', 'b=1'] }, ['shop']);
    scope.standingOf(at('pods'), objectOf('Pod', {}, { labels: { a: '1' } }));
    expect(scope.unmatched()).toEqual(['b=1']);
  });

  it('is the namespaces that a name or pattern finds, and says what finds none', () => {
    expect(restoredNamespaces(['team-*', 'gone'], ['team-a', 'shop'])).toEqual({
      namespaces: ['team-a'],
      unknown: ['gone'],
    });
    expect(restoredNamespaces(undefined, ['shop']).namespaces).toEqual(['shop']);
  });
});

const modified = (rule: object) => ({ backup: 'latest', resourceModifiers: [rule] });
const patched = (operation: object) =>
  modified({ conditions: { groupResource: 'pods' }, patches: [operation] });

describe('what a person types to restore', () => {
  it.each([
    [{ backup: 'latest', existingResources: 'overwrite' }],
    [{ backup: 'latest', labelSelector: 'a in b' }],
    [{ backup: 'latest', labelSelector: 'a', orLabelSelectors: ['b'] }],
    [{ backup: 'latest', namespaceMapping: { shop: 'Shop' } }],
    [{ backup: 'latest', resourceModifiers: [{ conditions: {} }] }],
    [{ backup: 'latest', namespaces: 'shop' }],
    [{ backup: 'latest', namespaceMapping: { a: 'c', b: 'c' } }],
    [{ backup: 'latest', allow: [''] }],
    [modified({ conditions: { groupResource: 'pods', resourceNameRegex: '(' } })],
    [patched({ op: 'add', path: '/spec/x' })],
    [patched({ op: 'replace', path: '/spec/x' })],
    [patched({ op: 'test', path: '/spec/x' })],
    [patched({ op: 'move', path: '/spec/x' })],
    [patched({ op: 'copy', path: '/spec/x' })],
    [patched({ op: 'remove', path: 'spec/x' })],
    [patched({ op: 'remove', path: '/spec/~2' })],
    [patched({ op: 'copy', path: '/spec/x', from: 'spec' })],
  ])('%j is refused', (input) => {
    expect(RestoreInput.safeParse(input).success).toBe(false);
  });

  it.each([
    [patched({ op: 'add', path: '/spec/x', value: null })],
    [patched({ op: 'test', path: '', value: {} })],
    [patched({ op: 'remove', path: '/metadata/annotations/a~1b' })],
    [patched({ op: 'move', path: '/spec/x', from: '/spec/y' })],
    [{ backup: 'latest', includedResources: ['Deployment'] }],
    [{ backup: 'latest', namespaceMapping: { a: 'b', b: 'a' } }],
  ])('%j is taken', (input) => {
    expect(RestoreInput.safeParse(input).error).toBeUndefined();
  });

  it('takes as "allow" whatever name the report’s hint has, and lets that object through', () => {
    // A name of an RBAC object is a segment of a path.
    const name = fc
      .string({ unit: 'grapheme', minLength: 1 })
      .filter((n) => !/[/%\p{Cc}]/u.test(n) && n !== '.' && n !== '..');
    const object = objectOf('ClusterRoleBinding', { roleRef: { name: 'cluster-admin' } });
    fc.assert(
      fc.property(fc.oneof(name, fc.constantFrom('c33:everything', 'C33 Admins', 'a@b', 'x*')), (n) => {
        const where = { ...at('clusterrolebindings.rbac.authorization.k8s.io', n), namespace: undefined };
        const hint = /"allow": \["(.*)"\]$/su.exec(holdReason(where, object, {}) ?? '')?.[1] as string;
        const { allow } = RestoreInput.parse({ backup: 'latest', allow: [hint] });
        expect(holdReason(where, object, { allow })).toBeUndefined();
      }),
    );
  });
});
