import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { parse, stringify } from 'yaml';
import { type PerCopy, type VaultCopy, vaultCopies } from '../../functions/contract/copies.ts';
import { parseConfig } from '../../infra/config/load.ts';
import type { Config } from '../../infra/config/schema.ts';
import { makeStacks } from '../../infra/stacks/all-stacks.ts';
import type { Ask } from './ask.ts';
import { type Model, modelOf } from './model.ts';
import type { PlacedStack, Resource } from './resolve.ts';

/** Another account than the world's, for the replica. */
const OTHER_ACCOUNT = '111122223333';

type Yaml = Record<string, unknown>;

/** A configuration that the pipeline must work with, as a change of the one that was deployed. */
export interface VariantKind {
  readonly name: string;
  readonly change: (yaml: { vault: Yaml; clusters: Yaml[] }, account: string) => void;
}

const eks: VariantKind['change'] = ({ clusters }) => {
  for (const cluster of clusters) {
    cluster.access = { kind: 'eks', name: `${cluster.name}-eks`, region: 'eu-west-1' };
    delete cluster.controlPlane; // EKS has no etcd of its own to show
    for (const plan of cluster.plans as Yaml[]) {
      delete plan.controlPlane;
      delete plan.scratchEtcd;
    }
  }
};
const locked: VariantKind['change'] = ({ vault }) => {
  vault.objectLock = { mode: 'compliance', days: 40 };
};
const continuous: VariantKind['change'] = ({ vault }) => {
  vault.replication = { mode: 'continuous', timeControl: true };
};
const accounts: VariantKind['change'] = ({ vault }, account) => {
  vault.account = account;
  vault.replicaAccount = OTHER_ACCOUNT;
};

/** Every choice that changes permissions, alone and all together. */
export const VARIANTS: readonly VariantKind[] = [
  { name: 'as deployed', change: () => undefined },
  { name: 'EKS access', change: eks },
  { name: 'Object Lock', change: locked },
  { name: 'continuous replication', change: continuous },
  { name: 'replica in another account', change: accounts },
  {
    name: 'access logs by S3',
    change: ({ vault }) => {
      vault.accessLog = { mode: 's3' };
    },
  },
  {
    name: 'EKS, Object Lock, continuous replication, another account',
    change: (yaml, account) => {
      for (const change of [eks, locked, continuous, accounts]) change(yaml, account);
    },
  },
];

/** One variant of a deployment, with what the recorded calls are called there. */
export interface Variant {
  readonly name: string;
  readonly config: Config;
  readonly copies: PerCopy<VaultCopy>;
  readonly model: Model;
  /** The synthesized app, for rules that go by constructs. */
  readonly app: App;
  /** The question as this variant would ask it. Undefined: this variant does not. */
  readonly asked: (ask: Ask) => Ask | undefined;
}

/** Synthesizes a variant of a deployed configuration. `account`: where it was deployed. */
export function variantOf(kind: VariantKind, text: string, account: string): Variant {
  const deployed = parseConfig(text, 'holdfast.yaml');
  const yaml = parse(text) as { vault: Yaml; clusters: Yaml[] };
  kind.change(yaml, account);
  const config = parseConfig(stringify(yaml), kind.name);
  const copies = vaultCopies(config.vault, account);
  const { app, stacks } = synthesize(config, account);
  const model = modelOf(stacks);
  const names = renames(vaultCopies(deployed.vault, account).replica, copies.replica);
  const gone = new Set(
    config.clusters.flatMap(({ access }, i) => (access.kind === 'eks' ? secretsOf(deployed, i) : [])),
  );
  return { name: kind.name, config, copies, model, app, asked: (ask) => adapt(ask, names, gone) };
}

function secretsOf({ clusters }: Config, i: number): string[] {
  const access = clusters[i]?.access;
  return access?.kind === 'kubeconfig' ? [access.backupSecret, access.restoreSecret] : [];
}

const renames = (from: VaultCopy, to: VaultCopy): readonly (readonly [string, string])[] => [
  [from.bucket, to.bucket],
  [`:kms:${from.region}:${from.account}:`, `:kms:${to.region}:${to.account}:`],
];

/** A function that has its cluster from EKS reads no kubeconfig. */
function adapt(ask: Ask, names: ReturnType<typeof renames>, gone: ReadonlySet<string>): Ask | undefined {
  if (ask.action === 'secretsmanager:GetSecretValue') {
    const secret = ask.resource.split(':secret:')[1]?.replace(/-\w{6}$/, '');
    if (gone.has(secret ?? '')) return undefined;
  }
  const renamed = names.reduce((text, [from, to]) => text.replaceAll(from, to), JSON.stringify(ask));
  return JSON.parse(renamed) as Ask;
}

/** The stacks of a configuration with where they would be. Permissions do not depend on code, so nothing is bundled. */
function synthesize(config: Config, account: string): { app: App; stacks: PlacedStack[] } {
  const code = mkdtempSync(join(tmpdir(), 'holdfast-iam-'));
  writeFileSync(join(code, 'index.mjs'), 'export const handler = () => {};\n');
  try {
    const app = appOf();
    const made = makeStacks(app, config, () => code);
    const assembly = app.synth();
    const stacks = made.map(({ stackName: name, artifactId }): PlacedStack => {
      const { environment, template } = assembly.getStackArtifact(artifactId);
      const resources = (template as { Resources: Record<string, Resource> }).Resources;
      // A configuration that names no account is deployed into that of the caller.
      const home = /^\d+$/.test(environment.account) ? environment.account : account;
      return { name, account: home, region: environment.region, resources };
    });
    return { app, stacks };
  } finally {
    rmSync(code, { recursive: true, force: true });
  }
}

/** As the command line of the CDK starts the app. */
function appOf(): App {
  const { context } = JSON.parse(readFileSync(new URL('../../cdk.json', import.meta.url), 'utf8'));
  const more = { 'aws:cdk:enable-path-metadata': true, 'aws:cdk:disable-stack-trace': true };
  return new App({ context: { ...context, ...more } });
}
