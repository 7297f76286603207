import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { copyOf } from '../../../../functions/core/bytes/lossless-json.ts';
import type { KubeObject } from '../../../../functions/core/kubernetes/resources.ts';
import { holdReason } from '../../../../functions/core/restore/dangerous.ts';
import { ANY, POWERS, type Power } from '../../../../functions/core/restore/dangerous-powers.ts';
import { HELD_TYPES } from '../../../../functions/core/restore/dangerous-types.ts';
import { BASELINE } from '../../../../functions/core/restore/pod-security.ts';
import { planOfObjects, type Stored } from '../../../support/plans.ts';
import { clusterRole, place, RBAC, role, rule } from '../../../support/privileged-builders.ts';
import { CASES } from '../../../support/privileged-cases.ts';

const namespacesOf = ([at]: Stored) => [
  at.namespace ?? (at.groupResource === 'namespaces' ? at.name : 'shop'),
];
const isThrough = (stored: Stored, others: readonly Stored[] = []): boolean =>
  planOfObjects([stored, ...others], { namespaces: namespacesOf(stored) }).some(
    (i) => i.name === stored[0].name && i.groupResource === stored[0].groupResource && i.action === 'create',
  );
const isHeld = (stored: Stored): boolean => holdReason(stored[0], stored[1] as KubeObject, {}) !== undefined;

/** Cases of which nothing may be let through, however the object is written. */
const HELD = CASES.filter((one) => one.through === undefined);

const isRecord = (value: unknown): value is Record<string, unknown> =>
  value !== null && typeof value === 'object' && !Array.isArray(value);
/** A copy of a value in which every object is changed. */
function mapped(value: unknown, change: (record: Record<string, unknown>) => object): unknown {
  if (Array.isArray(value)) return value.map((inner) => mapped(inner, change));
  if (!isRecord(value)) return value;
  return change(Object.fromEntries(Object.entries(value).map(([k, v]) => [k, mapped(v, change)])));
}
/** Places of lists in an object, as keys. */
const listsIn = (value: unknown, path: string[] = []): string[][] =>
  value === null || typeof value !== 'object'
    ? []
    : [
        ...(Array.isArray(value) ? [path] : []),
        ...Object.entries(value).flatMap(([key, inner]) => listsIn(inner, [...path, key])),
      ];

describe('an object that is held', () => {
  it.each(HELD.map((one) => [one.what, one] as const))('%s: is held however it is written', (_, one) => {
    const [at, object] = one.stored;
    const written = [
      mapped(object, (o) => Object.fromEntries(Object.entries(o).reverse())),
      mapped(object, (o) => ({ ...o, unknownField: { a: [1] } })),
      { ...(object as object), kind: undefined },
      { ...(object as object), kind: 'ConfigMap', apiVersion: 'v1' },
    ];
    // Labels, annotations and parameters are texts.
    const texts = written.map((o) => mapped(o, withoutInTexts));
    for (const variant of texts)
      expect(isThrough([at, JSON.parse(JSON.stringify(variant))], one.with)).toBe(false);
  });

  it.each(
    HELD.filter(
      ({ stored: [at] }) =>
        !(at.groupResource.endsWith('.argoproj.io') && !at.groupResource.startsWith('rollouts.')) &&
        !at.groupResource.endsWith('.kubeflow.org'),
    ).map((one) => [one.what, one] as const),
  )('%s: is held if another JSON value is in the place of one of its lists', (_, one) => {
    const [at, object] = one.stored;
    for (const path of listsIn(object))
      for (const odd of [{}, 'text', 1, true, [null], [1], [[]], 'own'] as unknown[]) {
        const variant = copyOf(object) as Record<string, unknown>;
        const parent = path
          .slice(0, -1)
          .reduce<unknown>((o, key) => (o as Record<string, unknown>)[key], variant) as Record<
          string,
          unknown
        >;
        const key = path.at(-1) as string;
        parent[key] = odd === 'own' ? { ...(parent[key] as unknown[]) } : odd;
        expect(isThrough([at, variant], one.with), `${path.join('.')} = ${JSON.stringify(odd)}`).toBe(false);
      }
  });
});

/** Takes an object that is no text out of the objects of texts. */
function withoutInTexts(record: Record<string, unknown>): object {
  const isTexts =
    Object.keys(record).length > 1 &&
    Object.entries(record).every(([k, v]) => k === 'unknownField' || typeof v === 'string');
  if (!isTexts) return record;
  const { unknownField: _, ...rest } = record;
  return rest;
}

