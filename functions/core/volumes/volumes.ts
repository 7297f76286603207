import { matchesSelector, parseSelector } from '../../contract/label-selector.ts';
import { quantity } from '../../contract/quantity.ts';
import type { Strategy, VolumeRule } from '../../contract/settings.ts';
import { matchesGlob } from '../kubernetes/patterns.ts';
import { plainText } from '../kubernetes/plain-text.ts';
import type { KubeObject } from '../kubernetes/resources.ts';
import { sizeOf, volumeType } from './persistent-volumes.ts';
import { STRATEGIES } from './strategies.ts';
import type { LeftOut, WorkVolume } from './work.ts';

/** Pod annotations that opt volumes in and out, as Velero's: `backup.velero.io/backup-volumes: data,logs`. */
export const BACKUP_VOLUMES = 'backup.velero.io/backup-volumes';
export const EXCLUDED_VOLUMES = 'backup.velero.io/backup-volumes-excludes';

/** The volume settings of a plan. */
export interface VolumePolicy {
  readonly mode: 'opt-in' | 'opt-out' | 'none';
  readonly rules: readonly VolumeRule[];
}

/** Decisions about the volumes of a backup's namespaces: see `Work`, which has the same fields. */
export interface VolumeSelection {
  readonly volumes: WorkVolume[];
  readonly excluded: LeftOut[];
  readonly unprotected: LeftOut[];
  readonly problems: string[];
}

interface PodVolume {
  name: string;
  persistentVolumeClaim?: { claimName: string };
  emptyDir?: object;
}

/** The pods that refer to one claim. */
interface Mention {
  readonly mountedBy: KubeObject[];
  readonly named: KubeObject[];
  readonly excluded: KubeObject[];
}

const idOf = (namespace: string | undefined, name: string): string => `${namespace}.${name}`;
const claimId = ({ metadata }: KubeObject): string => idOf(metadata.namespace, metadata.name);
const nameOf = ({ metadata }: KubeObject): string => `${metadata.namespace}/${metadata.name}`;

/** Whether a pod uses its volumes. A pod that has ended does not, and its node may not exist any more. */
export function holdsVolumes(pod: KubeObject): boolean {
  return pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed';
}

/** Whether a pod mounts a claim. */
export const mounts = (pod: KubeObject, claim: string): boolean =>
  volumesOf(pod).some((v) => v.persistentVolumeClaim?.claimName === claim);

const volumesOf = (pod: KubeObject): PodVolume[] => (pod.spec?.volumes ?? []) as PodVolume[];

const emptyDirsOf = (pod: KubeObject): string[] =>
  volumesOf(pod).flatMap((v) => (v.emptyDir ? [v.name] : []));

/** Names in a pod's annotation, separated by commas. */
const namesIn = (pod: KubeObject, annotation: string): string[] =>
  (pod.metadata.annotations?.[annotation] ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean);

/** Collects references of pods to claims. A name that is not a volume of its pod is a problem. */
function mentions(pods: readonly KubeObject[], problems: string[]): Map<string, Mention> {
  const all = new Map<string, Mention>();
  for (const pod of pods) {
    const at = (claim: string) => {
      const id = idOf(pod.metadata.namespace, claim);
      const found = all.get(id) ?? { mountedBy: [], named: [], excluded: [] };
      all.set(id, found);
      return found;
    };
    const claims = new Map(volumesOf(pod).map((v) => [v.name, v.persistentVolumeClaim?.claimName]));
    for (const claim of claims.values()) if (claim) at(claim).mountedBy.push(pod);
    for (const name of namesIn(pod, BACKUP_VOLUMES)) {
      const claim = claims.get(name);
      const what = `pod ${nameOf(pod)}: volume "${plainText(name)}" of ${BACKUP_VOLUMES}`;
      if (claim) at(claim).named.push(pod);
      else if (!emptyDirsOf(pod).includes(name))
        problems.push(`${what} is neither a volume of a PersistentVolumeClaim nor an emptyDir`);
    }
    for (const name of namesIn(pod, EXCLUDED_VOLUMES)) {
      const claim = claims.get(name);
      if (claim) at(claim).excluded.push(pod);
    }
  }
  return all;
}

/** A claim, its PersistentVolume, and what pods say about it. */
interface ClaimContext {
  readonly claim: KubeObject;
  readonly volume: KubeObject | undefined;
  readonly said: Mention | undefined;
}

/** How a claim is read, and what a rule says about it. */
type Take = Pick<VolumeRule, 'snapshotClass' | 'temporaryStorageClass' | 'runAsUser'> & {
  readonly strategy: Strategy;
};

/** Decision about one claim. `wanted`: a rule or an annotation requests it, so its data must not be missing silently. */
type Decision =
  | { readonly take: Take; readonly wanted: boolean }
  | { readonly exclude: string }
  | { readonly leave: string };

/** Precedence: rules, then pod annotations, then the plan's mode. */
function decide({ claim, volume, said }: ClaimContext, policy: VolumePolicy): Decision {
  const rule = policy.rules.find((r) => ruleMatches(r, claim, volume));
  if (rule?.action === 'skip') return { exclude: `rule ${rule.name}` };
  if (policy.mode === 'none' && !rule) return { leave: 'the plan backs up no volumes' };
  const take: Take = { ...rule, strategy: rule?.action ?? 'mount' };
  const opposed = said?.excluded[0];
  const named = said?.named.length ? said.named : undefined;
  if (rule || named) return { take, wanted: true };
  if (policy.mode === 'opt-in') return { leave: `no pod names it in ${BACKUP_VOLUMES}` };
  if (opposed) return { exclude: `${EXCLUDED_VOLUMES} of pod ${nameOf(opposed)}` };
  return { take, wanted: false };
}

