import { seconds } from './duration.ts';
import { longestGapSeconds } from './firings.ts';
import type { ClusterConfig } from './schema.ts';

type Plan = Pick<ClusterConfig['plans'][number], 'schedule' | 'timeZone' | 'rpo'>;

const HOUR = 3600;
/** What a measurement every 15 minutes and a period of an alarm need, so that they alone trigger nothing. */
const LEAST_GRACE = HOUR / 2;

/**
 * How long the newest recovery point may take beyond the interval: as long as a backup may take, which is the deadline of
 * its Jobs and an hour, but at most one interval, because a backup that takes longer keeps the next one from starting.
 */
export const graceSeconds = (gap: number, deadlineHours: number): number =>
  Math.max(LEAST_GRACE, Math.min(gap, (deadlineHours + 1) * HOUR));

/**
 * Age in seconds from which a plan's newest recovery point is too old: `rpo`, or the longest gap of the schedule and the
 * grace. Undefined if the plan has no rpo and its schedule has no interval.
 */
export function tooOldSeconds({ schedule, timeZone, rpo }: Plan, deadlineHours: number): number | undefined {
  if (rpo !== undefined) return seconds(rpo);
  const gap = longestGapSeconds(schedule, timeZone);
  return gap === undefined ? undefined : gap + graceSeconds(gap, deadlineHours);
}

/** The same for a pass of a machine on its own schedule. The grace is the longest that an execution may take, and an hour. */
export function passOverdueSeconds(
  { schedule, timeZone }: Omit<Plan, 'rpo'>,
  timeoutSeconds: number,
): number | undefined {
  const gap = longestGapSeconds(schedule, timeZone);
  return gap === undefined ? undefined : gap + timeoutSeconds + HOUR;
}
