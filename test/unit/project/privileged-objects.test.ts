import { expect, test } from 'vitest';
import { withTables } from '../../support/privileged-tables.ts';
import { read } from './pages.ts';

const PAGE = 'docs/privileged-objects.md';

test('docs/privileged-objects.md has the tables of the code', () => {
  const page = read(PAGE);
  expect(page).toBe(withTables(page));
});

test('a page without the place for a table is refused', () => {
  expect(() => withTables('# Privileged objects\n')).toThrow('no place for the table');
});
