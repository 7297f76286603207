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
    expect(hold(at('configmaps'), objectOf('ConfigMap', { data: { hostPID: 'true' } }))).toBeUndefined();
  });
});

describe('the scope of a restore', () => {
  const takes = (options: RestoreOptions, where: ArchivedName, labels = {}) =>
    scopeOf(options, ['shop'])(where, objectOf('X', {}, { labels }));
  it('is the types and labels that were asked for, and the Namespace always', () => {
    expect(takes({ includedResources: ['pods'] }, at('pods'))).toBe(true);
    expect(takes({ includedResources: ['pods'] }, at('secrets'))).toBe(false);
    expect(takes({ excludedResources: ['*.apps'] }, at('deployments.apps'))).toBe(false);
    expect(takes({ labelSelector: 'a=1' }, at('pods'), { a: '2' })).toBe(false);
    expect(takes({ orLabelSelectors: ['a=1', 'a=2'] }, at('pods'), { a: '2' })).toBe(true);
    expect(
      takes({ includedResources: ['pods'], labelSelector: 'a=1' }, at('namespaces', 'shop', undefined)),
    ).toBe(true);
  });
  it('has no cluster-scoped objects when that is said', () => {
    const role = at('clusterroles.rbac.authorization.k8s.io', 'r', undefined);
    expect(takes({ includeClusterResources: false }, { ...role, namespace: undefined })).toBe(false);
  });
  it('is the namespaces that a name or pattern finds, and says what finds none', () => {
    expect(restoredNamespaces(['team-*', 'gone'], ['team-a', 'shop'])).toEqual({
      namespaces: ['team-a'],
      unknown: ['gone'],
    });
    expect(restoredNamespaces(undefined, ['shop']).namespaces).toEqual(['shop']);
  });
});

describe('what a person types to restore', () => {
  it.each([
    [{ backup: 'latest', existingResources: 'overwrite' }],
    [{ backup: 'latest', labelSelector: 'a in b' }],
    [{ backup: 'latest', labelSelector: 'a', orLabelSelectors: ['b'] }],
    [{ backup: 'latest', namespaceMapping: { shop: 'Shop' } }],
    [{ backup: 'latest', resourceModifiers: [{ conditions: {} }] }],
    [{ backup: 'latest', namespaces: 'shop' }],
  ])('%j is refused', (input) => {
    expect(RestoreInput.safeParse(input).success).toBe(false);
  });
});
