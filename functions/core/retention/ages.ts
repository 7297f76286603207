/** Ages of a plan's recovery points; undefined: there is none, which is for an alarm to say and not for a number. */
export interface Ages {
  readonly recoveryPointSeconds: number | undefined;
  readonly replicaSeconds: number | undefined;
}

/** When a recovery point began, as its record says: what was written to the cluster later is not in it. */
export interface PointInTime {
  readonly startedAt: string;
}

/** How old data is that would come back from here, and from the replica. */
export function agesOf(newest: PointInTime | undefined, proven: PointInTime | undefined, now: Date): Ages {
  const age = (point: PointInTime | undefined): number | undefined =>
    point && Math.max(0, Math.round((now.getTime() - Date.parse(point.startedAt)) / 1000));
  return { recoveryPointSeconds: age(newest), replicaSeconds: age(proven) };
}
