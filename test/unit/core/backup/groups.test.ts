import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Selection } from '../../../../functions/contract/settings.ts';
import { extentOf, mayTakeOf, namingNothing } from '../../../../functions/core/backup/selection.ts';
import { groupResource } from '../../../../functions/core/kubernetes/resources.ts';
import { selectionOf } from '../../../support/selection.ts';
import { typeOf } from '../../../support/served-cluster.ts';

const GROUP = 'bad.example.com';
const KNOWN = [typeOf('configmaps'), typeOf('gates.good.example.com')];
const takes = (over: Partial<Selection>) => mayTakeOf(GROUP, selectionOf(['*'], over), KNOWN);
const include = (...includedResources: string[]) => takes({ includedResources });

describe('of a group whose types nobody knows, a plan', () => {
  it.each([
    [[], true],
    [['*'], true],
    [['things'], true],
    [['thing?'], true],
    [['conf*'], true],
    [['things.bad.example.com'], true],
    [['things.*'], true],
    [['*.example.com'], true],
    [['*example.com'], true],
    [['things.bad*'], true],
    [['t*m'], true],
    [['configmaps'], false],
    [['configmaps', 'gates'], false],
    [['things.good.example.com'], false],
    [['deployments.apps'], false],
    [['*.k8s.io'], false],
    [['things.example.com'], false],
    [['configmaps', 'things.bad.example.com'], true],
  ])('that includes %j may take something: %s', (patterns, may) => {
    expect(include(...patterns)).toBe(may);
  });

  it.each([
    [{ excludedResources: ['*'] }, false],
    [{ excludedResources: ['*.bad.example.com'] }, false],
    [{ excludedResources: ['*.example.com'] }, false],
    [{ excludedResources: ['*example.com'] }, false],
    [{ excludedResources: ['things.bad.example.com'] }, true],
    [{ excludedResources: ['t*.bad.example.com'] }, true],
    [{ excludedResources: ['*.other.com'] }, true],
    [{ excludedNamespaceScopedResources: ['*'] }, true],
    [{ excludedNamespaceScopedResources: ['*'], excludedClusterScopedResources: ['*'] }, false],
    [{ includedNamespaceScopedResources: ['configmaps'] }, true],
    [{ includedNamespaceScopedResources: ['configmaps'], includeClusterResources: false }, false],
    [{ includedNamespaceScopedResources: ['configmaps'], includedClusterScopedResources: ['*.bad.*'] }, true],
  ])('with %j may take something: %s', (over, may) => {
    expect(takes(over)).toBe(may);
  });

  it.each(['metrics.k8s.io', 'custom.metrics.k8s.io', 'external.metrics.k8s.io', 'any.metrics.k8s.io'])(
    'takes nothing of %s',
    (group) => {
      expect(mayTakeOf(group, selectionOf(['*']), [])).toBe(false);
    },
  );

  it('never leaves out a group of which it would take a type', () => {
    const word = fc.constantFrom(
      'a',
      'b',
      'a.b',
      '*',
      '?',
      'a*',
      '*.b',
      'a.b.c',
      '*b',
      'a.*',
      'b.a.b',
      'b?',
      '?.a*',
    );
    const patterns = fc.array(word, { maxLength: 3 });
    const over = fc.record({
      includedResources: patterns,
      excludedResources: patterns,
      includedNamespaceScopedResources: patterns,
      excludedNamespaceScopedResources: patterns,
      includedClusterScopedResources: patterns,
      excludedClusterScopedResources: patterns,
    });
    const hidden = fc.tuple(
      fc.constantFrom('a', 'b', 'ab', 'ba'),
      fc.constantFrom('a', 'b', 'a.b', 'b.a'),
      fc.boolean(),
    );
    fc.assert(
      fc.property(over, hidden, (chosen, [plural, group, namespaced]) => {
        const type = typeOf(`${plural}.${group}`, { namespaced });
        const selection = selectionOf(['*'], chosen);
        if (extentOf(type, selection, new Set([groupResource(type)])) === 'all')
          expect(mayTakeOf(group, selection, [])).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });
});

describe('a type that a plan includes and the cluster does not have', () => {
  const naming = (patterns: string[], hidden: string[] = []) =>
    namingNothing(selectionOf(['*'], { includedResources: patterns }), KNOWN, hidden);

  it('is named, with the type that may be meant', () => {
    expect(naming(['configmaps', 'gate', 'Configmap', 'x.*'])).toEqual([
      'includedResources: the cluster has no type gate: write gates.good.example.com',
      'includedResources: the cluster has no type Configmap: write configmaps',
      'includedResources: the cluster has no type x.*',
    ]);
  });
  it('may be one of a group that could not be read', () => {
    expect(naming(['things.bad.example.com', 'things'], [GROUP])).toEqual([]);
  });
  it('is no matter for what is excluded', () => {
    expect(namingNothing(selectionOf(['*'], { excludedResources: ['x'] }), KNOWN, [])).toEqual([]);
  });
});
