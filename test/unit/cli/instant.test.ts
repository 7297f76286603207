import { expect, test } from 'vitest';
import { parseInstant } from '../../../cli/instant.ts';

const now = new Date('2026-11-25T12:00:00Z');

test.each([
  ['2h ago', '2026-11-25T10:00:00.000Z'],
  ['90 m ago', '2026-11-25T10:30:00.000Z'],
  ['1d 12h ago', '2026-11-24T00:00:00.000Z'],
  ['1W AGO', '2026-11-18T12:00:00.000Z'],
  ['30s ago', '2026-11-25T11:59:30.000Z'],
  ['2026-11-24T18:00:00Z', '2026-11-24T18:00:00.000Z'],
  ['2026-11-24T19:00+01:00', '2026-11-24T18:00:00.000Z'],
  [' 2026-11-24 ', '2026-11-24T00:00:00.000Z'],
  ['2026-11-25T12:00:00.000Z', '2026-11-25T12:00:00.000Z'],
])('%s is %s', (text, instant) => {
  expect(parseInstant(text, now).toISOString()).toBe(instant);
});

test.each([
  ['yesterday', '"yesterday" is not a point in time. Write it like'],
  ['', '"" is not a point in time'],
  ['2h', '"2h" is not a point in time'],
  ['h ago', '"h ago" is not a point in time'],
  ['12', '"12" is not a point in time'],
  ['2026-13-01T00:00:00Z', '"2026-13-01T00:00:00Z" is not a point in time'],
  ['2026-11-24T18:00:00', '"2026-11-24T18:00:00" has no time zone: end it with Z'],
  ['2026-11-25T12:00:01Z', 'is in the future: it is 2026-11-25T12:00:00.000Z'],
])('%s is refused with a reason', (text, words) => {
  expect(() => parseInstant(text, now)).toThrow(words);
});
