import { expect, test } from 'vitest';
import { rbacManifests } from '../../../functions/core/rbac.ts';

interface Item {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
  readonly rules?: readonly { readonly resources?: readonly string[]; readonly verbs: readonly string[] }[];
}
const items = (options?: { hooks: boolean }) => (rbacManifests(options) as { items: Item[] }).items;
/** What backups may do beside reading. */
const writes = (options?: { hooks: boolean }) =>
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

test('the namespace of Holdfast lets Jobs read folders of nodes', () => {
  const namespace = items().find((i) => i.kind === 'Namespace');
  expect(namespace?.metadata.labels['pod-security.kubernetes.io/enforce']).toBe('privileged');
});
