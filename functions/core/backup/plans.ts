import { HoldfastError } from '../../contract/holdfast-error.ts';
import type { ClusterSettings, PlanSettings } from '../../contract/settings.ts';

type Plans = Pick<ClusterSettings, 'cluster' | 'plans'>;

/**
 * A plan of a cluster by name.
 *
 * @throws HoldfastError PlanNotFound, with the names of the cluster's plans.
 */
export function planNamed({ cluster, plans }: Plans, name: string): PlanSettings {
  const plan = plans.find((p) => p.name === name);
  if (plan) return plan;
  throw new HoldfastError('PlanNotFound', `cluster ${cluster} has no plan "${name}"`, {
    hint: `Its plans are: ${plans.map((p) => p.name).join(', ')}`,
  });
}

/**
 * The plan of a cluster that has one.
 *
 * @throws HoldfastError InputInvalid if there are several.
 */
export function onlyPlan({ plans }: Plans): PlanSettings {
  const [plan] = plans;
  if (plan && plans.length === 1) return plan;
  throw new HoldfastError('InputInvalid', 'plan: the cluster has several plans', {
    hint: `Name one: {"plan": "${plan?.name}"}`,
  });
}
