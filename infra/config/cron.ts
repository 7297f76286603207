/** A schedule that EventBridge cannot take, in words. */
export class ScheduleInvalid extends Error {
  override readonly name = 'ScheduleInvalid';
}

const DAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];
const FIELD = /^(\*|[0-9A-Za-z]+(-[0-9A-Za-z]+)?)(\/\d+)?(,(\*|[0-9A-Za-z]+(-[0-9A-Za-z]+)?)(\/\d+)?)*$/;
const NAMES = ['minute', 'hour', 'day of month', 'month', 'day of week'] as const;
const RANGES: readonly (readonly [number, number])[] = [
  [0, 59],
  [0, 23],
  [1, 31],
  [1, 12],
  [0, 7],
];

function checkField(field: string, index: number): void {
  const [low, high] = RANGES[index] as readonly [number, number];
  const numbers = [...field.replace(/\/\d+/g, '').matchAll(/\d+/g)].map((m) => Number(m[0]));
  if (!FIELD.test(field) || numbers.some((n) => n < low || n > high)) {
    throw new ScheduleInvalid(
      `its ${NAMES[index]} "${field}" is not one of ${low}-${high}, a list, a range or a step`,
    );
  }
}

/** Day of week: cron counts Sunday as 0 or 7, EventBridge as 1. Names are the same in both. */
const dayOfWeek = (field: string): string =>
  field.replace(/(?<!\/)\b\d\b/g, (day) => DAYS[Number(day) % 7] as string);

/**
 * A schedule of holdfast.yaml as EventBridge Scheduler takes it: five cron fields become six, `cron(...)` and
 * `rate(...)` pass through. EventBridge allows one of the two day fields only and wants `?` in the other.
 */
export function eventBridgeSchedule(schedule: string): string {
  const text = schedule.trim();
  if (/^rate\([1-9]\d* (minute|minutes|hour|hours|day|days)\)$/.test(text)) return text;
  if (/^cron\((\S+ ){5}\S+\)$/.test(text)) return text;
  const fields = text.split(/\s+/);
  if (fields.length !== 5) throw new ScheduleInvalid(`it has ${fields.length} fields, not five`);
  fields.forEach(checkField);
  const [minute, hour, day, month, week] = fields as [string, string, string, string, string];
  if (day !== '*' && week !== '*')
    throw new ScheduleInvalid(
      'it names days of the month and days of the week, and EventBridge takes only one of them',
    );
  const [d, w] = week === '*' ? [day, '?'] : ['?', dayOfWeek(week)];
  return `cron(${minute} ${hour} ${d} ${month} ${w} *)`;
}
