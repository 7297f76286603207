import { matchesSelector, parseSelector } from '../../contract/label-selector.ts';
import { quantity } from '../../contract/quantity.ts';
import type { Strategy, VolumeRule } from '../../contract/settings.ts';
import { matchesGlob } from '../kubernetes/patterns.ts';
import type { KubeObject } from '../kubernetes/resources.ts';
import { sizeOf, volumeType } from './persistent-volumes.ts';
import { STRATEGIES } from './strategies.ts';
import type { LeftOut, WorkVolume } from './work.ts';

/** Pod annotations that opt volumes in and out, as Velero's: `backup.velero.io/backup-volumes: data,logs`. */
export const BACKUP_VOLUMES = 'backup.velero.io/backup-volumes';
export const EXCLUDED_VOLUMES = 'backup.velero.io/backup-volumes-excludes';

/** What a plan says of volumes. */
export interface VolumePolicy {
  readonly mode: 'opt-in' | 'opt-out' | 'none';
  readonly rules: readonly VolumeRule[];
}

/** What a backup does about the volumes of its namespaces: see `Work`, which has the same fields. */
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

/** What the pods of a namespace say of one claim. */
interface Mention {
  readonly mountedBy: KubeObject[];
  readonly named: KubeObject[];
  readonly excluded: KubeObject[];
}

const idOf = (namespace: string | undefined, name: string): string => `${namespace}.${name}`;
const claimId = ({ metadata }: KubeObject): string => idOf(metadata.namespace, metadata.name);
const nameOf = ({ metadata }: KubeObject): string => `${metadata.namespace}/${metadata.name}`;

/** A pod that has ended holds no volume any more, and its node may be gone. */
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

/** Collects what pods say of claims; names that are no claim of their pod are problems. */
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
      const what = `pod ${nameOf(pod)}: volume "${name}" of ${BACKUP_VOLUMES}`;
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

/** What is decided of one claim. `wanted`: somebody asked for it, so that its data must not be missing silently. */
type Decision =
  | { readonly take: Take; readonly wanted: boolean }
  | { readonly exclude: string }
  | { readonly leave: string };

/** A rule decides before annotations; then what pods say; then the plan's mode. */
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

/** Whether a rule is about a claim. Sizes are of the claim's request. */
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

/** Why restic cannot read a claim now, in words; undefined when it can. */
function claimBlocker(claim: KubeObject | undefined): string | undefined {
  if (!claim) return 'is missing';
  const phase = claim.status?.phase ?? 'Pending';
  if (phase === 'Lost') return 'is Lost: its PersistentVolume is gone';
  if (phase !== 'Bound') return `is ${phase}, not Bound`;
  if (claim.spec?.volumeMode === 'Block') return 'is a Block volume: restic backs up files';
  return undefined;
}

/** Why its strategy cannot read a claim that is to be taken. */
const strategyBlocker = (decision: Decision, volume: KubeObject | undefined): string | undefined =>
  'take' in decision ? STRATEGIES[decision.take.strategy].blocker(volume) : undefined;

/**
 * What becomes of every claim in the namespaces of a plan: taken, excluded by a decision that is named, or
 * unprotected. A claim that somebody asked for and that cannot be read is a problem: its data would be missing.
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
 * The emptyDirs that somebody asks for: a pod by its annotation, or a rule that names `emptyDir` as a type of volume.
 * All others are scratch space, which ends with its pod.
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
