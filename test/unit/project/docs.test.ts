import { existsSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { filesOf, PAGES, read, root } from './pages.ts';

const COLUMNS = 120;
/** A table that a command writes between two comments, like that of permissions. */
const GENERATED = /^<!-- ([-\w]+): .*-->$.*?^<!-- \/\1 -->$/gms;

/** Anchors of a page's headings, as GitHub makes them. */
const anchorsOf = (page: string) =>
  [...read(page).matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    (heading as string)
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replace(/ /g, '-'),
  );

describe.each(PAGES)('%s', (page) => {
  test(`has no line over ${COLUMNS} columns, except in a generated table`, () => {
    const long = read(page)
      .replace(GENERATED, '')
      .split('\n')
      .filter((line) => line.length > COLUMNS);
    expect(long).toEqual([]);
  });

  test('links to pages and headings that are there', () => {
    const links = [...read(page).matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/g)];
    const broken = links.filter(([, file, anchor]) => {
      const target = file ? join(dirname(page), file) : page;
      return !existsSync(join(root, target)) || (anchor && !anchorsOf(target).includes(anchor));
    });
    expect(broken.map((link) => link[0])).toEqual([]);
  });
});

test('docs/README.md leads to every page', () => {
  const index = read('docs/README.md');
  const pages = filesOf('docs', '.md').filter(
    (page) => dirname(page) === 'docs' && page !== 'docs/README.md',
  );
  expect(pages.filter((page) => !index.includes(`](${basename(page)}`))).toEqual([]);
});

describe('decisions', () => {
  const pages = filesOf('docs/decisions', '.md').filter((page) => basename(page) !== 'README.md');
  const index = read('docs/decisions/README.md');

  test('are numbered without holes', () => {
    expect(pages.map((page) => Number(basename(page).slice(0, 4)))).toEqual(pages.map((_, i) => i + 1));
  });

  test.each(pages)('%s has a status with its date, and stands in the index as it is', (page) => {
    const found = /^# (.+)\n\n((?:Accepted|Superseded by \d+)), (\d{4}-\d\d-\d\d)\.\n/.exec(read(page));
    const [, title, status, date] = found ?? [];
    const file = basename(page);
    expect(index).toContain(`| ${Number(file.slice(0, 4))} | [${title}](${file}) | ${date} | ${status} |`);
  });
});

describe('change notes', () => {
  const { version } = JSON.parse(read('package.json')) as { version: string };
  const notes = filesOf('changelog', '.md').filter((page) => dirname(page) !== 'changelog');
  const folders = [...new Set(notes.map((page) => basename(dirname(page))))];
  const KINDS = ['New', 'Changed', 'Fixed', 'Security', 'Removed'];

  test('lie in folders of versions, which the list names, the newest being that of package.json', () => {
    expect(folders.filter((folder) => !/^\d+\.\d+\.\d+$/.test(folder))).toEqual([]);
    expect(folders.at(-1)).toBe(version);
    for (const folder of folders) expect(read('changelog/README.md')).toContain(`[${folder}](${folder})`);
    expect(statSync(join(root, 'changelog', version)).isDirectory()).toBe(true);
    const loose = filesOf('changelog', '.md').filter((page) => dirname(page) === 'changelog');
    expect(loose).toEqual(['changelog/README.md', 'changelog/TEMPLATE.md']);
  });

  test.each(notes)('%s begins with its kind', (page) => {
    expect(KINDS).toContain(/^# (\w+): ./.exec(read(page))?.[1]);
  });

  test.each(notes.filter((page) => !page.includes('/0.1.0/')))(
    '%s says before, after and what to do',
    (page) => {
      expect([...read(page).matchAll(/^\*\*(.+?)\.\*\*/gm)].map((m) => m[1])).toEqual([
        'Before',
        'After',
        'What to do',
      ]);
    },
  );
});

test('no page or message speaks of a version without its name', () => {
  const sources = ['cli', 'functions', 'infra'].flatMap((folder) => filesOf(folder, '.ts'));
  const vague = [...PAGES, ...sources].filter((file) =>
    /releases? before this|(earlier|older|previous) releases?|this release/i.test(read(file)),
  );
  expect(vague).toEqual([]);
});
