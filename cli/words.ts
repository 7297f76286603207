import { InvalidArgumentError, Option } from 'commander';
import { COPIES } from '../functions/contract/copies.ts';
import { HoldfastError } from '../functions/contract/holdfast-error.ts';
import type { ClusterConfig } from '../infra/config/schema.ts';

/** `--from <copy>`: accepts the names of the two copies only. */
export const copyOption = (means: string): Option =>
  new Option('--from <copy>', means).choices(COPIES).default(COPIES[0]);

/** A percentage of a command line. InvalidArgumentError, which commander shows with the option's name, for other text. */
export function percent(text: string): number {
  const value = /^\d{1,3}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= 1 && value <= 100) return value;
  throw new InvalidArgumentError('It must be a whole number from 1 to 100.');
}

/** Checks that `--files` and `--include` are used together, and `--to` only with them. InputInvalid otherwise. */
export function checkFileOptions({ files, include, to }: FileOptions): void {
  if (files && !include) throw new HoldfastError('InputInvalid', '--include is required with --files');
  if (!files && include) throw new HoldfastError('InputInvalid', '--files is required with --include');
  if (!files && to) throw new HoldfastError('InputInvalid', '--files is required with --to');
}

/** The options of `restore` that select files of a volume. */
export interface FileOptions {
  readonly files?: string;
  readonly include?: readonly string[];
  readonly to?: string;
}

/** Names given to `--except`, each of which must be a repository of the cluster. InputInvalid for any other name. */
export function exceptIn(cluster: string, repositories: readonly string[], except: readonly string[]): void {
  const unknown = except.filter((name) => !repositories.includes(name));
  if (unknown.length === 0) return;
  const names = unknown.map((name) => `"${name}"`).join(', ');
  throw new HoldfastError('InputInvalid', `--except: cluster ${cluster} has no repository ${names}`, {
    hint: `It has: ${repositories.join(', ') || 'none'}`,
  });
}

/**
 * The name of a plan of the cluster. `retired`: also of a retired one.
 *
 * @throws PlanNotFound if the cluster has no plan of that name.
 */
export function planIn(cluster: ClusterConfig, plan: string, { retired = false } = {}): string {
  const known = [...cluster.plans, ...(retired ? cluster.retired : [])].map((p) => p.name);
  if (known.includes(plan)) return plan;
  throw new HoldfastError('PlanNotFound', `cluster ${cluster.name} has no plan "${plan}"`, {
    hint: `Its plans are: ${known.join(', ')}`,
  });
}

/**
 * The source of a restore: a copy of the vault, or a Velero source of the cluster.
 *
 * @throws InputInvalid for any other name.
 */
export function sourceIn({ veleroSources }: ClusterConfig, from: string): string {
  const known: string[] = [...COPIES, ...veleroSources.map((source) => source.name)];
  if (known.includes(from)) return from;
  throw new HoldfastError('InputInvalid', `--from: source "${from}" does not exist`, {
    hint: `Use one of: ${known.join(', ')}`,
  });
}
