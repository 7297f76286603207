import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { filesOf, read, root } from './pages.ts';

const page = read('CONTRIBUTING.md');
const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
const recipes = page.split('## Recipes')[1] ?? '';

describe('CONTRIBUTING.md', () => {
  test('names files that are there', () => {
    const named = [...recipes.matchAll(/`((?:[-\w]+\/)+[-\w.]+\.(?:ts|json|md)|[-\w]+(?:\/[-\w]+)+)`/g)].map(
      (m) => m[1] as string,
    );
    expect(named.length).toBeGreaterThan(15);
    expect(named.filter((file) => !existsSync(join(root, file)))).toEqual([]);
  });

  test('names modules and tests by themselves that are there', () => {
    const files = new Set(
      [...filesOf('functions', '.ts'), ...filesOf('infra', '.ts'), ...filesOf('test', '.ts')].map((file) =>
        file.slice(file.lastIndexOf('/') + 1),
      ),
    );
    const named = [...recipes.matchAll(/`([-\w.]+\.ts)`/g)].map((m) => m[1] as string);
    expect(named.filter((file) => !files.has(file))).toEqual([]);
  });

  test('names every command of package.json that a person runs, and no other', () => {
    const run = Object.keys(scripts).filter((name) => !name.startsWith('pre'));
    const shown = (name: string) =>
      [`npm ${name}`, `npm run ${name}`, name].some((words) => new RegExp(`\`${words}\\b`).test(page));
    expect(run.filter((name) => !shown(name))).toEqual([]);
    const named = [...page.matchAll(/`npm run ([-:\w]+)/g)].map((m) => m[1] as string);
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });

  test('says of each folder of tests what it is for', () => {
    const folders = readdirSync(join(root, 'test'), { withFileTypes: true })
      .filter(
        (entry) =>
          entry.isDirectory() &&
          readdirSync(join(root, 'test', entry.name), { recursive: true, encoding: 'utf8' }).some((f) =>
            f.endsWith('.test.ts'),
          ),
      )
      .map((entry) => entry.name);
    expect(folders.filter((folder) => !page.includes(`\`test/${folder}\``))).toEqual([]);
  });
});
