import { join } from 'node:path';
import { expect, test } from 'vitest';
import { withTables } from '../../support/privileged-tables.ts';
import { read, root } from './pages.ts';

const PAGE = 'docs/privileged-objects.md';

test('docs/privileged-objects.md has the tables of the code; `vitest -u` writes them', async () => {
  await expect(withTables(read(PAGE))).toMatchFileSnapshot(join(root, PAGE));
});

test('a page without the place for a table is refused', () => {
  expect(() => withTables('# Privileged objects\n')).toThrow('no place for the table');
});
