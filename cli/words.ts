import { InvalidArgumentError, Option } from 'commander';
import { COPIES } from '../functions/contract/copies.ts';
import { HoldfastError } from '../functions/contract/holdfast-error.ts';
import type { ClusterConfig } from '../infra/config/schema.ts';

/** `--from <copy>`: no word but the names of the two copies. */
export const copyOption = (means: string): Option =>
  new Option('--from <copy>', means).choices(COPIES).default(COPIES[0]);

/** A percentage of a command line. InvalidArgumentError, which commander shows with the option's name, for other text. */
export function percent(text: string): number {
  const value = /^\d{1,3}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= 1 && value <= 100) return value;
  throw new InvalidArgumentError('It must be a whole number from 1 to 100.');
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

/** A plan of a cluster of holdfast.yaml; PlanNotFound for a name that none has. */
export function planIn({ name, plans }: ClusterConfig, plan: string): string {
  const known = plans.map((p) => p.name);
  if (known.includes(plan)) return plan;
  throw new HoldfastError('PlanNotFound', `cluster ${name} has no plan "${plan}"`, {
    hint: `Its plans are: ${known.join(', ')}`,
  });
}

/** From where a restore into a cluster may read: a copy of the vault, or one of its Velero sources. InputInvalid for any other word. */
export function sourceIn({ veleroSources }: ClusterConfig, from: string): string {
  const known: string[] = [...COPIES, ...veleroSources.map((source) => source.name)];
  if (known.includes(from)) return from;
  throw new HoldfastError('InputInvalid', `from: there is no source "${from}"`, {
    hint: `There are: ${known.join(', ')}`,
  });
}
