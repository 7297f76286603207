/** A duration in restic's syntax: `14d`, `1y6m`, `2y5m7d3h`. `m` is months; there are no minutes. */
export interface Duration {
  readonly years: number;
  readonly months: number;
  readonly days: number;
  readonly hours: number;
}

const DURATION = /^(?:(\d{1,4})y)?(?:(\d{1,4})m)?(?:(\d{1,6})d)?(?:(\d{1,6})h)?$/;

/** Parses a duration. Undefined if the text is not a duration, or if it is zero. */
export function parseDuration(text: string): Duration | undefined {
  const match = DURATION.exec(text);
  if (!match) return undefined;
  const [years, months, days, hours] = match.slice(1).map((part) => Number(part ?? 0)) as [
    number,
    number,
    number,
    number,
  ];
  return years + months + days + hours > 0 ? { years, months, days, hours } : undefined;
}
