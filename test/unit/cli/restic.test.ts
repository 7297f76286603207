import { expect, test } from 'vitest';
import { resticArgs } from '../../../cli/restic.ts';

test.each([
  ['what follows the dashes', ['--', 'forget', '--prune'], ['forget', '--prune']],
  ['words without dashes', ['snapshots', '--json'], ['snapshots', '--json']],
  ['nothing', [], []],
  ['an option of restic that begins alike', ['copy', '--from-repo', 'x'], ['copy', '--from-repo', 'x']],
  [
    'what looks like an option of Holdfast, after the dashes',
    ['--', 'x', '--from', 'y'],
    ['x', '--from', 'y'],
  ],
])('restic is given %s', (_, words, args) => {
  expect(resticArgs(words)).toEqual(args);
});

test.each([
  [['--from', 'replica', '--', 'forget']],
  [['--from=replica', 'forget']],
  [['forget', '--from', 'replica']],
  [['--print-env']],
])('an option of Holdfast that stands where restic would get it is refused: %j', (words) => {
  expect(() => resticArgs(words)).toThrow(/must be before the repository.*Write: holdfast restic/);
});
