import { expect, test } from 'vitest';
import { type RbacOptions, rbacManifests } from '../../../../functions/core/kubernetes/rbac.ts';

interface Item {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels: Readonly<Record<string, string>>;
  };
  readonly rules?: readonly { readonly resources?: readonly string[]; readonly verbs: readonly string[] }[];
}
const items = (options?: RbacOptions) => (rbacManifests(options) as { items: Item[] }).items;
/** What backups may do beside reading. */
const writes = (options?: RbacOptions) =>
  items(options)
    .find((i) => i.kind === 'ClusterRole' && i.metadata.name === 'holdfast-backup')
    ?.rules?.filter((r) => r.verbs.some((v) => !['get', 'list'].includes(v)))
    .map((r) => `${r.verbs.join()} ${r.resources?.join()}`);

test('a backup may run Jobs with Secrets of their own, and change nothing', () => {
  expect(writes()).toEqual(['create,patch,delete jobs', 'create secrets']);
});

test('commands in containers are a right for those who ask for it', () => {
  expect(writes({ hooks: true })).toContain('create,get pods/exec');
});

test('snapshots, and claims of them, are made and removed by those who ask for it', () => {
  expect(writes({ snapshots: true })).toEqual([
    ...(writes() ?? []),
    'create,delete volumesnapshots',
    'create,delete persistentvolumeclaims',
  ]);
});

test('the account for commands may run them in its own namespace, and is nobody elsewhere', () => {
  const added = items({ commands: ['shop'] }).filter((i) => i.metadata.name === 'holdfast-command');
  expect(added.map((i) => [i.kind, i.metadata.namespace])).toEqual([
    ['ServiceAccount', 'shop'],
    ['Role', 'shop'],
    ['RoleBinding', 'shop'],
  ]);
  expect(added[1]?.rules?.map((r) => `${r.verbs.join()} ${r.resources?.join()}`)).toEqual([
    'get pods',
    'create,get pods/exec',
  ]);
});

test('the namespace of Holdfast lets Jobs read folders of nodes', () => {
  const namespace = items().find((i) => i.kind === 'Namespace');
  expect(namespace?.metadata.labels['pod-security.kubernetes.io/enforce']).toBe('privileged');
});
