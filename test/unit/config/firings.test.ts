import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { longestGapSeconds } from '../../../infra/config/firings.ts';
import { graceSeconds, passOverdueSeconds, tooOldSeconds } from '../../../infra/config/interval.ts';

const HOUR = 3600;
const DAY = 24;
const gapHours = (schedule: string, timeZone = 'UTC') => {
  const gap = longestGapSeconds(schedule, timeZone);
  return gap === undefined ? undefined : gap / HOUR;
};

describe('the longest gap between two starts', () => {
  test.each([
    ['every night', '0 4 * * *', 'UTC', DAY],
    ['every night, twice', '0 2,14 * * *', 'UTC', 12],
    ['unevenly', '0 2,4,9 * * *', 'UTC', 17],
    ['every five hours of a day', '0 */5 * * *', 'UTC', 5],
    ['in working hours', '*/30 8-17 * * *', 'UTC', 14.5],
    ['on working days', '0 2 * * 1-5', 'UTC', 3 * DAY],
    ['from Friday to Sunday', '0 2 * * 5-7', 'UTC', 5 * DAY],
    ['weekly', '0 4 * * 0', 'UTC', 7 * DAY],
    ['monthly', '0 4 1 * *', 'UTC', 31 * DAY],
    ['on the last possible day of a month', '0 4 31 * *', 'UTC', 61 * DAY],
    ['in two months', '0 4 1 jan,JUL *', 'UTC', 184 * DAY],
    ['on leap days', '0 4 29 2 *', 'UTC', 1461 * DAY],
    ['every minute', '* * * * *', 'UTC', 1 / 60],
    ['at a rate', 'rate(15 minutes)', 'Europe/Berlin', 0.25],
    ['at a rate of days, which clocks do not change', 'rate(3 days)', 'Europe/Berlin', 3 * DAY],
    ['on the last day of a month', 'cron(0 2 L * ? *)', 'UTC', 31 * DAY],
    ['on the last working day of a month', 'cron(0 2 LW * ? *)', 'UTC', 33 * DAY],
    ['on the working day nearest to the 1st', 'cron(0 2 1W * ? *)', 'UTC', 33 * DAY],
    ['on the first Monday of a month', 'cron(0 2 ? * MON#1 *)', 'UTC', 35 * DAY],
    ['on the last Friday of a month', 'cron(0 2 ? * 6L *)', 'UTC', 35 * DAY],
    ['on Saturdays, by L', 'cron(0 2 ? * L *)', 'UTC', 7 * DAY],
    ['over the end of the week', 'cron(0 2 ? * FRI-MON *)', 'UTC', 4 * DAY],
    ['in some years', 'cron(0 2 1 1 ? 2026-2028)', 'UTC', 365 * DAY],
  ])('%s: %s', (_, schedule, timeZone, hours) => {
    expect(gapHours(schedule, timeZone)).toBeCloseTo(hours, 9);
  });

  test.each([
    ['clocks go back', '0 4 * * *', 'Europe/Berlin', 25],
    ['clocks skip the time: no start on that day', '30 2 * * *', 'Europe/Berlin', 47],
    ['clocks skip the hour from 2:00 on', '0 2 * * *', 'Europe/Berlin', 47],
    ['the time occurs twice: one start', '30 1 * * *', 'America/New_York', 25],
    ['an hour occurs twice: one start in two hours', '0 * * * *', 'Europe/Berlin', 2],
    ['clocks change by half an hour', '30 2 * * *', 'Australia/Lord_Howe', 24.5],
    ['clocks change at midnight', '0 0 * * *', 'America/Santiago', 47],
    ['there is no change', '0 2 * * *', 'Asia/Kolkata', 24],
    ['a week has a change', '0 4 * * 0', 'Europe/Berlin', 7 * DAY + 1],
    ['a month has a change', '0 4 1 * *', 'Europe/Berlin', 31 * DAY + 1],
  ])('in a time zone where %s', (_, schedule, timeZone, hours) => {
    expect(gapHours(schedule, timeZone)).toBe(hours);
  });

  test.each([
    ['starts once', 'cron(0 2 1 1 ? 2026)'],
    ['started long ago', 'cron(0 2 * * ? 2020)'],
    ['never starts', '0 2 30 2 *'],
    ['has a value that only EventBridge could explain', 'cron(99 2 * * ? *)'],
    ['has a range of three', 'cron(0 1-2-3 * * ? *)'],
    ['has a step of nothing', 'cron(0 2/0 * * ? *)'],
  ])('is not known of a schedule that %s', (_, schedule) => {
    expect(gapHours(schedule)).toBeUndefined();
  });
});

const ZONES = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'Australia/Lord_Howe',
  'Asia/Kolkata',
  'America/Santiago',
];

