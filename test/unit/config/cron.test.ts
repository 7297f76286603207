import { describe, expect, test } from 'vitest';
import { eventBridgeSchedule, ScheduleInvalid } from '../../../infra/config/cron.ts';

describe('a five-field cron schedule becomes the six fields of EventBridge', () => {
  test.each([
    ['every night', '0 2 * * *', 'cron(0 2 * * ? *)'],
    ['a day of the month', '0 2 1 * *', 'cron(0 2 1 * ? *)'],
    ['Sunday as 0', '0 2 * * 0', 'cron(0 2 ? * 1 *)'],
    ['Sunday as 7', '0 2 * * 7', 'cron(0 2 ? * 1 *)'],
    ['working days', '0 2 * * 1-5', 'cron(0 2 ? * 2-6 *)'],
    ['days by their words', '0 2 * * mon-fri', 'cron(0 2 ? * 2-6 *)'],
    ['a range over the end of the week', '0 2 * * 5-7', 'cron(0 2 ? * 1,6-7 *)'],
    ['every second day of the week', '0 2 * * */2', 'cron(0 2 ? * 1,3,5,7 *)'],
    ['all seven days', '0 2 * * 0-6', 'cron(0 2 * * ? *)'],
    ['a month by its word', '0 2 1 jan,JUL *', 'cron(0 2 1 1,7 ? *)'],
    ['steps from the first value', '*/15 */6 */2 * *', 'cron(0/15 0/6 1/2 * ? *)'],
    ['steps within a range', '0 8-18/5 * * *', 'cron(0 8,13,18 * * ? *)'],
    ['lists', '0,30 1-3,5 * * *', 'cron(0,30 1-3,5 * * ? *)'],
    ['space around it', '  0  2 * * * ', 'cron(0 2 * * ? *)'],
  ])('%s: %s', (_, cron, expected) => {
    expect(eventBridgeSchedule(cron)).toBe(expected);
  });
});

describe("EventBridge's own expressions pass through", () => {
  test.each(['rate(1 hour)', 'rate(15 minutes)', 'cron(0 2 ? * MON#1 *)', 'cron(0 2 L * ? *)'])(
    '%s',
    (own) => {
      expect(eventBridgeSchedule(own)).toBe(own);
    },
  );
});

describe('what EventBridge cannot take is refused with the reason', () => {
  test.each([
    ['0 2 1 * 1', 'supports only one of them'],
    ['xyz', 'it has 1 field, not five'],
    ['0 2 * *', 'it has 4 fields, not five'],
    ['60 2 * * *', 'its minute "60" is not 0-59'],
    ['foo 2 * * *', 'its minute "foo" is not 0-59'],
    ['0 24 * * *', 'its hour "24" is not 0-23'],
    ['0 2 0 * *', 'its day of month "0" is not 1-31'],
    ['0 2 * 13 *', 'its month "13" is not 1-12'],
    ['0 2 * * 8', 'its day of week "8" is not 0-7'],
    ['0 2 * * JAN', 'its day of week "JAN" is not 0-7'],
    ['*/0 2 * * *', 'its minute "*/0" is not 0-59'],
    ['0 22-6 * * *', 'its hour "22-6" has a range that runs backwards'],
    ['0 2,, * * *', 'its hour "2,,"'],
    ['cron(0 2 * * *)', 'does not hold six fields'],
    ['cron(0 2 * * * *)', 'needs "?" in one of its two day fields'],
    ['cron(0 2 ? * ? *)', 'and only in one'],
    ['rate(0 hours)', 'not five'],
  ])('%s', (schedule, reason) => {
    expect(() => eventBridgeSchedule(schedule)).toThrow(ScheduleInvalid);
    expect(() => eventBridgeSchedule(schedule)).toThrow(reason);
  });
});
