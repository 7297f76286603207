import { describe, expect, it } from 'vitest';
import { planOfObjects } from '../../../support/plans.ts';
import type { Case } from '../../../support/privileged-builders.ts';
import { CASES } from '../../../support/privileged-cases.ts';

const NAMESPACES = [
  ...new Set(
    CASES.flatMap(({ stored: [at] }) => at.namespace ?? (at.groupResource === 'namespaces' ? at.name : [])),
  ),
];

function itemOf({ stored, with: others = [] }: Case) {
  const items = planOfObjects([stored, ...others], { namespaces: NAMESPACES });
  const [at] = stored;
  return items.find(
    (i) => i.groupResource === at.groupResource && i.name === at.name && i.namespace === at.namespace,
  );
}

const WORDS = { create: 'let through', hold: 'held', skip: 'skipped' } as const;

function line(one: Case): string {
  const item = itemOf(one);
  const reason = item?.reason?.replace(/; to restore it, set .*$/s, '') ?? one.through ?? '?';
  return `| ${one.what} | ${item ? WORDS[item.action] : 'not planned'} | ${reason} |`;
}

describe('an object of a recovery point that may seize the cluster', () => {
  it('is held, skipped, or let through for a reason', async () => {
    const table = ['| object | decision | reason |', '|---|---|---|', ...CASES.map(line), ''].join('\n');
    await expect(table).toMatchFileSnapshot('./privileged-objects.golden.md');
  });

  it.each(CASES.map((one) => [one.what, one] as const))('%s: is decided as its case says', (_, one) => {
    expect(itemOf(one)?.action === 'create').toBe(one.through !== undefined);
  });
});
