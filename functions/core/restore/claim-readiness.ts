import { recordOf } from '../bytes/json-value.ts';
import type { KubeObject } from '../kubernetes/resources.ts';
import { textOr } from './conditions.ts';

/** What a storage class says of its claims. */
interface ClaimClass {
  /** A claim is bound when a pod needs it, and not before. */
  readonly bindsLate: boolean;
  readonly isDefault: boolean;
}

/** The storage classes of a cluster, by name. */
export type ClaimClasses = ReadonlyMap<string, ClaimClass>;

/** What storage classes say, from their objects. */
export function claimClasses(objects: readonly KubeObject[]): ClaimClasses {
  return new Map(
    objects.map((object) => [
      object.metadata.name,
      {
        bindsLate: object.volumeBindingMode === 'WaitForFirstConsumer',
        isDefault:
          recordOf(object.metadata.annotations)?.['storageclass.kubernetes.io/is-default-class'] === 'true',
      },
    ]),
  );
}

const BETA_CLASS = 'volume.beta.kubernetes.io/storage-class';
/** The scheduler writes it on a claim that a pod needs. */
const SELECTED_NODE = 'volume.kubernetes.io/selected-node';

/** Why a claim is not ready. A claim that is to be bound to its first pod, and has none, is as ready as it can be. */
export function claimReadiness(
  { metadata, spec, status }: KubeObject,
  classes: ClaimClasses | undefined,
): string | undefined {
  const phase = textOr(recordOf(status)?.phase) ?? 'Pending';
  if (phase === 'Bound') return undefined;
  if (phase !== 'Pending') return phase === 'Lost' ? 'the claim has lost its volume' : phase;
  const annotations = recordOf(recordOf(metadata)?.annotations);
  const named = recordOf(spec)?.storageClassName ?? annotations?.[BETA_CLASS];
  const volume = textOr(recordOf(spec)?.volumeName);
  if (volume !== undefined) return `Pending: volume ${volume} is not bound to it`;
  if (named === '') return 'Pending: no PersistentVolume without a storage class fits';
  if (!classes) return 'Pending';
  const [defaultName] = [...classes].find(([, { isDefault }]) => isDefault) ?? [];
  const name = textOr(named) ?? defaultName;
  if (name === undefined)
    return 'Pending: it names no storage class, and the cluster has no default storage class';
  const found = classes.get(name);
  if (!found) return `Pending: the cluster has no storage class ${name}`;
  if (found.bindsLate && annotations?.[SELECTED_NODE] === undefined) return undefined;
  return `Pending: storage class ${name} has not made its volume`;
}
