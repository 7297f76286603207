import type { PerCopy, VaultCopy } from '../../functions/contract/copies.ts';
import type { ClusterConfig } from '../../infra/config/schema.ts';
import type { Ask } from './ask.ts';
import type { Used } from './judge.ts';
import type { Model } from './model.ts';

/** One thing that a policy allows: an action on one resource, for a listing below one prefix. */
export interface Permission {
  /** `<owner> <action> <resource> [prefix]`, with <primary>, <replica>, <account> and <cluster> for names. */
  readonly text: string;
  readonly matches: (ask: Pick<Ask, 'action' | 'resource' | 'context'>) => boolean;
}

interface Statement {
  readonly Effect?: string;
  readonly Action?: string | string[];
  readonly Resource?: string | string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | string[]>>>>;
}

const list = <T>(value: T | T[] | undefined): T[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value];

/** Whether a text fits a pattern of IAM, with policy variables standing for anything. */
function fits(pattern: string, text: string): boolean {
  const escaped = pattern
    .replace(/\$\{[^}]*\}/g, '*')
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${escaped}$`, 's').test(text);
}

/** Everything that one statement allows. */
export function permissionsOf(
  owner: string,
  statement: object,
  plain: (text: string) => string,
): Permission[] {
  const { Effect, Action, Resource, Condition = {} } = statement as Statement;
  if (Effect !== 'Allow') return [];
  const prefixes = Object.values(Condition).flatMap((keys) => list(keys['s3:prefix']));
  return list(Action).flatMap((action) =>
    list(Resource).flatMap((resource) =>
      (prefixes.length > 0 ? prefixes : [undefined]).map((prefix): Permission => {
        const words = [owner, action, resource, ...(prefix === undefined ? [] : [prefix])];
        return {
          text: plain(words.join(' ')),
          matches: (ask) =>
            fits(action.toLowerCase(), ask.action.toLowerCase()) &&
            fits(resource, ask.resource) &&
            (prefix === undefined || list(ask.context?.['s3:prefix']).some((asked) => fits(prefix, asked))),
        };
      }),
    ),
  );
}

/** Replaces what differs from one deployment to another. */
export function plainNames(
  { primary, replica }: PerCopy<VaultCopy>,
  clusters: readonly Pick<ClusterConfig, 'name' | 'access'>[],
): (text: string) => string {
  const secrets = clusters.flatMap(({ access }): [string, string][] =>
    access.kind === 'kubeconfig'
      ? [
          [access.backupSecret, '<backup-kubeconfig>'],
          [access.restoreSecret, '<restore-kubeconfig>'],
        ]
      : [],
  );
  const names: [string, string][] = [
    [primary.bucket, '<primary>'],
    [replica.bucket, '<replica>'],
    ...secrets,
  ];
  return (text) =>
    clusters
      .reduce(
        (all, { name }) => all.replaceAll(new RegExp(`(?<=[/-])${name}(?=[/-])`, 'g'), '<cluster>'),
        names.reduce((all, [name, word]) => all.replaceAll(name, word), text),
      )
      .replaceAll(/\b(\d{12})\b/g, '<account>');
}

/** Which permissions exist and which were used, over all variants. */
export class Permissions {
  readonly #used = new Map<string, boolean>();

  /** Counts every permission of the roles of a model. */
  add(model: Model, plain: (text: string) => string): void {
    for (const { short, policies } of model.roles)
      for (const { policy } of policies)
        for (const statement of policy.Statement)
          for (const { text } of permissionsOf(short, statement, plain))
            this.#used.set(text, this.#used.get(text) ?? false);
  }

  /** Counts what an allowed call needed. */
  use(used: readonly Used[], plain: (text: string) => string): void {
    for (const { owner, statement, ask } of used)
      for (const { text, matches } of permissionsOf(owner, statement, plain))
        if (this.#used.has(text) && matches(ask)) this.#used.set(text, true);
  }

  /** Those that no call needed, sorted. A listing goes with the right to read below its prefix. */
  unused(): string[] {
    return [...this.#used]
      .filter(([text, used]) => !used && !this.#goesWithReading(text))
      .map(([text]) => text)
      .sort();
  }

  /** Without the listing a missing object would be a 403 to who may read it, and not a 404. */
  #goesWithReading(text: string): boolean {
    const [owner, action, bucket, prefix] = text.split(' ');
    return action === 's3:ListBucket' && this.#used.get(`${owner} s3:GetObject ${bucket}/${prefix}`) === true;
  }

  get count(): number {
    return this.#used.size;
  }
}
