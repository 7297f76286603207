/** Ages of a plan's recovery points; undefined: there is none, which an alarm on missing data reports. */
export interface Ages {
  readonly recoveryPointSeconds: number | undefined;
  readonly replicaSeconds: number | undefined;
}

/** Start of a recovery point, from its record. Later changes to the cluster are not in it. */
export interface PointInTime {
  readonly startedAt: string;
}

/** Age of the newest recovery point in the primary, and of the newest proven in the replica. */
export function agesOf(newest: PointInTime | undefined, proven: PointInTime | undefined, now: Date): Ages {
  const age = (point: PointInTime | undefined): number | undefined =>
    point && Math.max(0, Math.round((now.getTime() - Date.parse(point.startedAt)) / 1000));
  return { recoveryPointSeconds: age(newest), replicaSeconds: age(proven) };
}
