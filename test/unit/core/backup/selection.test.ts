import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  matchesSelector,
  parseSelector,
  selectorProblem,
} from '../../../../functions/contract/label-selector.ts';
import type { Selection } from '../../../../functions/contract/settings.ts';
import { bindsInto, noRelated, noteRelated } from '../../../../functions/core/backup/related.ts';
import { extentOf, selectNamespaces } from '../../../../functions/core/backup/selection.ts';
import { matchesGlob } from '../../../../functions/core/kubernetes/patterns.ts';
import type { ResourceType } from '../../../../functions/core/kubernetes/resources.ts';
import { selectionOf } from '../../../support/selection.ts';

const type = (resource: string, group = '', namespaced = true): ResourceType => ({
  group,
  version: 'v1',
  resource,
  kind: 'Kind',
  namespaced,
});
const extent = (t: ResourceType, over: Partial<Selection> = {}, served: string[] = []) =>
  extentOf(t, selectionOf(['shop'], over), new Set(served));
const VOLUMES = type('persistentvolumes', '', false);
const NODES = type('nodes', '', false);

describe('a pattern', () => {
  it.each([
    ['team-*', 'team-a', true],
    ['team-*', 'steam-a', false],
    ['*.example.com', 'orders.example.com', true],
    ['*.example.com', 'orders-example.com', false],
    ['a?c', 'abc', true],
    ['a?c', 'ac', false],
    ['a+(b', 'a+(b', true],
  ])('%s on %s is %s', (pattern, text, matches) => {
    expect(matchesGlob(pattern, text)).toBe(matches);
  });
});

describe('the namespaces of a plan', () => {
  const existing = ['shop', 'team-a', 'team-b', 'kube-system'];
  it('are those that a name or pattern includes and none excludes', () => {
    const { included } = selectNamespaces(existing, {
      namespaces: ['team-*', 'shop'],
      excludedNamespaces: ['*-b'],
    });
    expect(included).toEqual(['shop', 'team-a']);
  });
  it('that are named and not there are missing; a pattern that matches nothing is not', () => {
    const { missing } = selectNamespaces(existing, {
      namespaces: ['shop', 'gone', 'no-*'],
      excludedNamespaces: [],
    });
    expect(missing).toEqual(['gone']);
  });
});

describe('of a type, a backup takes', () => {
  it('all when nothing is said', () => {
    expect(extent(type('pods'))).toBe('all');
  });
  it('all that is included by plural.group, by its plural, or by a pattern', () => {
    for (const name of ['deployments.apps', 'deployments', '*.apps'])
      expect(extent(type('deployments', 'apps'), { includedResources: [name] })).toBe('all');
  });
  it('none when others are included, or it is excluded', () => {
    expect(extent(type('pods'), { includedResources: ['secrets'] })).toBe('none');
    expect(extent(type('pods'), { excludedResources: ['pods'] })).toBe('none');
  });
  it('no measurements', () => {
    expect(extent(type('pods', 'metrics.k8s.io'))).toBe('none');
  });
  it('one name when it is served under two', () => {
    expect(extent(type('events', 'events.k8s.io'), {}, ['events'])).toBe('none');
    expect(extent(type('events', 'events.k8s.io'), {}, [])).toBe('all');
  });
  it('of cluster-scoped ones what belongs to the namespaces, and no nodes', () => {
    expect([extent(VOLUMES), extent(NODES)]).toEqual(['related', 'none']);
  });
  it('all cluster-scoped ones of a plan of every namespace', () => {
    expect(extent(NODES, { namespaces: ['*'] })).toBe('all');
    expect(extent(NODES, { namespaces: ['*'], excludedNamespaces: ['x'] })).toBe('none');
  });
  it('none or all cluster-scoped ones when that is said', () => {
    expect([
      extent(VOLUMES, { includeClusterResources: false }),
      extent(NODES, { includeClusterResources: true }),
    ]).toEqual(['none', 'all']);
  });
  it('what belongs to its objects even when that type was not asked for, unless it is excluded', () => {
    expect(extent(VOLUMES, { includedResources: ['persistentvolumeclaims'] })).toBe('related');
    expect(extent(VOLUMES, { excludedResources: ['persistentvolumes'] })).toBe('none');
  });
});

