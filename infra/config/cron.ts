/** A schedule that EventBridge does not support; the message gives the reason. */
export class ScheduleInvalid extends Error {
  override readonly name = 'ScheduleInvalid';
}

interface Field {
  readonly what: string;
  readonly low: number;
  readonly high: number;
  /** Words for values, the first of them for `low`. */
  readonly words?: readonly string[];
}

const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const DAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];
const MINUTE: Field = { what: 'minute', low: 0, high: 59 };
const HOUR: Field = { what: 'hour', low: 0, high: 23 };
const DAY: Field = { what: 'day of month', low: 1, high: 31 };
const MONTH: Field = { what: 'month', low: 1, high: 12, words: MONTHS };
/** Cron also accepts 7 for Sunday. */
const WEEKDAY: Field = { what: 'day of week', low: 0, high: 7, words: DAYS };

/** One part of a field's list: every `step`-th value from `from` to `to`. `open`: written with `*`. */
interface Part {
  readonly from: number;
  readonly to: number;
  readonly step: number;
  readonly open: boolean;
}

/**
 * A schedule of holdfast.yaml as EventBridge Scheduler takes it: five cron fields become six, `cron(...)` and
 * `rate(...)` pass through. EventBridge allows one of the two day fields only and wants `?` in the other.
 */
export function eventBridgeSchedule(schedule: string): string {
  const text = schedule.trim();
  if (/^rate\([1-9]\d* (minutes?|hours?|days?)\)$/.test(text)) return text;
  if (/^cron\(.*\)$/.test(text)) return checkedSixFields(text);
  const fields = text.split(/\s+/);
  if (fields.length !== 5)
    throw new ScheduleInvalid(`it has ${fields.length} field${fields.length === 1 ? '' : 's'}, not five`);
  const [minute, hour, day, month, week] = fields as [string, string, string, string, string];
  const time = `${plainField(minute, MINUTE)} ${plainField(hour, HOUR)}`;
  const [days, months, weekdays] = [plainField(day, DAY), plainField(month, MONTH), weekdayField(week)];
  if (days !== '*' && weekdays !== '*')
    throw new ScheduleInvalid(
      'it names days of the month and days of the week, and EventBridge supports only one of them',
    );
  return weekdays === '*' ? `cron(${time} ${days} ${months} ? *)` : `cron(${time} ? ${months} ${weekdays} *)`;
}

function checkedSixFields(text: string): string {
  const fields = text.slice('cron('.length, -1).split(' ');
  if (fields.length !== 6 || fields.some((field) => !/^[\w,\-*?/#]+$/.test(field)))
    throw new ScheduleInvalid('cron(...) does not hold six fields with one space between them');
  if ([fields[2], fields[4]].filter((field) => field === '?').length !== 1)
    throw new ScheduleInvalid('cron(...) needs "?" in one of its two day fields, and only in one');
  return text;
}

function parts(text: string, field: Field): Part[] {
  return text.split(',').map((part) => {
    const match = /^(?:(\*)|(\w+)(?:-(\w+))?)(?:\/(\d+))?$/.exec(part);
    const step = Number(match?.[4] ?? 1);
    if (!match || step < 1) throw new ScheduleInvalid(wrong(text, field));
    if (match[1]) return { from: field.low, to: field.high, step, open: true };
    const from = numberOf(match[2] as string, text, field);
    const last = match[4] ? field.high : from;
    const to = match[3] ? numberOf(match[3], text, field) : last;
    if (to < from) throw new ScheduleInvalid(`its ${field.what} "${text}" has a range that runs backwards`);
    return { from, to, step, open: false };
  });
}

function numberOf(text: string, whole: string, field: Field): number {
  const word = field.words?.indexOf(text.toUpperCase()) ?? -1;
  if (word >= 0) return word + field.low;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < field.low || value > field.high)
    throw new ScheduleInvalid(wrong(whole, field));
  return value;
}

const wrong = (text: string, { what, low, high }: Field): string =>
  `its ${what} "${text}" is not ${low}-${high}, a list, a range or a step`;

const values = ({ from, to, step }: Part): number[] =>
  Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, i) => from + i * step);

/** A field that counts alike in both. A step is written from its first value, the one form that EventBridge documents. */
function plainField(text: string, field: Field): string {
  const written = parts(text, field).map((part) => {
    if (part.step === 1) {
      if (part.open) return '*';
      return part.from === part.to ? `${part.from}` : `${part.from}-${part.to}`;
    }
    return part.to === field.high ? `${part.from}/${part.step}` : values(part).join(',');
  });
  return written.includes('*') ? '*' : written.join(',');
}

/** Day of week: cron counts Sunday as 0 or 7, EventBridge as 1. A range over the week's end becomes two. */
function weekdayField(text: string): string {
  const open = (part: Part) => (part.open ? { ...part, to: 6 } : part); // 7 is Sunday again
  const days = new Set(
    parts(text, WEEKDAY)
      .flatMap((p) => values(open(p)))
      .map((day) => (day % 7) + 1),
  );
  if (days.size === 7) return '*';
  const runs: number[][] = [];
  for (const day of [...days].sort()) {
    const run = runs.at(-1);
    if (run?.at(-1) === day - 1) run.push(day);
    else runs.push([day]);
  }
  return runs.map((run) => (run.length > 1 ? `${run[0]}-${run.at(-1)}` : `${run[0]}`)).join(',');
}
