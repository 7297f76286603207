import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { kubernetesGroups } from '../../functions/contract/names.ts';
import { type RbacOptions, rbacManifests } from '../../functions/core/kubernetes/rbac.ts';

/** A tenant: a service account with the role admin in its own namespace. */
const TENANT = 'rbac-tenant';
const ACCOUNT = `system:serviceaccount:${TENANT}:owner`;

const kubectl = (args: string[], input?: object) =>
  execa('kubectl', args, { reject: false, ...(input && { input: JSON.stringify(input) }) });
/** Applies like `holdfast rbac | kubectl apply -f -`, and what the API server answers. */
const apply = async (options: RbacOptions) => {
  const { stdout, stderr, exitCode } = await kubectl(['apply', '-f', '-'], rbacManifests(options));
  return { lines: stdout.split('\n'), stderr, exitCode };
};
const may = async (who: string[], verb: string, resource: string, namespace: string) =>
  (await kubectl(['auth', 'can-i', verb, resource, '-n', namespace, ...who])).stdout === 'yes';
const backup = ['--as', 'holdfast', '--as-group', kubernetesGroups.backup];

beforeAll(async () => {
  for (const namespace of [TENANT, 'rbac-shop']) await kubectl(['create', 'namespace', namespace]);
  await kubectl(['create', 'serviceaccount', 'owner', '-n', TENANT]);
  const binding = ['owner', '--clusterrole', 'admin', '--serviceaccount', `${TENANT}:owner`, '-n', TENANT];
  await kubectl(['create', 'rolebinding', ...binding]);
});
afterAll(async () => {
  for (const namespace of [TENANT, 'rbac-shop'])
    await kubectl(['delete', 'namespace', namespace, '--wait=false']);
  await apply({}); // as worlds have it
});

describe('what holdfast rbac prints', () => {
  it('is accepted by a real API server with every option and a second time changes nothing', async () => {
    const options = {
      hooks: true,
      snapshots: true,
      commands: ['rbac-shop'],
      namespaces: ['rbac-shop'],
      ports: [9000],
    };
    const first = await apply(options);
    expect([first.exitCode, first.stderr]).toEqual([
      0,
      expect.not.stringMatching(/error|unknown|deprecated/i),
    ]);
    const { lines, exitCode } = await apply(options);
    expect(exitCode).toBe(0);
    expect(lines.filter((line) => !line.endsWith(' unchanged'))).toEqual([]);
    expect(lines).toContain('networkpolicy.networking.k8s.io/holdfast unchanged');
  });

  it('with namespaces lets a backup run Jobs in these and in its own, and read everywhere', async () => {
    await apply({ namespaces: ['rbac-shop'] });
    for (const [verb, resource] of [
      ['create', 'jobs'],
      ['create', 'secrets'],
    ] as const)
      expect([
        await may(backup, verb, resource, 'rbac-shop'),
        await may(backup, verb, resource, 'holdfast'),
        await may(backup, verb, resource, TENANT),
      ]).toEqual([true, true, false]);
    expect(await may(backup, 'get', 'secrets', TENANT)).toBe(true);
  });

  it('gives a tenant nothing in the namespace of Holdfast', async () => {
    await apply({});
    const tenant = ['--as', ACCOUNT];
    expect(await may(tenant, 'create', 'pods', TENANT)).toBe(true);
    for (const [verb, resource] of [
      ['get', 'secrets'],
      ['list', 'pods'],
      ['create', 'pods'],
      ['create', 'jobs'],
      ['delete', 'jobs'],
      ['create', 'pods/exec'],
      ['create', 'rolebindings'],
      ['delete', 'networkpolicies'],
    ] as const)
      expect([verb, resource, await may(tenant, verb, resource, 'holdfast')]).toEqual([
        verb,
        resource,
        false,
      ]);
    expect(await may(tenant, 'patch', 'namespaces/holdfast', 'holdfast')).toBe(false);
  });
});
