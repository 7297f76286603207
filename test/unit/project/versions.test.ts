import { Runtime } from 'aws-cdk-lib/aws-lambda';
import { describe, expect, test } from 'vitest';
import { filesOf, PAGES, read } from './pages.ts';

const manifest = JSON.parse(read('package.json')) as {
  version: string;
  engines: { node: string };
  dependencies: { node: string };
};
const own = manifest.dependencies.node.split('.')[0] as string;

/** Versions that are named as needed, like "Go 1.25.8 or newer": `[where, tool, version]`. */
const needed = (files: readonly string[]) =>
  files.flatMap((file) =>
    [...read(file).matchAll(/\b(Node|Go|Python|Debian|restic)\s+(\d+(?:\.\d+)*)\s+or\s+newer/g)].map(
      ([, tool, version]): [string, string, string] => [file, tool as string, version as string],
    ),
  );
const all = needed([
  ...PAGES.filter((page) => !page.startsWith('changelog/')),
  ...['cli', 'functions', 'infra', 'scripts'].flatMap((f) => [...filesOf(f, '.ts'), ...filesOf(f, '.mjs')]),
  'holdfast.example.yaml',
]);

describe('the versions that are needed', () => {
  test.each(['Node', 'Go', 'Python', 'restic'])('of %s are the same wherever they are named', (tool) => {
    const found = all.filter((n) => n[1] === tool);
    expect(found.length).toBeGreaterThan(1);
    expect(new Set(found.map((n) => n[2]))).toEqual(new Set([found[0]?.[2]]));
  });

  test('of Node are what package.json says', () => {
    expect(all.find((n) => n[1] === 'Node')?.[2]).toBe(/^>=(\d+)$/.exec(manifest.engines.node)?.[1]);
  });

  test('are named in the README, for all that the demo needs', () => {
    expect(needed(['README.md']).map((n) => n[1])).toEqual(['Node', 'Go', 'Python']);
  });
});

describe('the project’s own Node', () => {
  test('is that of the functions', () => {
    expect(Runtime.NODEJS_24_X.name).toBe(`nodejs${own}.x`);
  });

  test('is the only other one that a page names', () => {
    const named = PAGES.filter((page) => !page.startsWith('changelog/')).flatMap((page) =>
      [...read(page).matchAll(/\bNode (\d[\d.]*)(?!\d|\s+or\s+newer)/g)].map((m) => `${page}: ${m[1]}`),
    );
    expect(named.filter((n) => !n.endsWith(`: ${own}`))).toEqual([]);
  });
});
