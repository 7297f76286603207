import { describe, expect, it } from 'vitest';
import type { ResourceModifier, RestoreOptions } from '../../../../functions/contract/restore-options.ts';
import { parseLossless } from '../../../../functions/core/bytes/lossless-json.ts';
import type { KubeObject } from '../../../../functions/core/kubernetes/resources.ts';
import { transform } from '../../../../functions/core/restore/transform.ts';
import { at, objectOf } from '../../../support/archived.ts';

type Patch = NonNullable<ResourceModifier['patches']>[number];

const ORIGIN = { backup: 'b', restore: 'r' };
const rule = (over: object, groupResource = 'deployments.apps'): ResourceModifier =>
  ({ conditions: { groupResource }, ...over }) as ResourceModifier;
const modified = (where: string, object: KubeObject, rules: ResourceModifier[], more: RestoreOptions = {}) =>
  transform(at(where, object.metadata.name), object, { resourceModifiers: rules, ...more }, ORIGIN);

describe('a resource modifier', () => {
  const deploy = (rules: ResourceModifier[], labels = {}) =>
    modified(
      'deployments.apps',
      objectOf('Deployment', { spec: { replicas: 3 } }, { name: 'web', labels }),
      rules,
    ).spec;

  it('patches by JSON patch and then by merge patch', () => {
    const patches = [{ op: 'replace' as const, path: '/spec/replicas', value: 1 }];
    expect(deploy([rule({ patches, mergePatches: [{ spec: { paused: true } }] })])).toEqual({
      replicas: 1,
      paused: true,
    });
  });

  it.each([
    [{ groupResource: 'statefulsets.apps' }],
    [{ groupResource: 'deployments.apps', resourceNameRegex: '^db' }],
    [{ groupResource: 'deployments.apps', namespaces: ['other-*'] }],
    [{ groupResource: 'deployments.apps', labelSelector: 'app=web' }],
  ])('leaves alone what %j does not name', (conditions) => {
    expect(deploy([rule({ conditions, mergePatches: [{ spec: null }] })])).toEqual({ replicas: 3 });
  });

  it('is not for an object whose test does not hold', () => {
    const patches = [
      { op: 'test' as const, path: '/spec/replicas', value: 9 },
      { op: 'remove' as const, path: '/spec/replicas' },
    ];
    expect(deploy([rule({ patches })])).toEqual({ replicas: 3 });
  });

  it.each([
    [
      { patches: [{ op: 'remove', path: '/spec/nothing' }] },
      'remove /spec/nothing: nothing is at /spec/nothing',
    ],
    [{ patches: [{ op: 'replace', path: '/spec/replicas' }] }, 'it needs a value'],
    [{ patches: [{ op: 'test', path: '/spec/replicas' }] }, 'it needs a value'],
    [{ mergePatches: [{ metadata: null }] }, 'it leaves the object without a name'],
    [{ patches: [{ op: 'add', path: '', value: [] }] }, 'it leaves the object without a name'],
  ])('that does not fit names itself: %j', (over, reason) => {
    const rules = [rule({ mergePatches: [] }), rule(over)];
    expect(() => deploy(rules)).toThrow(`resourceModifiers[1] cannot be applied: `);
    expect(() => deploy(rules)).toThrow(reason);
  });
});

describe('several resource modifiers', () => {
  const change = (from: string, to: string): ResourceModifier =>
    rule(
      {
        patches: [
          { op: 'test', path: '/spec/storageClassName', value: from },
          { op: 'replace', path: '/spec/storageClassName', value: to },
        ],
      },
      'persistentvolumeclaims',
    );

  it.each([
    ['a', 'b'],
    ['b', 'c'],
    ['c', 'a'],
    ['d', 'd'],
  ])('do not build on one another: of class %s comes %s', (from, to) => {
    const claim = objectOf('PersistentVolumeClaim', { spec: { storageClassName: from } });
    const rules = [change('a', 'b'), change('b', 'c'), change('c', 'a')];
    expect(modified('persistentvolumeclaims', claim, rules).spec).toEqual({ storageClassName: to });
  });

  it('select by the labels in the archive, not by those that another one sets', () => {
    const first = rule({ mergePatches: [{ metadata: { labels: { tier: 'batch' } } }] });
    const second = rule({
      conditions: { groupResource: 'deployments.apps', labelSelector: 'tier=batch' },
      mergePatches: [{ spec: { paused: true } }],
    });
    expect(modified('deployments.apps', objectOf('Deployment', { spec: {} }), [first, second]).spec).toEqual(
      {},
    );
  });
});

