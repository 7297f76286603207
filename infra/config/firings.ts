import { eventBridgeSchedule, ScheduleInvalid } from './cron.ts';

/** Days of a calendar, of which an expression may name several. */
interface CivilDay {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  /** 1: Sunday. */
  readonly weekday: number;
  readonly daysInMonth: number;
}

/** When a cron expression of EventBridge fires: on which days, and at which minutes of each of them. */
interface Cron {
  /** Minutes of the day, ascending. */
  readonly minutes: readonly number[];
  firesOn(day: CivilDay): boolean;
}

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const UNITS: Record<string, number> = { minute: MINUTE, hour: 60 * MINUTE, day: DAY };

/** The same years for every synth, so that a template depends on holdfast.yaml alone: two leap days and eight years of DST. */
const FROM = Date.UTC(2025, 0, 1);
const DAYS = 8 * 365 + 3;

const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const WEEKDAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

const known = new Map<string, number | undefined>();

/**
 * The longest time between two starts of a schedule of holdfast.yaml, in seconds. Undefined if the schedule starts less
 * than twice in eight years, or if it is written in a way that only EventBridge can read.
 *
 * EventBridge skips a start at a time that does not exist on the day when clocks go forward, and does not repeat one at
 * a time that occurs twice.
 */
export function longestGapSeconds(schedule: string, timeZone: string): number | undefined {
  const key = `${timeZone} ${schedule}`;
  if (!known.has(key)) known.set(key, gapOf(eventBridgeSchedule(schedule), timeZone));
  return known.get(key);
}

function gapOf(expression: string, timeZone: string): number | undefined {
  const rate = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression);
  if (rate) return (Number(rate[1]) * (UNITS[rate[2] as string] as number)) / 1000;
  try {
    return longest(parseCron(expression), zoneOf(timeZone));
  } catch (error) {
    if (error instanceof ScheduleInvalid) return undefined;
    throw error;
  }
}

/** Only on a day with a change of clocks, each time of the day is looked up: otherwise its first and last say all. */
function longest({ minutes, firesOn }: Cron, zone: Zone): number | undefined {
  const within = Math.max(0, ...minutes.slice(1).map((at, i) => at - (minutes[i] as number))) * MINUTE;
  let before: number | undefined;
  let gap = 0;
  for (let i = 0; i < DAYS; i++) {
    const midnight = FROM + i * DAY;
    if (!firesOn(civilDay(midnight))) continue;
    const steady = zone.isSteady(midnight);
    const times = steady ? [minutes[0] as number, minutes.at(-1) as number] : minutes;
    if (steady) gap = Math.max(gap, within);
    for (const [n, at] of times.entries()) {
      const instant = zone.instantOf(midnight + at * MINUTE);
      if (instant === undefined) continue;
      if (before !== undefined && !(steady && n > 0)) gap = Math.max(gap, instant - before);
      before = instant;
    }
  }
  return gap > 0 ? gap / 1000 : undefined;
}

function civilDay(midnight: number): CivilDay {
  const at = new Date(midnight);
  const [year, month] = [at.getUTCFullYear(), at.getUTCMonth()];
  return {
    year,
    month: month + 1,
    day: at.getUTCDate(),
    weekday: at.getUTCDay() + 1,
    daysInMonth: new Date(Date.UTC(year, month + 1, 0)).getUTCDate(),
  };
}

/** Wall-clock times of a time zone. Civil times are milliseconds as if the zone were UTC. */
interface Zone {
  /** The clocks do not change on this civil day or around it. */
  isSteady(midnight: number): boolean;
  /** The first instant of a civil time; undefined if clocks skip it. */
  instantOf(civil: number): number | undefined;
}

const zones = new Map<string, Zone>();

function zoneOf(timeZone: string): Zone {
  const zone = zones.get(timeZone) ?? makeZone(timeZone);
  zones.set(timeZone, zone);
  return zone;
}

function makeZone(timeZone: string): Zone {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    ...{
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    },
  });
  const offsets = new Map<number, number>();
  const offset = (instant: number): number => {
    const found = offsets.get(instant);
    if (found !== undefined) return found;
    const part = Object.fromEntries(format.formatToParts(instant).map((p) => [p.type, Number(p.value)]));
    const { year, month, day, hour, minute, second } = part as Record<string, number>;
    const civil = Date.UTC(year as number, (month as number) - 1, day, hour, minute, second);
    offsets.set(instant, civil - instant);
    return civil - instant;
  };
  return {
    isSteady: (midnight) => offset(midnight - DAY) === offset(midnight + 2 * DAY),
    instantOf: (civil) => {
      const day = civil - (civil % DAY);
      const [before, after] = [offset(day - DAY), offset(day + 2 * DAY)];
      if (before === after) return civil - before;
      const found = [before, after].map((of) => civil - of).filter((at) => at + offset(at) === civil);
      return found.length > 0 ? Math.min(...found) : undefined;
    },
  };
}

