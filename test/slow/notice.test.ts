import { existsSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { bundledFiles } from '../../infra/bundle.ts';
import { type BundledPackage, COMPATIBLE, noticeOf, packagesOf } from '../../infra/notice/notice.ts';

describe('what is bundled into the functions', () => {
  let packages: BundledPackage[];
  beforeAll(() => {
    packages = packagesOf(bundledFiles());
  }, 120_000); // it bundles all functions

  test('is what NOTICE says; `npm run notice` writes it', () => {
    expect(readFileSync(new URL('../../NOTICE', import.meta.url), 'utf8')).toBe(noticeOf(packages));
  });

  test('is under licences that a work under Apache-2.0 may include', () => {
    expect(packages.filter((p) => !COMPATIBLE.includes(p.license))).toEqual([]);
  });

  test('has the text of its licence, where the licence asks for it', () => {
    const asks = ['BSD-2-Clause', 'BSD-3-Clause', 'ISC', 'MIT'];
    const silent = packages.filter((p) => asks.includes(p.license) && p.texts.length === 0);
    expect(silent.map((p) => p.name)).toEqual([]);
  });
});

describe('a notice', () => {
  const of = (name: string, license: string, texts: string[] = []): BundledPackage => ({
    name,
    version: '1.0.0',
    license,
    texts,
  });

  test('gives a text once, below the names of all packages that have it', () => {
    const notice = noticeOf([of('left', 'MIT', ['do as you like']), of('right', 'MIT', ['do as you like'])]);
    expect(notice).toContain('left 1.0.0 (MIT)\nright 1.0.0 (MIT)\n\ndo as you like\n');
  });

  test.each(['GPL-3.0-only', 'none', 'SEE LICENSE IN EULA'])(
    'is refused for a package under %s',
    (license) => {
      expect(() => noticeOf([of('left', 'MIT'), of('right', license)])).toThrow(
        `not under a licence that Apache-2.0 may include: right 1.0.0 (${license})`,
      );
    },
  );

  test('counts a package once, however many of its files are bundled', () => {
    const files = [
      'node_modules/p-map/index.js',
      'node_modules/p-map/package.json',
      'functions/core/bytes/tar.ts',
    ];
    expect(files.slice(0, 2).every((file) => existsSync(file))).toBe(true);
    expect(packagesOf(files).map((p) => p.name)).toEqual(['p-map']);
  });
});
