import type { CopyName } from '../../contract/copies.ts';
import { HoldfastError } from '../../contract/holdfast-error.ts';
import type { ClusterSettings, Retention } from '../../contract/settings.ts';
import { parseBackupName } from '../backup/backup-name.ts';
import type { AppliedRetention } from './retention.ts';

type Plans = Pick<ClusterSettings, 'cluster' | 'plans' | 'retired'>;

/** The retention of a plan in both copies. The replica keeps, in addition, what the primary keeps. */
export interface PlanRetention {
  readonly retention: AppliedRetention;
  readonly replicaRetention: AppliedRetention;
  readonly timeZone: string;
}

/**
 * The retention of a plan by name, also of a retired one.
 *
 * @throws HoldfastError PlanNotFound, with the names of the cluster's plans.
 */
export function retentionNamed(settings: Plans, name: string): PlanRetention {
  const found = retentionOf(settings, name);
  if (found) return found;
  throw new HoldfastError('PlanNotFound', `cluster ${settings.cluster} has no plan "${name}"`, {
    hint: `Its plans are: ${planNames(settings).join(', ')}. To prune recovery points of a plan that is not in holdfast.yaml any more, add it to \`retired\``,
  });
}

/** The retention of a plan by name; undefined if holdfast.yaml has it neither as a plan nor as a retired one. */
export function retentionOf({ plans, retired = [] }: Plans, name: string): PlanRetention | undefined {
  const plan = plans.find((p) => p.name === name);
  const left = plan ? undefined : retired.find((p) => p.name === name);
  const found = plan ?? left;
  if (!found) return undefined;
  const { retention, replicaRetention = retention, timeZone } = found;
  const applied = (policy: Retention): AppliedRetention => (left ? { ...policy, retired: true } : policy);
  return { retention: applied(retention), replicaRetention: applied(replicaRetention), timeZone };
}

/** The retention of all retired plans but one, by name. */
export const retiredRetentions = (settings: Plans, but: string): Map<string, PlanRetention> =>
  new Map(
    (settings.retired ?? []).flatMap(({ name }) => {
      const of = name === but ? undefined : retentionOf(settings, name);
      return of ? [[name, of] as const] : [];
    }),
  );

/** What any of the policies keeps is kept: the replica keeps what the primary keeps. */
export const policiesIn = (copy: CopyName, of: PlanRetention): readonly AppliedRetention[] =>
  copy === 'primary' ? [of.retention] : [of.retention, of.replicaRetention];

/** Recovery points of a plan that holdfast.yaml does not name: nothing prunes them, and their locks are not extended. */
export interface UnknownPlan {
  readonly plan: string;
  readonly backups: number;
  readonly newest: string;
}

/** The plans of holdfast.yaml by name. */
export interface NamedPlans {
  readonly plans: readonly { readonly name: string }[];
  readonly retired?: readonly { readonly name: string }[] | undefined;
}

/** Names of all plans in holdfast.yaml, also retired ones. */
export const planNames = ({ plans, retired = [] }: NamedPlans): string[] =>
  [...plans, ...retired].map((p) => p.name);

/** The plans of backups that are not among the plans of holdfast.yaml. `backups`: names of backups. */
export function unknownPlans(plans: readonly string[], backups: readonly string[]): UnknownPlan[] {
  const known = new Set(plans);
  const byPlan = Map.groupBy(
    backups.filter((name) => parseBackupName(name)),
    (name) => parseBackupName(name)?.plan as string,
  );
  return [...byPlan]
    .filter(([plan]) => !known.has(plan))
    .map(([plan, names]) => ({ plan, backups: names.length, newest: names.toSorted().at(-1) as string }))
    .sort((a, b) => (a.plan < b.plan ? -1 : 1));
}

/** An unknown plan as a sentence. */
export const unknownPlanText = ({ plan, backups, newest }: UnknownPlan): string =>
  `${backups === 1 ? '1 backup' : `${backups} backups`} of plan ${plan}, up to ${newest}: holdfast.yaml does not name the plan, so nothing prunes them and no lock is extended`;
