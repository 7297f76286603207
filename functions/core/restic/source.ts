/** Source of the data in a restic snapshot: exactly one of a claim, a pod volume without a claim, and a dump of a command. */
export interface Source {
  readonly namespace: string;
  readonly pvc?: string | undefined;
  readonly podVolume?: { readonly pod: string; readonly volume: string } | undefined;
  readonly dump?: { readonly workload: string; readonly file: string } | undefined;
}

/** Short name: `shop/pgdata`, `shop/web-0:cache`, `shop/db:dump.sql`. */
export function shortName({ namespace, pvc, podVolume, dump }: Source): string {
  if (podVolume) return `${namespace}/${podVolume.pod}:${podVolume.volume}`;
  return dump ? `${namespace}/${dump.workload}:${dump.file}` : `${namespace}/${pvc}`;
}

/** Name with its type, for messages: `volume shop/pgdata`. */
export const sourceName = (source: Source): string =>
  `${source.dump ? 'dump' : 'volume'} ${shortName(source)}`;

/** Path in every snapshot. It is fixed, so that restic always finds the parent snapshot. */
export function sourcePath({ namespace, pvc, podVolume, dump }: Source): string {
  if (podVolume) return `/pod-volumes/${namespace}/${podVolume.pod}/${podVolume.volume}`;
  return dump ? `/dumps/${namespace}/${dump.workload}/${dump.file}` : `/data/${namespace}/${pvc}`;
}

/** Tags of a snapshot that name its source. */
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
