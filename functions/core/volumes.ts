import type { WorkVolume } from './record.ts';
import type { KubeObject } from './resources.ts';

/** Pod annotation that opts volumes in, as Velero's: `backup.velero.io/backup-volumes: data,logs`. */
export const BACKUP_VOLUMES = 'backup.velero.io/backup-volumes';

interface PodVolume {
  name: string;
  persistentVolumeClaim?: { claimName: string };
}

export interface VolumeSelection {
  readonly volumes: WorkVolume[];
  readonly unprotected: string[];
  readonly problems: string[];
}

interface Claim {
  readonly pod: KubeObject;
  readonly claim: string;
}

function optedIn(pod: KubeObject, problems: string[]): Claim[] {
  const wanted = pod.metadata.annotations?.[BACKUP_VOLUMES];
  if (!wanted) return [];
  const volumes = (pod.spec?.volumes ?? []) as PodVolume[];
  return wanted
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean)
    .flatMap((name) => {
      const claim = volumes.find((v) => v.name === name)?.persistentVolumeClaim?.claimName;
      if (claim) return [{ pod, claim }];
      const what = `pod ${pod.metadata.namespace}/${pod.metadata.name}: volume "${name}" of ${BACKUP_VOLUMES}`;
      problems.push(`${what} is not a volume of a PersistentVolumeClaim`);
      return [];
    });
}

/**
 * Which PVCs a plan with opt-in volumes backs up, from the pods, claims and volumes of its namespaces. A claim
 * that several pods name is taken once; a claim nobody named is unprotected; one that is named and not bound
 * is a problem, because its data would be missing.
 */
export function selectVolumes(
  pods: readonly KubeObject[],
  claims: readonly KubeObject[],
  volumes: readonly KubeObject[],
): VolumeSelection {
  const problems: string[] = [];
  const chosen = new Map<string, WorkVolume>();
  const named = new Set<string>();
  const policy = new Map(
    volumes.map((v) => [v.metadata.name, v.spec?.persistentVolumeReclaimPolicy as string | undefined]),
  );
  for (const { pod, claim } of pods.flatMap((p) => optedIn(p, problems))) {
    const namespace = pod.metadata.namespace as string;
    const id = `${namespace}.${claim}`;
    if (named.has(id)) continue;
    named.add(id);
    const pvc = claims.find((c) => c.metadata.namespace === namespace && c.metadata.name === claim);
    if (pvc?.status?.phase !== 'Bound') {
      problems.push(
        `volume ${namespace}/${claim} is ${pvc ? `${pvc.status?.phase ?? 'Pending'}, not Bound` : 'missing'}`,
      );
      continue;
    }
    const volumeName = pvc.spec?.volumeName as string;
    const reclaimPolicy = policy.get(volumeName);
    const node = pod.spec?.nodeName as string | undefined;
    chosen.set(id, {
      id,
      namespace,
      pvc: claim,
      volumeName,
      pod: pod.metadata.name,
      ...(reclaimPolicy && { reclaimPolicy }),
      ...(node && { node }),
    });
  }
  const unprotected = claims
    .filter((c) => !named.has(`${c.metadata.namespace}.${c.metadata.name}`))
    .map((c) => `${c.metadata.namespace}/${c.metadata.name}`);
  return { volumes: [...chosen.values()], unprotected: unprotected.sort(), problems };
}
