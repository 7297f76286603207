import { expect, test } from 'vitest';
import { filesOf, PAGES, read } from './pages.ts';

/** Ways to start the command that are not the one: `holdfast`, which `npm link` puts on the PATH. */
const OTHER_WAYS =
  /npm (run|exec)( --?\S+)* holdfast|npx( --?\S+)* holdfast|node \S*(cli\/main\.ts|bin\/holdfast)/;

/** Change notes tell what was. */
const NOW = PAGES.filter((page) => !page.startsWith('changelog/'));
const SOURCES = ['cli', 'functions', 'infra'].flatMap((folder) => filesOf(folder, '.ts'));

test.each([...NOW, ...SOURCES, 'holdfast.example.yaml', 'package.json'])(
  '%s calls the command by its name alone',
  (file) => {
    expect(read(file).match(OTHER_WAYS)?.[0]).toBeUndefined();
  },
);

test.each([
  'npm run --silent holdfast -- rbac',
  'npx holdfast get backups',
  'npx --yes holdfast rbac',
  'node cli/main.ts rbac',
])('"%s" is another way', (line) => {
  expect(line).toMatch(OTHER_WAYS);
});
