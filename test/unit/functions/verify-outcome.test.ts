import { describe, expect, it } from 'vitest';
import type { PlanItem } from '../../../functions/core/restore/restore-plan.ts';
import type { AppliedItem } from '../../../functions/restore/documents.ts';
import { finalResults, restoredItems } from '../../../functions/restore/verify-restore/outcome.ts';

const at = (name: string) => ({
  groupResource: 'widgets.example.com',
  version: 'v1',
  namespace: 'shop',
  name,
});
const applied = (name: string, result: AppliedItem['result'], more: object = {}): AppliedItem => ({
  ...at(name),
  result,
  ...more,
});
const item = (name: string, more: object = {}): PlanItem => ({
  ...at(name),
  stage: 2,
  order: 100,
  action: 'create',
  bytes: 1,
  ...more,
});
const keyOf = (name: string) => `widgets.example.com/v1/shop/${name}`;

describe('the results of a restore', () => {
  it('are one for each object: the second stage has the last word on what the first left to it', () => {
    const stages = [
      applied('a', 'failed', { again: true }),
      applied('b', 'created'),
      applied('a', 'created'),
    ];
    expect(finalResults([item('a'), item('b')], stages)).toEqual([
      applied('a', 'created'),
      applied('b', 'created'),
    ]);
  });

  it('end where objects are left to each other', () => {
    const items = [item('a', { madeBy: keyOf('b') }), item('b', { madeBy: keyOf('a') })];
    const stages = [applied('a', 'skipped'), applied('b', 'skipped')];
    expect(finalResults(items, stages)).toEqual(stages);
  });

  it('are compared in the version in which they were written', () => {
    const written = applied('a', 'created', { version: 'v2', from: keyOf('a') });
    expect(restoredItems([item('a')], [written])).toMatchObject([{ at: { version: 'v2', name: 'a' } }]);
  });

  it.each(['failed', 'held', 'skipped'] as const)('are not compared when they are %s', (result) => {
    expect(restoredItems([item('a')], [applied('a', result)])).toEqual([]);
  });
});
