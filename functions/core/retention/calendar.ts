import type { Duration } from '../../contract/duration.ts';

/** What clocks and calendars in a time zone show. */
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
  /** Names the hour, day, ISO week, month or year that an instant is in: two instants of one period have one name. */
  periodOf(period: Period, at: Date): string;
  /** The instant at which the same clock showed an earlier time: years, months and days of the calendar, hours of time. */
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
  /** The instant at which the clock shows this; of a time that it shows twice or never, one beside it. */
  const instantOf = (wanted: LocalTime): Date => {
    let at = asUtc(wanted);
    // The offset at the first guess may be that of the other side of a change.
    for (let i = 0; i < 2; i++) at += asUtc(wanted) - asUtc(localTime(new Date(at)));
    return new Date(at);
  };
  return {
    periodOf(period, at) {
      const l = localTime(at);
      // By the instant at which it began: an hour that the clock shows twice is two hours.
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
