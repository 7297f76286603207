import { expect, test } from 'vitest';
import { isInOrder, keyLines, lookAtKeys } from '../../../cli/verify-keys.ts';

const version = (value: string) => ({ id: value, value });
const versions = { current: version('c'), pending: version('n'), previous: version('p') };

test.each([
  [['c'], true, 'in order'],
  [['c', 'n'], true, 'in order; a rotation is under way'],
  [['c', 'p'], false, 'an older password opens it as well: run holdfast vault rotate-key'],
  [['p'], false, 'the present password does not open it: run holdfast vault rotate-key'],
  [['n'], false, 'the present password does not open it: run holdfast vault rotate-key'],
  [[], false, 'no password that is known opens it: holdfast vault rewind brings keys back'],
])('a repository that %j open is said to be so', async (passwords, good, words) => {
  const never = async () => expect.unreachable('looking changes nothing');
  const keys = { name: 'shop', opens: async (m: string) => passwords.includes(m), add: never, remove: never };
  const found = await lookAtKeys([keys], versions);
  expect(keyLines(found)).toEqual([`shop: ${words}`]);
  expect(found.every(isInOrder)).toBe(good);
});