function parseCron(expression: string): Cron {
  const fields = /^cron\((\S+) (\S+) (\S+) (\S+) (\S+) (\S+)\)$/.exec(expression)?.slice(1);
  if (!fields) throw new ScheduleInvalid(`"${expression}" is not cron(...) of six fields`);
  const [minute, hour, day, month, weekday, year] = fields as [
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  const hours = [...numbers(hour, 0, 23)].sort((a, b) => a - b);
  const minutes = [...numbers(minute, 0, 59)].sort((a, b) => a - b);
  const months = numbers(month, 1, 12, MONTHS);
  const years = year === '*' ? undefined : numbers(year, 1970, 2199);
  const fits = weekday === '?' ? dayOfMonth(day) : dayOfWeek(weekday);
  return {
    minutes: hours.flatMap((h) => minutes.map((m) => h * 60 + m)),
    firesOn: (on) => months.has(on.month) && (!years || years.has(on.year)) && fits(on),
  };
}

/** Days of the month: numbers, `L` (the last), `LW` and `15W` (the nearest working day of the month). */
function dayOfMonth(text: string): (day: CivilDay) => boolean {
  if (text === 'L') return ({ day, daysInMonth }) => day === daysInMonth;
  const nearest = /^(\d{1,2}|L)W$/.exec(text)?.[1];
  if (nearest === undefined) {
    const days = numbers(text, 1, 31);
    return ({ day }) => days.has(day);
  }
  return ({ day, weekday, daysInMonth }) => {
    const target = nearest === 'L' ? daysInMonth : Number(nearest);
    return (
      target <= daysInMonth &&
      day === nearestWorkday(target, (weekday - 1 + target - day + 35) % 7, daysInMonth)
    );
  };
}

/** `weekday`: 0 is Sunday. */
function nearestWorkday(target: number, weekday: number, daysInMonth: number): number {
  if (weekday === 6) return target > 1 ? target - 1 : target + 2;
  if (weekday === 0) return target < daysInMonth ? target + 1 : target - 2;
  return target;
}

/** Days of the week: numbers or words, `L` (Saturday), `6L` (the last Friday of a month), `2#1` (the first Monday of it). */
function dayOfWeek(text: string): (day: CivilDay) => boolean {
  if (text === 'L') return ({ weekday }) => weekday === 7;
  const special = /^(\w{1,3}?)(?:(L)|#([1-5]))$/.exec(text);
  if (!special) {
    const days = numbers(text, 1, 7, WEEKDAYS);
    return ({ weekday }) => days.has(weekday);
  }
  const [wanted] = numbers(special[1] as string, 1, 7, WEEKDAYS);
  const nth = Number(special[3]);
  return ({ weekday, day, daysInMonth }) =>
    weekday === wanted && (special[2] ? day + 7 > daysInMonth : Math.ceil(day / 7) === nth);
}

/** The numbers of a field: `*`, a list, ranges (of days over the end of the week, too) and steps. */
function numbers(text: string, low: number, high: number, words: readonly string[] = []): Set<number> {
  const numberOf = (word: string): number => {
    const found = words.indexOf(word.toUpperCase());
    const value = found >= 0 ? found + low : Number(word);
    if (!/^\w+$/.test(word) || !(value >= low && value <= high))
      throw new ScheduleInvalid(`"${text}" is not in ${low}-${high}`);
    return value;
  };
  const all = text.split(',').flatMap((part) => {
    const [range = '', every = '1', ...rest] = part.split('/');
    const step = Number(every);
    if (rest.length > 0 || !(Number.isInteger(step) && step > 0))
      throw new ScheduleInvalid(`"${text}" has a wrong step`);
    const [first = '', last, ...more] = range.split('-');
    if (more.length > 0) throw new ScheduleInvalid(`"${text}" has a wrong range`);
    const from = first === '*' ? low : numberOf(first);
    const open = first === '*' || (last === undefined && part.includes('/'));
    const to = last === undefined ? (open ? high : from) : numberOf(last);
    const length = to >= from ? to - from + 1 : to - from + 1 + (high - low + 1);
    return Array.from(
      { length: Math.ceil(length / step) },
      (_, i) => low + ((from - low + i * step) % (high - low + 1)),
    );
  });
  return new Set(all);
}