describe('with lists for each scope, a backup takes', () => {
  const CLASSES = type('ingressclasses', 'networking.k8s.io', false);
  it('the namespaced types that are included, and their Namespace', () => {
    const over = { includedNamespaceScopedResources: ['pods'] };
    expect([
      extent(type('pods'), over),
      extent(type('secrets'), over),
      extent(type('namespaces', '', false), over),
    ]).toEqual(['all', 'none', 'all']);
  });
  it('no namespaced type that is excluded, but a cluster-scoped one of that name', () => {
    const over = { excludedNamespaceScopedResources: ['*'], includedClusterScopedResources: ['nodes'] };
    expect([extent(type('pods'), over), extent(NODES, over)]).toEqual(['none', 'all']);
  });
  it('all of an included cluster-scoped type, and of others what belongs', () => {
    const over = { includedClusterScopedResources: ['ingressclasses.*'] };
    expect([extent(CLASSES, over), extent(VOLUMES, over), extent(NODES, over)]).toEqual([
      'all',
      'related',
      'none',
    ]);
  });
  it('nothing of an excluded cluster-scoped type, of the whole cluster too', () => {
    const over = { namespaces: ['*'], excludedClusterScopedResources: ['nodes'] };
    expect([extent(NODES, over), extent(VOLUMES, over)]).toEqual(['none', 'all']);
  });
  it('of the whole cluster only the included cluster-scoped types whole', () => {
    const over = { namespaces: ['*'], includedClusterScopedResources: ['nodes'] };
    expect([extent(NODES, over), extent(CLASSES, over), extent(VOLUMES, over)]).toEqual([
      'all',
      'related',
      'related',
    ]);
  });
});

describe('a label selector', () => {
  it.each([
    ['app=web', { app: 'web' }, true],
    ['app==web', { app: 'db' }, false],
    ['app!=web', {}, true],
    ['app notin (a,b)', { app: 'b' }, false],
    ['app in (a, b), !old', { app: 'b' }, true],
    ['app in (a, b), !old', { app: 'b', old: '' }, false],
    ['example.com/tier', { 'example.com/tier': '' }, true],
    ['app=', { app: '' }, true],
    ['toString', {}, false],
  ])('%s on %j is %s', (text, labels, matches) => {
    expect(matchesSelector(parseSelector(text), labels as Record<string, string>)).toBe(matches);
  });
  it.each(['', 'a,,b', 'a in b', 'a in (b', 'a=b=c', '=x', '!', 'a notin ()x'])(
    '%j is refused with a reason',
    (text) => {
      expect(selectorProblem(text)).toMatch(/requirement/);
    },
  );
  it('in and notin are opposites, whatever the labels', () => {
    const word = fc.constantFrom('a', 'b', 'c');
    fc.assert(
      fc.property(word, word, fc.dictionary(word, word), (key, value, labels) => {
        const has = matchesSelector(parseSelector(`${key} in (${value})`), labels);
        expect(matchesSelector(parseSelector(`${key} notin (${value})`), labels)).toBe(!has);
      }),
    );
  });
});

describe('what belongs to an object', () => {
  const noted = (groupResource: string, body: object) => {
    const related = noRelated();
    noteRelated(related, groupResource, { metadata: { name: 'x', namespace: 'shop' }, ...body });
    return Object.fromEntries(Object.entries(related).flatMap(([k, v]) => (v.size ? [[k, [...v]]] : [])));
  };
  it('is a claim’s volume and class', () => {
    expect(
      noted('persistentvolumeclaims', { spec: { volumeName: 'pv-1', storageClassName: 'fast' } }),
    ).toEqual({
      volumes: ['pv-1'],
      storageClasses: ['fast'],
    });
  });
  it('is nothing for a claim that is not bound', () => {
    expect(noted('persistentvolumeclaims', { spec: { volumeName: '' } })).toEqual({});
  });
  it('is the ClusterRole that a RoleBinding names, not a Role', () => {
    const binding = (kind: string) =>
      noted('rolebindings.rbac.authorization.k8s.io', { roleRef: { kind, name: 'view' } });
    expect([binding('ClusterRole'), binding('Role')]).toEqual([{ roles: ['view'] }, {}]);
  });
  it('is a ClusterRoleBinding that names its service account, alone or by the group of its namespace', () => {
    const bound = (subject: object) =>
      bindsInto({ metadata: { name: 'b' }, subjects: [subject] }, new Set(['shop']));
    expect(bound({ kind: 'ServiceAccount', name: 'a', namespace: 'shop' })).toBe(true);
    expect(bound({ kind: 'Group', name: 'system:serviceaccounts:shop' })).toBe(true);
    expect(bound({ kind: 'ServiceAccount', name: 'a', namespace: 'other' })).toBe(false);
    expect(bound({ kind: 'User', name: 'shop', namespace: 'shop' })).toBe(false);
  });
});
