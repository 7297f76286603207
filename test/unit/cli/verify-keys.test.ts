import { expect, test } from 'vitest';
import { isInOrder, keyLines, lookAtKeys } from '../../../cli/verify-keys.ts';

const version = (value: string) => ({ id: value, value });
const versions = { current: version('c'), pending: version('n'), previous: version('p') };

test.each([
  [['c'], true, 'in order'],
  [['c', 'n'], true, 'in order; a rotation is in progress'],
  [['c', 'p'], false, 'the previous password also opens it: run holdfast vault rotate-key'],
  [['p'], false, 'the current password does not open it: run holdfast vault rotate-key'],
  [['n'], false, 'the current password does not open it: run holdfast vault rotate-key'],
  [[], false, 'no known password opens it: restore its keys with holdfast vault rewind'],
])('a repository that %j open is reported with its remedy', async (passwords, good, words) => {
  const never = async () => expect.unreachable('looking changes nothing');
  const keys = { name: 'shop', opens: async (m: string) => passwords.includes(m), add: never, remove: never };
  const found = await lookAtKeys([keys], versions);
  expect(keyLines(found)).toEqual([`shop: ${words}`]);
  expect(found.every(isInOrder)).toBe(good);
});
