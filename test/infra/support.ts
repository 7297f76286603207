import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, type Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import type { CopyName } from '../../functions/contract/copies.ts';
import type { Bundler } from '../../infra/bundle.ts';
import { parseConfig } from '../../infra/config/load.ts';
import type { ClusterConfig, Config } from '../../infra/config/schema.ts';
import { flat } from '../../infra/security/roles.ts';
import { ClusterStack } from '../../infra/stacks/cluster-stack.ts';
import {
  AccessLogStack,
  VaultReplicaStack,
  VaultReplicationStack,
  VaultStack,
} from '../../infra/stacks/vault-stack.ts';

export { flat };

export const KUBECONFIG =
  '{ kind: kubeconfig, backupSecret: holdfast/prod/backup, restoreSecret: holdfast/prod/restore }';
export const EKS = '{ kind: eks, name: prod-eks, region: eu-west-1 }';

/** With Object Lock, as holdfast.yaml says it. */
export const LOCKED = 'objectLock: { mode: compliance, days: 40 }';

function config(access = KUBECONFIG, vault = ''): Config {
  return parseConfig(
    `
vault: { region: eu-west-1, replicaRegion: eu-central-1${vault && `, ${vault}`} }
clusters:
  - name: prod
    access: ${access}
    plans:
      - { name: nightly, namespaces: [shop], schedule: "0 2 * * *", timeZone: Europe/Berlin, retention: { keepLast: 7 } }
      - { name: hourly, namespaces: [shop], schedule: rate(1 hour), retention: { keepLast: 24 } }
`,
    'holdfast.yaml',
  );
}

const code = mkdtempSync(join(tmpdir(), 'holdfast-stub-'));
writeFileSync(join(code, 'index.mjs'), 'export const handler = () => {};\n');
process.on('exit', () => rmSync(code, { recursive: true, force: true }));
/** Templates do not depend on what the code does: bundling it would only make these tests slow. */
const stub: Bundler = () => code;

const { context } = JSON.parse(readFileSync(new URL('../../cdk.json', import.meta.url), 'utf8'));
/** As the CDK's command line would start it: with the flags of cdk.json, and paths in the templates; without stack traces. */
export const app = (): App =>
  new App({
    context: { ...context, 'aws:cdk:enable-path-metadata': true, 'aws:cdk:disable-stack-trace': true },
  });

const STACKS = {
  vault: (all: Config) => new VaultStack(app(), all),
  replica: (all: Config) => new VaultReplicaStack(app(), all),
  replication: (all: Config) => new VaultReplicationStack(app(), all),
  logOfPrimary: (all: Config) => new AccessLogStack(app(), all, 'primary'),
  logOfReplica: (all: Config) => new AccessLogStack(app(), all, 'replica'),
  cluster: (all: Config) =>
    new ClusterStack(app(), { config: all, cluster: all.clusters[0] as ClusterConfig, bundle: stub }),
};
const made = new Map<string, Stack>();
const templates = new WeakMap<Stack, Template>();

/**
 * A stack of a configuration; of `cluster`, that of its first cluster. Making one takes long, and tests only read it: equal
 * configurations have one stack, and a stack has one template.
 */
export function stackOf(kind: keyof typeof STACKS, all: Config): Stack {
  const key = `${kind} ${JSON.stringify(all)}`;
  const stack = made.get(key) ?? STACKS[kind](all);
  made.set(key, stack);
  return stack;
}
export function templateOf(stack: Stack): Template {
  const template = templates.get(stack) ?? Template.fromStack(stack);
  templates.set(stack, template);
  return template;
}

export function clusterTemplate(
  access = KUBECONFIG,
  over: Partial<ClusterConfig> = {},
  vault = '',
): Template {
  const all = config(access, vault);
  const [prod] = all.clusters as [ClusterConfig];
  return templateOf(stackOf('cluster', { ...all, clusters: [{ ...prod, ...over }] }));
}
export const vaultStack = (vault = ''): Stack => stackOf('vault', config(KUBECONFIG, vault));
export const replicaStack = (vault = ''): Stack => stackOf('replica', config(KUBECONFIG, vault));

export const accessLogStack = (copy: CopyName, vault = ''): Stack =>
  stackOf(copy === 'primary' ? 'logOfPrimary' : 'logOfReplica', config(KUBECONFIG, vault));

export interface Statement {
  readonly actions: string[];
  readonly resources: string[];
  readonly condition: unknown;
}

const list = <T>(value: T | T[]): T[] => (Array.isArray(value) ? value : [value]);

/** What the role of a construct may do, by the construct's path below the stack. */
export function statementsOf(template: Template, path: string): Statement[] {
  const policies = Object.values(template.findResources('AWS::IAM::Policy')).filter((p) =>
    String(p.Metadata?.['aws:cdk:path']).includes(`/${path}/`),
  );
  if (policies.length === 0) throw new Error(`no policy below ${path}`);
  return policies.flatMap((policy) =>
    policy.Properties.PolicyDocument.Statement.map((s: Record<string, never>) => ({
      actions: list(s.Action),
      resources: list(s.Resource).map(flat),
      condition: s.Condition,
    })),
  );
}

/** Resources on which a construct's role may do an action. */
export function allowed(template: Template, path: string, action: string): string[] {
  return statementsOf(template, path)
    .filter((s) => s.actions.includes(action))
    .flatMap((s) => s.resources)
    .sort();
}

export const PRIMARY = 'arn:<AWS::Partition>:s3:::holdfast-vault-<AWS::AccountId>-eu-west-1';
export const REPLICA = 'arn:<AWS::Partition>:s3:::holdfast-vault-<AWS::AccountId>-eu-central-1';
