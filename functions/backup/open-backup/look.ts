import { listObjects } from '../../adapters/kubernetes/lists.ts';
import type { ControlPlaneSettings, PlanSettings } from '../../contract/settings.ts';
import { findControlPlane } from '../../core/backup/control-plane.ts';
import { isBeingDeleted, type Work } from '../../core/backup/record.ts';
import { selectNamespaces } from '../../core/backup/selection.ts';
import { TYPES } from '../../core/kubernetes/well-known.ts';
import { dumpsOf } from '../../core/volumes/dumps.ts';
import { hooksOf } from '../../core/volumes/hooks.ts';
import { selectVolumes } from '../../core/volumes/volumes.ts';
import type { KubeClient } from '../../ports/kubernetes.ts';

/** From this share of the cluster's namespaces on, one list of all namespaces costs less than one per namespace. */
const WIDE_SHARE = 0.25;
/** Claims and pods of up to this many namespaces are listed per namespace. */
const FEW = 8;

/** What a plan selects in the cluster: namespaces, volumes and hooks, and problems known before the backup starts. */
export async function lookAtCluster(
  cluster: KubeClient,
  plan: PlanSettings,
  controlPlane?: ControlPlaneSettings,
): Promise<
  Pick<
    Work,
    'namespaces' | 'wide' | 'volumes' | 'controlPlane' | 'hooks' | 'excluded' | 'unprotected' | 'problems'
  >
> {
  const namespaces = await listObjects(cluster, TYPES.namespaces);
  const existing = namespaces.map((n) => n.metadata.name);
  const { included, missing } = selectNamespaces(existing, plan.selection);
  const problems = missing.map((namespace) => `namespace ${namespace} does not exist`);
  if (included.length === 0 && missing.length === 0)
    problems.push(`no namespace matches ${plan.selection.namespaces.join(', ')}`);
  const inBackup = new Set(included);
  const terminating = namespaces.filter(
    (n) => n.metadata.deletionTimestamp || n.status?.phase === 'Terminating',
  );
  for (const { metadata } of terminating)
    if (inBackup.has(metadata.name)) problems.push(isBeingDeleted(metadata.name));
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
  const selection = selectVolumes(pods, claims, volumes, { mode: plan.volumes, rules: plan.volumeRules });
  const { dumps, problems: wrongDumps } = dumpsOf(plan.volumes === 'none' ? [] : pods);
  const data = [...selection.volumes, ...dumps.map((d) => d.work)];
  const { hooks, problems: wrongHooks } = hooksOf(pods, data);
  problems.push(...wrongDumps, ...wrongHooks);
  const control = plan.controlPlane && (await lookAtControlPlane(cluster, controlPlane?.endpoints ?? []));
  if (control) problems.push(...control.problems);
  return {
    namespaces: included,
    wide: included.length >= existing.length * WIDE_SHARE,
    ...selection,
    volumes: data,
    ...(hooks.length > 0 && { hooks }),
    ...(control && { controlPlane: { ...control.work, ...(plan.scratchEtcd && { scratch: true }) } }),
    problems: [...problems, ...selection.problems],
  };
}

async function lookAtControlPlane(cluster: KubeClient, endpoints: readonly string[]) {
  const [nodes, pods] = await Promise.all([
    listObjects(cluster, TYPES.nodes),
    listObjects(cluster, TYPES.pods, 'kube-system'),
  ]);
  return findControlPlane(nodes, pods, endpoints);
}