/** Whether a rule matches a claim. Sizes are compared with the claim's request. */
export function ruleMatches(rule: VolumeRule, claim: KubeObject, volume: KubeObject | undefined): boolean {
  const { storageClasses, volumeTypes, labelSelector, minBytes, maxBytes } = rule;
  const storageClass = String(claim.spec?.storageClassName ?? '');
  const bytes = quantity(sizeOf(claim)) ?? 0;
  const type = volume && volumeType(volume);
  return (
    (storageClasses.length === 0 || storageClasses.some((p) => matchesGlob(p, storageClass))) &&
    (volumeTypes.length === 0 || (type !== undefined && volumeTypes.includes(type))) &&
    (!labelSelector || matchesSelector(parseSelector(labelSelector), claim.metadata.labels ?? {})) &&
    bytes >= (minBytes ?? 0) &&
    bytes <= (maxBytes ?? Number.POSITIVE_INFINITY)
  );
}

/** Why restic cannot read a claim, as a readable message; undefined if it can. */
function claimBlocker(claim: KubeObject | undefined): string | undefined {
  if (!claim) return 'is missing';
  const phase = claim.status?.phase ?? 'Pending';
  if (phase === 'Lost') return 'is Lost: its PersistentVolume is gone';
  if (phase !== 'Bound') return `is ${phase}, not Bound`;
  if (claim.spec?.volumeMode === 'Block') return 'is a Block volume: restic backs up files';
  return undefined;
}

/** Why the chosen strategy cannot read a claim. */
const strategyBlocker = (decision: Decision, volume: KubeObject | undefined): string | undefined =>
  'take' in decision ? STRATEGIES[decision.take.strategy].blocker(volume) : undefined;

/**
 * Decides about every claim in the namespaces of a plan: backed up, excluded with a reason, or unprotected. A requested claim
 * that cannot be read is a problem, because its data would be missing.
 */
export function selectVolumes(
  allPods: readonly KubeObject[],
  claims: readonly KubeObject[],
  volumes: readonly KubeObject[],
  policy: VolumePolicy = { mode: 'opt-in', rules: [] },
): VolumeSelection {
  const problems: string[] = [];
  const chosen: WorkVolume[] = [];
  const excluded: LeftOut[] = [];
  const unprotected: LeftOut[] = [];
  const pods = policy.mode === 'none' ? [] : allPods.filter(holdsVolumes);
  const said = mentions(pods, problems);
  const byName = new Map(volumes.map((v) => [v.metadata.name, v]));
  for (const claim of [...claims].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))) {
    const volume = byName.get(String(claim.spec?.volumeName));
    const context = { claim, volume, said: said.get(claimId(claim)) };
    const decision = decide(context, policy);
    const why = claimBlocker(claim) ?? strategyBlocker(decision, volume);
    if ('exclude' in decision) excluded.push({ volume: nameOf(claim), reason: decision.exclude });
    else if ('leave' in decision) unprotected.push({ volume: nameOf(claim), reason: why ?? decision.leave });
    else if (why && decision.wanted) problems.push(`volume ${nameOf(claim)} ${why}`);
    else if (why) unprotected.push({ volume: nameOf(claim), reason: why });
    else chosen.push(workVolume(context, decision.take));
  }
  const present = new Set(claims.map(claimId));
  for (const [id, mention] of said) {
    if (mention.named.length > 0 && !present.has(id))
      problems.push(`volume ${id.replace('.', '/')} is missing`);
  }
  chosen.push(...emptyDirs(pods, policy));
  return { volumes: chosen, excluded, unprotected, problems };
}

function workVolume({ claim, volume, said }: ClaimContext, take: Take): WorkVolume {
  const pod = said?.named[0] ?? said?.mountedBy[0];
  const reclaimPolicy = volume?.spec?.persistentVolumeReclaimPolicy as string | undefined;
  return {
    id: claimId(claim),
    namespace: claim.metadata.namespace as string,
    pvc: claim.metadata.name,
    volumeName: claim.spec?.volumeName as string,
    ...(pod && { pod: pod.metadata.name }),
    ...(reclaimPolicy && { reclaimPolicy }),
    ...STRATEGIES[take.strategy].reading({ claim, volume, pod, rule: take }),
    ...(take.runAsUser !== undefined && { runAsUser: take.runAsUser }),
  };
}

/**
 * The emptyDirs that a pod annotation or a rule with the volume type `emptyDir` requests. All others are scratch space of
 * their pod.
 */
function emptyDirs(pods: readonly KubeObject[], policy: VolumePolicy): WorkVolume[] {
  return pods.flatMap((pod) => {
    const { name, namespace = '', labels = {} } = pod.metadata;
    const named = namesIn(pod, BACKUP_VOLUMES);
    const opposed = namesIn(pod, EXCLUDED_VOLUMES);
    const rule = policy.rules.find(
      (r) =>
        r.volumeTypes.includes('emptyDir') &&
        (!r.labelSelector || matchesSelector(parseSelector(r.labelSelector), labels)),
    );
    const taken = emptyDirsOf(pod).filter(
      (v) => rule?.action !== 'skip' && (named.includes(v) || (rule && !opposed.includes(v))),
    );
    return taken.map((volume) => ({
      id: `${namespace}.${name}_${volume}`,
      namespace,
      podVolume: { pod: name, volume },
      pod: name,
      ...(pod.spec?.nodeName ? { node: pod.spec.nodeName as string } : {}),
      strategy: 'node' as const,
      folder: `kubernetes.io~empty-dir/${volume}`,
    }));
  });
}
