import type { KubeClient } from '../adapters/kubernetes/client.ts';
import { listObjects } from '../adapters/kubernetes/lists.ts';
import type { PlanSettings } from '../contract/settings.ts';
import type { Work } from '../core/record.ts';
import { selectNamespaces } from '../core/selection.ts';
import { selectVolumes } from '../core/volumes.ts';
import { TYPES } from '../core/well-known.ts';

/** From this share of the cluster's namespaces on, one list of everything costs less than one a namespace. */
const WIDE_SHARE = 0.25;
/** Claims and pods of this many namespaces are listed one by one. */
const FEW = 8;

/** What a plan finds in the cluster: its namespaces and volumes, and what is missing before the backup has begun. */
export async function lookAtCluster(
  cluster: KubeClient,
  plan: PlanSettings,
): Promise<Pick<Work, 'namespaces' | 'wide' | 'volumes' | 'unprotected' | 'problems'>> {
  const existing = (await listObjects(cluster, TYPES.namespaces)).map((n) => n.metadata.name);
  const { included, missing } = selectNamespaces(existing, plan.selection);
  const problems = missing.map((namespace) => `namespace ${namespace} does not exist`);
  if (included.length === 0 && missing.length === 0)
    problems.push(`no namespace matches ${plan.selection.namespaces.join(', ')}`);
  const inBackup = new Set(included);
  const of = async (type: (typeof TYPES)['pods']) => {
    if (included.length > FEW)
      return (await listObjects(cluster, type)).filter((o) => inBackup.has(o.metadata.namespace ?? ''));
    return (await Promise.all(included.map((n) => listObjects(cluster, type, n)))).flat();
  };
  const [pods, claims, volumes] = await Promise.all([
    of(TYPES.pods),
    of(TYPES.persistentVolumeClaims),
    listObjects(cluster, TYPES.persistentVolumes),
  ]);
  const selection = selectVolumes(plan.volumes === 'none' ? [] : pods, claims, volumes);
  return {
    namespaces: included,
    wide: included.length >= existing.length * WIDE_SHARE,
    ...selection,
    problems: [...problems, ...selection.problems],
  };
}
