import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, type Stack } from 'aws-cdk-lib';
import { COPIES } from '../../functions/contract/copies.ts';
import { FUNCTION_NAMES, FUNCTIONS, lambdaName } from '../../functions/contract/functions.ts';
import { parseConfig } from '../config/load.ts';
import type { ClusterConfig } from '../config/schema.ts';
import { copiesOf } from '../constructs/vault-copies.ts';
import { ClusterStack } from '../stacks/cluster-stack.ts';
import { VaultReplicaStack, VaultStack } from '../stacks/vault-stack.ts';
import { flat, type RoleRights, rolesOf, type TemplateJson } from './roles.ts';
import { type Column, type Names, type Word, wordsOf } from './words.ts';

/** The markers around the table in docs/security.md. */
const MARKERS = [
  '<!-- security-table: npm run security-table writes it -->',
  '<!-- /security-table -->',
] as const;

const CONFIG = `
vault: { region: eu-west-1, replicaRegion: eu-central-1 }
clusters:
  - name: prod
    access: { kind: kubeconfig, backupSecret: holdfast/prod/backup, restoreSecret: holdfast/prod/restore }
    plans:
      - { name: nightly, namespaces: [shop], schedule: "0 2 * * *", retention: { keepLast: 7 } }
`;

/** The permissions of all roles as Markdown tables, from the synthesized templates. Deterministic. */
export function securityTable(): string {
  const { names, templates } = synthesize();
  const roles = templates.flatMap(rolesOf);
  const rows = FUNCTION_NAMES.map((name) => {
    const role = roles.find((r) => r.functionName === lambdaName(names.cluster, name));
    if (!role) throw new Error(`${name} has no role in the template`);
    const { first, second, keys, secrets, more } = cells(role, names);
    return [`\`${name}\``, FUNCTIONS[name].access, first, second, keys, secrets, more];
  });
  const others = roles
    .filter((r) => !FUNCTION_NAMES.some((name) => r.functionName === lambdaName(names.cluster, name)))
    .sort((a, b) => (a.path < b.path ? -1 : 1))
    .map((role) => [roleName(role), inOneCell(cells(role, names))]);
  return [
    ...markdown(['function', 'in the cluster', ...COPIES, 'keys', 'secrets', 'other'], rows),
    '',
    ...markdown(['other role', 'permissions'], others),
  ].join('\n');
}

/** The text of docs/security.md with the table as it is now. */
export function withTable(page: string, table: string): string {
  const [begin, end] = MARKERS;
  const [before, rest] = page.split(begin);
  const after = rest?.split(end)[1];
  if (after === undefined) throw new Error(`docs/security.md has no ${begin} … ${end}`);
  return `${before}${begin}\n${table}\n${end}${after}`;
}

function synthesize(): { names: Names; templates: TemplateJson[] } {
  const config = parseConfig(CONFIG, 'holdfast.yaml');
  const cluster = config.clusters[0] as ClusterConfig;
  const code = mkdtempSync(join(tmpdir(), 'holdfast-table-'));
  writeFileSync(join(code, 'index.mjs'), 'export const handler = () => {};\n'); // rights do not depend on code
  try {
    const app = new App({
      context: { 'aws:cdk:enable-path-metadata': true, 'aws:cdk:disable-stack-trace': true },
    });
    const stacks: Stack[] = [
      new VaultStack(app, config),
      new VaultReplicaStack(app, config),
      new ClusterStack(app, { config, cluster, bundle: () => code }),
    ];
    const assembly = app.synth();
    const templates = stacks.map((s) => assembly.getStackArtifact(s.artifactId).template as TemplateJson);
    if (cluster.access.kind !== 'kubeconfig') throw new Error('the table is of a cluster with kubeconfigs');
    const { backupSecret: backup, restoreSecret: restore } = cluster.access;
    const { primary, replica } = copiesOf(config);
    const called = calledIn(templates, cluster.name);
    return {
      names: {
        cluster: cluster.name,
        vault: primary.prefix,
        regions: { first: primary.region, second: replica.region },
        secrets: { backup, restore },
        called,
      },
      templates,
    };
  } finally {
    rmSync(code, { recursive: true, force: true });
  }
}

/** Functions and machines by their logical ids. */
function calledIn(templates: readonly TemplateJson[], cluster: string): Map<string, string> {
  const short = (name: unknown) => flat(name ?? '').replace(`holdfast-${cluster}-`, '');
  return new Map(
    templates.flatMap(({ Resources = {} }) =>
      Object.entries(Resources).flatMap(([id, { Type, Properties }]): [string, string][] => {
        if (Type === 'AWS::Lambda::Function') return [[id, short(Properties.FunctionName) || id]];
        return Type === 'AWS::StepFunctions::StateMachine' ? [[id, short(Properties.StateMachineName)]] : [];
      }),
    ),
  );
}

/** The permissions of a role, one sentence per column. */
function cells(role: RoleRights, names: Names): Record<Column, string> {
  const words = role.rights.flatMap((right) => wordsOf(right, names));
  const cell = (column: Column) => sentence(words.filter((w) => w.column === column));
  return {
    first: cell('first'),
    second: cell('second'),
    keys: cell('keys'),
    secrets: cell('secrets'),
    more: cell('more'),
  };
}

const ORDER = ['reads', 'lists', 'writes', 'deletes'];

/** `reads records, velero; writes records`. What is read or deleted is listed as well, without a word. */
function sentence(words: readonly Word[]): string {
  const verbs = new Map<string, Set<string>>();
  for (const { verb, object } of words) verbs.set(verb, (verbs.get(verb) ?? new Set()).add(object));
  for (const object of verbs.get('lists') ?? [])
    if (verbs.get('reads')?.has(object) || verbs.get('deletes')?.has(object))
      verbs.get('lists')?.delete(object);
  const rank = (verb: string) => (ORDER.includes(verb) ? ORDER.indexOf(verb) : ORDER.length);
  return [...verbs]
    .filter(([, objects]) => objects.size > 0)
    .sort(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1))
    .map(([verb, objects]) => `${verb} ${[...objects].sort().join(', ')}`.trim())
    .join('; ');
}

const inOneCell = ({ first, second, keys, secrets, more }: Record<Column, string>): string =>
  [
    first && `primary: ${first}`,
    second && `replica: ${second}`,
    keys && `keys: ${keys}`,
    secrets && `secrets: ${secrets}`,
    more,
  ]
    .filter(Boolean)
    .join('; ');

/** `machine-backup/Machine/Role` is the role of machine-backup. */
const roleName = ({ path }: RoleRights): string => path.replace(/(\/Machine)?\/(Service)?Role$/, '');

function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cs: readonly string[]) => `| ${cs.map((c) => c || '–').join(' | ')} |`;
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)];
}
