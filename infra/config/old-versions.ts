import { longestGapSeconds } from './firings.ts';
import type { ClusterConfig, Config } from './schema.ts';

/** Days that earlier versions stay at least if nothing is said: 7 weekly parts of a verification, and the margin. */
const DEFAULT_DAYS = 60;
/** Days that a person has after the verification that found something: that which is wrong may still be restored. */
export const MARGIN_DAYS = 7;

const DAY = 24 * 3600;

/** Days for which the buckets keep versions that are not the newest of their key. */
export const oldVersionDays = ({
  noncurrentDays,
  objectLock,
}: Pick<Config['vault'], 'noncurrentDays' | 'objectLock'>): number =>
  noncurrentDays ?? Math.max(objectLock?.days ?? 0, DEFAULT_DAYS);

type Verification = ClusterConfig['verification'];

/** Days between two starts of the verification, at most. Undefined if its schedule does not say. */
function periodDays({ schedule, timeZone }: Verification): number | undefined {
  const gap = longestGapSeconds(schedule, timeZone);
  return gap === undefined ? undefined : gap / DAY;
}

/**
 * What is wrong between a cluster's verification and the days that old versions stay, with the remedy. What was overwritten is
 * found when its part is read again. Its earlier version must still be there then, and for a while after.
 */
export function verificationProblem(verification: Verification, vault: Config['vault']): string | undefined {
  const { enabled, parts } = verification;
  if (!enabled) return undefined;
  const period = periodDays(verification);
  if (period === undefined)
    return 'verification.schedule has no interval that can be calculated; write five cron fields like "0 4 * * 0", or rate(7 days)';
  const needed = Math.ceil(parts * period) + MARGIN_DAYS;
  const kept = oldVersionDays(vault);
  if (kept >= needed) return undefined;
  const days = `${parts} parts, one every ${Number(period.toFixed(1))} days, and ${MARGIN_DAYS} days to act`;
  return `verification reads every byte again within ${needed} days (${days}), but vault.noncurrentDays keeps earlier versions for ${kept} days; set vault.noncurrentDays to at least ${needed}, or lower verification.parts, or shorten verification.schedule`;
}
