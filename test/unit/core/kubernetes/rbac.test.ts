import { describe, expect, test } from 'vitest';
import { type RbacOptions, rbacManifests } from '../../../../functions/core/kubernetes/rbac.ts';
import { portOf } from '../../../../functions/core/kubernetes/system-namespace.ts';

interface Item {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels: Readonly<Record<string, string>>;
  };
  readonly roleRef?: { readonly name: string };
  readonly subjects?: readonly {
    readonly kind: string;
    readonly name: string;
    readonly namespace?: string;
  }[];
  readonly spec?: {
    readonly egress: readonly {
      readonly ports: readonly { readonly protocol: string; readonly port: number }[];
    }[];
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

describe('with the namespaces of the plans, a backup', () => {
  const options = { namespaces: ['shop', 'holdfast', 'shop', 'db'], hooks: true, snapshots: true };

  test('still reads the whole cluster, and writes nowhere but in these and in Holdfast’s own', () => {
    expect(writes(options)).toEqual([]);
    const roles = items(options).filter((i) => i.kind === 'Role');
    expect(roles.map(({ metadata: { name, namespace } }) => `${namespace}/${name}`)).toEqual([
      'holdfast/holdfast-backup',
      'shop/holdfast-backup',
      'db/holdfast-backup',
    ]);
  });

  test('may do there what it may do everywhere without them, and only run Jobs in Holdfast’s own', () => {
    const { namespaces: _, ...everywhere } = options;
    const [own, ...others] = items(options)
      .filter((i) => i.kind === 'Role')
      .map((i) => i.rules?.map((r) => `${r.verbs.join()} ${r.resources?.join()}`));
    expect(own).toEqual(writes());
    expect(others).toEqual([writes(everywhere), writes(everywhere)]);
  });
});

test('every role is bound to one of the two groups, or to the account for commands in its namespace', () => {
  const all = items({ namespaces: ['shop'], commands: ['shop'], hooks: true });
  const bindings = all.filter((i) => i.kind.endsWith('Binding'));
  const bound = bindings.map(({ metadata, roleRef, subjects }) => [
    metadata.namespace,
    roleRef?.name,
    ...(subjects ?? []).map((s) => `${s.kind} ${s.namespace ?? ''} ${s.name}`),
  ]);
  expect(bound).toEqual([
    [undefined, 'holdfast-backup', 'Group  holdfast:backup'],
    ['holdfast', 'holdfast-backup', 'Group  holdfast:backup'],
    ['shop', 'holdfast-backup', 'Group  holdfast:backup'],
    [undefined, 'holdfast-restore', 'Group  holdfast:restore'],
    ['shop', 'holdfast-command', 'ServiceAccount shop holdfast-command'],
  ]);
});

test('nobody but Holdfast gets a right in its own namespace', () => {
  const there = items({ commands: ['shop'] }).filter((i) => i.metadata.namespace === 'holdfast');
  expect(there.map((i) => i.kind)).toEqual(['NetworkPolicy']);
});

describe('the namespace of Holdfast', () => {
  const [namespace] = items().filter((i) => i.kind === 'Namespace');
  const policy = (options?: RbacOptions) => items(options).find((i) => i.kind === 'NetworkPolicy')?.spec;

  test('admits Jobs that read folders of nodes, and warns and takes a note of whatever is more than baseline', () => {
    expect(namespace?.metadata.labels).toEqual({
      'app.kubernetes.io/managed-by': 'holdfast',
      'pod-security.kubernetes.io/enforce': 'privileged',
      'pod-security.kubernetes.io/audit': 'baseline',
      'pod-security.kubernetes.io/warn': 'baseline',
    });
  });

  test('comes before what is in it, so that one apply makes all', () => {
    expect(items().map((i) => i.kind)[0]).toBe('Namespace');
  });

  test('lets nobody in, to no pod', () => {
    expect(policy()).toMatchObject({ podSelector: {}, policyTypes: ['Ingress', 'Egress'] });
    expect(policy()).not.toHaveProperty('ingress');
  });

  test('lets pods out to DNS, S3 and etcd, by port', () => {
    const ports = policy()?.egress.flatMap((rule) => rule.ports.map((p) => `${p.protocol} ${p.port}`));
    expect(ports).toEqual([
      ...['UDP 53', 'TCP 53', 'UDP 5353', 'TCP 5353', 'UDP 8053', 'TCP 8053'],
      ...['TCP 443', 'TCP 2379'],
    ]);
    expect(policy()?.egress.every((rule) => rule.ports.length > 0)).toBe(true);
  });

  test('lets pods out to the ports of configured endpoints as well, each once', () => {
    const { egress } = policy({ ports: [9000, 443, 12379] }) ?? { egress: [] };
    expect(egress[1]?.ports.map((p) => p.port)).toEqual([443, 2379, 9000, 12379]);
  });
});

test.each([
  ['https://s3.eu-west-1.amazonaws.com', 443],
  ['http://minio.storage', 80],
  ['http://10.0.0.1:9000', 9000],
  ['https://[fd00::1]:2379', 2379],
])('the port of %s is %i', (url, port) => {
  expect(portOf(url)).toBe(port);
});
