import { listObjects } from '../adapters/kubernetes/lists.ts';
import { type Dump, dumpsOf } from '../core/dumps.ts';
import type { WorkVolume } from '../core/record.ts';
import type { Holder } from '../core/volumes.ts';
import { TYPES } from '../core/well-known.ts';
import type { KubeClient } from '../ports/kubernetes.ts';
import { holderOf } from '../runtime/holder.ts';

/** A volume of the work list and its repository. */
export type VolumeWork = WorkVolume & { readonly gate: string };

/** Where the data is when its Job is made: since the backup was opened, its pod may have been replaced. */
export interface Place {
  readonly holder?: Holder | undefined;
  readonly dump?: Dump | undefined;
}

/** Looks for it in the cluster. */
export async function findPlace(cluster: KubeClient, v: VolumeWork): Promise<Place> {
  if (v.strategy === 'snapshot') return {};
  if (!v.dump) return { holder: await holderOf(cluster, v) };
  const { dumps } = dumpsOf(await listObjects(cluster, TYPES.pods, v.namespace));
  return { dump: dumps.find((d) => d.work.id === v.id) };
}