/** Starts of an hourly schedule in some months, found by asking of each half hour what the clocks say. */
function startsOf(
  hours: readonly number[],
  weekdays: readonly number[],
  timeZone: string,
  from: number,
): number[] {
  const format = new Intl.DateTimeFormat('en-US', {
    ...{ timeZone, hourCycle: 'h23', weekday: 'short', day: 'numeric', hour: 'numeric', minute: 'numeric' },
  });
  const seen = new Set<string>();
  const starts: number[] = [];
  for (let at = from; at < from + 100 * DAY * HOUR * 1000; at += HOUR * 500) {
    const part = Object.fromEntries(format.formatToParts(at).map((p) => [p.type, p.value]));
    const weekday = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'].indexOf(part.weekday as string);
    const civil = `${Math.floor((at - from) / (10 * DAY * HOUR * 1000))} ${part.day} ${part.hour}`;
    if (part.minute !== '00' || !hours.includes(Number(part.hour)) || !weekdays.includes(weekday)) continue;
    if (!seen.has(civil)) starts.push(at);
    seen.add(civil);
  }
  return starts;
}

describe('whatever the schedule', () => {
  const hours = fc.uniqueArray(fc.integer({ min: 0, max: 23 }), { minLength: 1, maxLength: 4 });
  const weekdays = fc.uniqueArray(fc.integer({ min: 0, max: 6 }), { minLength: 1, maxLength: 7 });

  test('no gap that the clocks show is longer', () => {
    fc.assert(
      fc.property(
        hours,
        weekdays,
        fc.constantFrom(...ZONES),
        fc.integer({ min: 0, max: 80 }),
        (h, w, zone, month) => {
          const starts = startsOf(h, w, zone, Date.UTC(2025, month, 1));
          const longest = Math.max(0, ...starts.slice(1).map((at, i) => (at - (starts[i] as number)) / 1000));
          expect(longestGapSeconds(`0 ${h.join(',')} * * ${w.join(',')}`, zone)).toBeGreaterThanOrEqual(
            longest,
          );
        },
      ),
      { numRuns: 25 },
    );
  });

  test('a start more makes no gap longer', () => {
    fc.assert(
      fc.property(hours, fc.integer({ min: 0, max: 23 }), fc.constantFrom(...ZONES), (h, more, zone) => {
        const gap = longestGapSeconds(`0 ${h.join(',')} * * *`, zone) as number;
        expect(longestGapSeconds(`0 ${[...h, more].join(',')} * * *`, zone)).toBeLessThanOrEqual(gap);
      }),
      { numRuns: 30 },
    );
  });

  test('a rate is its own gap', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 999 }), fc.constantFrom('minute', 'hour', 'day'), (n, unit) => {
        const seconds = { minute: 60, hour: HOUR, day: DAY * HOUR }[unit] as number;
        expect(longestGapSeconds(`rate(${n} ${unit}${n === 1 ? '' : 's'})`, 'UTC')).toBe(n * seconds);
      }),
    );
  });
});

describe('the age at which alarms ring', () => {
  const age = (schedule: string, rpo?: string, deadlineHours = 6) => {
    const seconds = tooOldSeconds({ schedule, timeZone: 'UTC', ...(rpo && { rpo }) }, deadlineHours);
    return seconds === undefined ? undefined : seconds / HOUR;
  };

  test.each([
    ['0 4 * * *', 31],
    ['0 4 * * 0', 7 * DAY + 7],
    ['rate(1 hour)', 2],
    ['rate(15 minutes)', 0.75],
    ['cron(0 2 1 1 ? 2026)', undefined],
  ])('of a plan with the schedule %s', (schedule, hours) => {
    expect(age(schedule)).toBe(hours);
  });

  test('is the rpo, if there is one, whatever the schedule', () => {
    expect(age('0 4 * * *', '26h')).toBe(26);
    expect(age('cron(0 2 1 1 ? 2026)', '2d')).toBe(48);
  });

  test('allows a backup the time that its Jobs may take', () => {
    expect(age('0 4 * * *', undefined, 20)).toBe(45);
  });

  test('is longer than the gap by at least half an hour, and by one gap at most if that is longer', () => {
    fc.assert(
      fc.property(fc.integer({ min: 60, max: 10 ** 8 }), fc.integer({ min: 1, max: 23 }), (gap, deadline) => {
        const grace = graceSeconds(gap, deadline);
        expect(grace).toBeGreaterThanOrEqual(1800);
        expect(grace).toBeLessThanOrEqual(Math.max(1800, gap));
      }),
    );
  });

  test('of a pass allows an execution its longest time', () => {
    expect(passOverdueSeconds({ schedule: '0 4 * * 0', timeZone: 'UTC' }, 24 * HOUR)).toBe(
      (7 * DAY + 25) * HOUR,
    );
    expect(
      passOverdueSeconds({ schedule: 'cron(0 2 1 1 ? 2026)', timeZone: 'UTC' }, 24 * HOUR),
    ).toBeUndefined();
  });
});