describe('a resource modifier sees the object as it is in the archive', () => {
  const patch = (...patches: Patch[]) => [rule({ patches }, 'things.x.test')];
  const thing = (): KubeObject => ({
    ...objectOf(
      'Thing',
      { spec: {}, status: { handle: 'snap-1', list: [1] } },
      { namespace: 'shop', uid: 'u-1' },
    ),
  });

  it('with its status, which is not sent', () => {
    const object = thing();
    const { status } = object;
    const sent = modified('things.x.test', object, [
      ...patch({ op: 'copy', from: '/status/handle', path: '/spec/handle' }),
      ...patch({ op: 'replace', path: '/status/handle', value: 'other' }),
      ...patch(
        { op: 'test', path: '/status/handle', value: 'snap-1' },
        { op: 'add', path: '/spec/yes', value: 1 },
      ),
    ]);
    expect([sent.spec, sent.status]).toEqual([{ handle: 'snap-1', yes: 1 }, undefined]);
    expect(status).toEqual({ handle: 'snap-1', list: [1] });
  });

  it('in its original namespace, under a mapping too', () => {
    const secret = objectOf(
      'Secret',
      {},
      { namespace: 'shop', labels: { 'argocd.argoproj.io/instance': 'x' } },
    );
    const conditions = { groupResource: 'secrets', namespaces: ['shop'] };
    const patches = [{ op: 'remove', path: '/metadata/labels/argocd.argoproj.io~1instance' }];
    const sent = modified('secrets', secret, [rule({ conditions, patches })], {
      namespaceMapping: { shop: 'copy' },
    });
    expect(sent.metadata.namespace).toBe('copy');
    expect(sent.metadata.labels).not.toHaveProperty('argocd.argoproj.io/instance');
  });

  it('with fields that are not sent: they can be removed, replaced and copied', () => {
    const pod = objectOf('Pod', { spec: { nodeName: 'n1', priority: 5 } }, { uid: 'u-1', annotations: {} });
    const patches: Patch[] = [
      { op: 'remove', path: '/spec/priority' },
      { op: 'copy', from: '/metadata/uid', path: '/metadata/annotations/was' },
      { op: 'replace', path: '/spec/nodeName', value: 'n2' },
    ];
    const sent = modified('pods', pod, [rule({ patches }, 'pods')]);
    expect([sent.spec, sent.metadata.annotations]).toEqual([{ nodeName: 'n2' }, { was: 'u-1' }]);
  });

  it('but for positions in a list of which elements are not sent', () => {
    const volumes = [{ name: 'kube-api-access-x' }, { name: 'data' }];
    const pod = objectOf('Pod', { spec: { volumes } });
    const rules = [rule({ patches: [{ op: 'remove', path: '/spec/volumes/1' }] }, 'pods')];
    expect(() => modified('pods', pod, rules)).toThrow('nothing is at /spec/volumes/1');
  });
});

describe('a resource modifier on an object with long numbers', () => {
  const BIG = '9007199254740993';
  const spec = (patches: Patch[], mergePatches: object[] = []) => {
    const text = `{"metadata":{"name":"o"},"spec":{"n":${BIG},"a":{"n":${BIG}}},"status":{"n":${BIG}}}`;
    const rules = [rule({ patches, mergePatches }, 'things.x.test')];
    return JSON.stringify(modified('things.x.test', parseLossless(text) as KubeObject, rules).spec);
  };
  const kept = `{"n":${BIG},"a":{"n":${BIG}}`;

  it.each<[string, Patch[], object[], string]>([
    ['an addition', [{ op: 'add', path: '/spec/x', value: 1 }], [], `${kept},"x":1}`],
    [
      'a copy of what is around one',
      [{ op: 'copy', from: '/spec/a', path: '/spec/b' }],
      [],
      `${kept},"b":{"n":${BIG}}}`,
    ],
    ['a copy of one', [{ op: 'copy', from: '/spec/n', path: '/spec/m' }], [], `${kept},"m":${BIG}}`],
    [
      'a copy from the status',
      [{ op: 'copy', from: '/status/n', path: '/spec/m' }],
      [],
      `${kept},"m":${BIG}}`,
    ],
    ['a move', [{ op: 'move', from: '/spec/a', path: '/spec/b' }], [], `{"n":${BIG},"b":{"n":${BIG}}}`],
    ['a replacement', [{ op: 'replace', path: '/spec/n', value: 2 }], [], `{"n":2,"a":{"n":${BIG}}}`],
    [
      'a test',
      [
        { op: 'test', path: '/spec/a/n', value: Number(BIG) },
        { op: 'add', path: '/spec/x', value: 1 },
      ],
      [],
      `${kept},"x":1}`,
    ],
    ['a merge patch beside one', [], [{ spec: { a: { y: 1 } } }], `{"n":${BIG},"a":{"n":${BIG},"y":1}}`],
    ['a merge patch of one', [], [{ spec: { n: { y: 1 } } }], `{"n":{"y":1},"a":{"n":${BIG}}}`],
  ])('keeps their digits: %s', (_, patches, mergePatches, sent) => {
    expect(spec(patches, mergePatches)).toBe(sent);
  });
});
