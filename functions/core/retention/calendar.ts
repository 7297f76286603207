import type { Duration } from '../../contract/duration.ts';

/** Local date and time in a time zone. */
interface LocalTime {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

export type Period = 'hour' | 'day' | 'week' | 'month' | 'year';

const DAY_MS = 24 * 3600 * 1000;

/** The calendar of an IANA time zone. */
export interface Calendar {
  /** Identifies the hour, day, ISO week, month or year of a timestamp. Timestamps in the same period have the same id. */
  periodOf(period: Period, at: Date): string;
  /** The point in time a duration earlier: years, months and days by the calendar, hours by elapsed time. */
  before(at: Date, duration: Duration): Date;
}

export function calendarOf(timeZone: string): Calendar {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    calendar: 'gregory',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  const localTime = (at: Date): LocalTime => {
    const parts = Object.fromEntries(format.formatToParts(at).map((p) => [p.type, Number(p.value)]));
    const { year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0 } = parts;
    return { year, month, day, hour, minute, second };
  };
  const asUtc = (l: LocalTime): number => Date.UTC(l.year, l.month - 1, l.day, l.hour, l.minute, l.second);
  /** The point in time for a local time. For an ambiguous or skipped local time, a nearby one. */
  const instantOf = (wanted: LocalTime): Date => {
    let at = asUtc(wanted);
    // The first guess may have the offset of the other side of a DST change.
    for (let i = 0; i < 2; i++) at += asUtc(wanted) - asUtc(localTime(new Date(at)));
    return new Date(at);
  };
  return {
    periodOf(period, at) {
      const l = localTime(at);
      // Identified by its start, so that a repeated local hour counts as two hours.
      if (period === 'hour') return String(Math.floor(at.getTime() / 1000) - l.minute * 60 - l.second);
      if (period === 'week') {
        const day = Math.floor(Date.UTC(l.year, l.month - 1, l.day) / DAY_MS);
        return String(day - ((day + 3) % 7)); // its Monday; day 0 was a Thursday
      }
      return [l.year, l.month, l.day].slice(0, { year: 1, month: 2, day: 3 }[period]).join('-');
    },
    before(at, { years, months, days, hours }) {
      const l = localTime(at);
      const index = l.year * 12 + (l.month - 1) - years * 12 - months;
      const [year, month] = [Math.floor(index / 12), (index % 12) + 1];
      const longest = new Date(Date.UTC(year, month, 0)).getUTCDate();
      const day = Math.min(l.day, longest) - days; // 31 March less a month is the last of February
      return new Date(instantOf({ ...l, year, month, day }).getTime() - hours * 3600 * 1000);
    },
  };
}