describe('any JSON', () => {
  const types = [...new Set([...CASES.map(({ stored: [at] }) => at.groupResource), 'things.example.com'])];
  it('is decided about, and a reason is a text', () => {
    const body = fc.oneof(
      fc.jsonValue(),
      fc.record({
        spec: fc.jsonValue(),
        metadata: fc.record({ labels: fc.jsonValue(), annotations: fc.jsonValue() }),
      }),
      fc.record({
        rules: fc.array(fc.jsonValue()),
        subjects: fc.jsonValue(),
        roleRef: fc.jsonValue(),
        aggregationRule: fc.jsonValue(),
      }),
    );
    fc.assert(
      fc.property(
        fc.constantFrom(...types),
        fc.constantFrom('shop', 'kube-system', undefined),
        body,
        (type, namespace, value) => {
          const at = place(type, 'x', namespace);
          const object = { metadata: { name: 'x' }, ...(isRecord(value) ? value : {}) } as KubeObject;
          const reason = holdReason(at, object, {});
          expect(
            reason === undefined ||
              reason.endsWith(`"allow": ["${[type, ...(namespace ? [namespace] : []), 'x'].join('/')}"]`),
          ).toBe(true);
          expect(holdReason(at, object, { allow: ['*'] })).toBeUndefined();
          expect(() => planOfObjects([[at, value]], { namespaces: ['shop', 'kube-system'] })).not.toThrow();
        },
      ),
      { numRuns: 500 },
    );
  });

  it('may be nested as deep as it likes', () => {
    let deep: unknown = { containers: [{ name: 'c', securityContext: { privileged: true } }] };
    for (let i = 0; i < 100_000; i++) deep = { a: deep };
    expect(
      holdReason(place('things.example.com', 'x', 'shop'), { metadata: { name: 'x' }, spec: { deep } }, {}),
    ).toContain('privileged');
  });
});

const verbs = [
  'get',
  'list',
  'watch',
  'create',
  'update',
  'patch',
  'delete',
  'escalate',
  'bind',
  'impersonate',
  'approve',
  'sign',
  'use',
  '*',
];
const groups = [
  '',
  'apps',
  'batch',
  RBAC,
  'certificates.k8s.io',
  'example.com',
  'argoproj.io',
  'policy',
  '*',
];
const resources = [
  ...[
    'secrets',
    'pods',
    'pods/exec',
    'nodes/proxy',
    'configmaps',
    'deployments',
    'clusterroles',
    'signers',
    'things',
    'leases',
  ],
  ...[
    'applications',
    'serviceaccounts/token',
    '*',
    '*/exec',
    'podsecuritypolicies',
    'persistentvolumes',
    'namespaces',
  ],
];
const some = (from: readonly string[]) => fc.subarray([...from], { minLength: 1, maxLength: 3 });
const aRule = fc.record({ apiGroups: some(groups), resources: some(resources), verbs: some(verbs) });
const rules = fc.array(aRule, { minLength: 1, maxLength: 3 });

describe('a role', () => {
  it('that grants at least what a held one does is held', () => {
    const wider = fc.record({
      apiGroups: fc.subarray(groups),
      resources: fc.subarray(resources),
      verbs: fc.subarray(verbs),
      more: rules,
    });
    fc.assert(
      fc.property(rules, wider, fc.constantFrom('shop', 'kube-system', undefined), (own, more, namespace) => {
        const of = (all: object[]) => (namespace === undefined ? clusterRole(all) : role(all, namespace));
        fc.pre(isHeld(of(own)));
        const added = own.map((r) => ({
          apiGroups: [...r.apiGroups, ...more.apiGroups],
          resources: [...r.resources, ...more.resources],
          verbs: [...r.verbs, ...more.verbs],
        }));
        expect(isHeld(of([...more.more, ...added]))).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  const single = (power: Power) =>
    power.verbs.flatMap((verb) =>
      power.groups.flatMap((group) =>
        power.resources.map((r) => rule([group], [r === ANY ? 'anything' : r], [verb])),
      ),
    );
  it.each(POWERS.map((power) => [power.can, power] as const))('that lets somebody %s', (_, power) => {
    for (const one of single(power)) {
      expect(isHeld(clusterRole([one])), JSON.stringify(one)).toBe(true);
      expect(isHeld(role([one], 'kube-system')), JSON.stringify(one)).toBe(true);
      expect(isHeld(role([one], 'shop')), JSON.stringify(one)).toBe(power.anywhere === true);
    }
  });
  it.each(POWERS.map((power) => [power.can, power] as const))(
    'that lets nobody %s, as no verb is given',
    (_, power) => {
      for (const one of single(power))
        expect(isHeld(clusterRole([{ ...one, verbs: ['nothing'] }]))).toBe(false);
    },
  );
  it('that may write a type of which each object is held, is held', () => {
    for (const { group, resources: of = ['anything'] } of HELD_TYPES)
      for (const resource of of) {
        expect(isHeld(clusterRole([rule([group], [resource], ['create'])]))).toBe(true);
        expect(isHeld([place(`${resource}.${group}`), { metadata: { name: 'x' } }])).toBe(true);
      }
  });
});

describe('the table of Pod Security', () => {
  it('has a case of each check', () => {
    const reasons = CASES.flatMap(
      ({ stored: [at, object] }) => holdReason(at, object as KubeObject, {}) ?? [],
    );
    const signs: Record<string, RegExp> = {
      hostNamespaces: /host namespaces/,
      privileged: /is privileged/,
      capabilities_baseline: /capability/,
      hostPathVolumes: /mount a hostPath/,
      hostPorts: /takes port/,
      appArmorProfile: /appArmorProfile/,
      seLinuxOptions: /SELinux/,
      procMount_baseline: /procMount/,
      seccompProfile_baseline: /seccompProfile/,
      sysctls: /sysctl/,
      windowsHostProcess: /hostProcess/,
      hostProbesAndHostLifecycle: /has its node call/,
      ulimits: /ulimits/,
    };
    for (const { id } of BASELINE)
      expect(
        reasons.some((r) => signs[id]?.test(r)),
        id,
      ).toBe(true);
  });
});
