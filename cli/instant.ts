const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 } as const;
const AGO = /^((?:\d+\s*[smhdw]\s*)+)\s*ago$/i;
const ISO = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]\d\d:\d\d))?$/i;
const FORMS = 'Write it like 2026-11-24T18:00:00Z, 2026-11-24T19:00+01:00, 2h ago or 1d 12h ago';

/**
 * A point in time in the past: an ISO 8601 timestamp with time zone, a date (00:00 UTC), or a duration with `ago`.
 *
 * @throws RangeError that names the text.
 */
export function parseInstant(text: string, now: Date): Date {
  const said = text.trim();
  const ago = AGO.exec(said);
  const at = ago ? new Date(now.getTime() - 1000 * secondsOf(ago[1] as string)) : new Date(said);
  if (/^\d{4}-\d\d-\d\dT[\d:.]+$/i.test(said))
    throw new RangeError(`"${text}" has no time zone: end it with Z for UTC, or with an offset like +01:00`);
  if ((!ago && !ISO.test(said)) || Number.isNaN(at.getTime()))
    throw new RangeError(`"${text}" is not a point in time. ${FORMS}`);
  if (at > now)
    throw new RangeError(`"${text}" is in the future: it is ${now.toISOString()}. Use a time in the past`);
  return at;
}

const secondsOf = (spans: string): number =>
  [...spans.toLowerCase().matchAll(/(\d+)\s*([smhdw])/g)]
    .map(([, count, unit]) => Number(count) * SECONDS[unit as keyof typeof SECONDS])
    .reduce((a, b) => a + b, 0);
