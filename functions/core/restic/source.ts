/** Whose data a snapshot of restic holds: one of a claim, a volume of a pod that is no claim, and what a command writes. */
export interface Source {
  readonly namespace: string;
  readonly pvc?: string | undefined;
  readonly podVolume?: { readonly pod: string; readonly volume: string } | undefined;
  readonly dump?: { readonly workload: string; readonly file: string } | undefined;
}

/** As people write it: `shop/pgdata`, `shop/web-0:cache`, `shop/db:dump.sql`. */
export function shortName({ namespace, pvc, podVolume, dump }: Source): string {
  if (podVolume) return `${namespace}/${podVolume.pod}:${podVolume.volume}`;
  return dump ? `${namespace}/${dump.workload}:${dump.file}` : `${namespace}/${pvc}`;
}

/** In a sentence: `volume shop/pgdata`. */
export const sourceName = (source: Source): string =>
  `${source.dump ? 'dump' : 'volume'} ${shortName(source)}`;

/** Path in every snapshot. It is fixed, so that the snapshot before is always found. */
export function sourcePath({ namespace, pvc, podVolume, dump }: Source): string {
  if (podVolume) return `/pod-volumes/${namespace}/${podVolume.pod}/${podVolume.volume}`;
  return dump ? `/dumps/${namespace}/${dump.workload}/${dump.file}` : `/data/${namespace}/${pvc}`;
}

/** Tags of a snapshot that say whose data it holds. */
export function sourceTags({
  pvc,
  podVolume,
  dump,
  pod,
}: Source & { readonly pod?: string | undefined }): string[] {
  if (podVolume) return [`pod=${podVolume.pod}`, `volume=${podVolume.volume}`];
  if (dump) return [`dump=${dump.workload}`, ...(pod ? [`pod=${pod}`] : [])];
  return [`pvc=${pvc}`, ...(pod ? [`pod=${pod}`] : [])];
}
