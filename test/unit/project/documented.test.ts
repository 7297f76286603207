import { describe, expect, test } from 'vitest';
import { METRICS } from '../../../functions/contract/metrics.ts';
import { RestoreInput } from '../../../functions/contract/restore-options.ts';
import { filesOf, read } from './pages.ts';

describe('documented is', () => {
  const optionRows = [...read('docs/restore.md').matchAll(/^\| (`[^|]+) \|/gm)].map((m) => m[1] as string);

  test.each(Object.keys(RestoreInput._zod.def.shape))(
    'the restore option %s, in docs/restore.md',
    (option) => {
      expect(optionRows.some((row) => row.includes(`\`${option}\``)) || option === 'files').toBe(true);
    },
  );

  test('the restore option files, in a section of its own', () => {
    expect(read('docs/restore.md')).toMatch(/"files": \{/);
  });

  const pages = filesOf('docs', '.md').map(read).join('\n');
  test.each(Object.values(METRICS))('the metric %s, in a page of docs', (metric) => {
    expect(pages).toContain(`\`${metric}`);
  });
});
