import { expect, test } from 'vitest';
import { filesOf, read } from './pages.ts';

/** `[name](../test/file.test.ts) "title"` */
const REFERENCE = /\]\(\.\.\/(test\/[^)]+\.test\.ts)\) "([^"]+)"/g;
/** Paragraphs and points of lists, each in one line, with the sentences that come before its tests. */
const blocks = read('docs/security.md')
  .split(/\n\n|\n(?=- )/)
  .map((block) => block.replaceAll(/\s+/g, ' ').trim())
  .filter((block) => !block.startsWith('<!--') && !block.startsWith('|'));
const references = blocks.flatMap((block) =>
  [...block.matchAll(REFERENCE)].map(([, file = '', title = '']) => ({ file, title })),
);

test('docs/security.md names a test for each sentence that says what somebody cannot do', () => {
  const claims = blocks.filter((block) => /\bcannot\b/i.test(block) && !block.includes('*cannot*'));
  expect(claims.length).toBeGreaterThan(15);
  const unshown = claims.filter((claim) => !/[.)] \[[^\]]+\]\(\.\.\/test\//.test(claim));
  expect(unshown).toEqual([]);
  // One sentence a point: a second one would hide behind the tests of the first.
  expect(claims.filter((claim) => [...claim.matchAll(/\bcannot\b/gi)].length > 1)).toEqual([]);
});

test.each(references)('$file has a test "$title"', ({ file, title }) => {
  const source = read(file);
  expect(
    ["'", '`'].some((quote) => source.includes(`(${quote}${title}${quote},`)) || onLine(source, title),
  ).toBe(true);
});

/** Whether a title stands on a line of its own, as a long one does. */
const onLine = (source: string, title: string): boolean =>
  source.split('\n').some((line) => line.trim() === `'${title}',`);

test('every test of a tenant is named in docs/security.md', () => {
  const files = filesOf('test/world', '.test.ts').filter((file) => /\/tenant-[^/]+$/.test(file));
  expect(files.filter((file) => !references.some((r) => r.file === file))).toEqual([]);
});
