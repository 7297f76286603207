import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { RestoreOptions } from '../../../functions/contract/restore-options.ts';
import type { KubeObject } from '../../../functions/core/kubernetes/resources.ts';
import { holdReason } from '../../../functions/core/restore/dangerous.ts';
import { scopeOf } from '../../../functions/core/restore/restore-options.ts';
import { draftItem, planItem } from '../../../functions/core/restore/restore-plan.ts';
import { planArchive } from '../../../functions/restore/plan-restore/plan.ts';
import { archiveOf, KINDS, kind, type Thing, thing } from '../../support/restores.ts';

const scope = scopeOf({}, ['shop']);
const plan = async (things: readonly Thing[], options: RestoreOptions = {}) => {
  const { body } = await archiveOf(...things);
  return planArchive(Readable.from([body]), undefined, scope, options);
};
const ended = { status: { conditions: [{ type: 'Complete', status: 'True' }] } };
const owned = (kindOfOwner: string, uid: string) => ({
  ownerReferences: [{ apiVersion: 'apps/v1', kind: kindOfOwner, name: 'web', uid, controller: true }],
});

/** Objects that the rules of a plan decide by every part of an object that any of them reads. */
const THINGS: readonly Thing[] = [
  thing(KINDS.deployments, 'web', {}, { uid: 'u1' }),
  thing(KINDS.replicaSets, 'of-web', {}, { uid: 'u2', ...owned('Deployment', 'u1') }),
  thing(KINDS.pods, 'of-nobody', {}, owned('ReplicaSet', 'gone')),
  thing(KINDS.pods, 'ended', { status: { phase: 'Succeeded' } }),
  thing(KINDS.pods, 'mirror', {}, { annotations: { 'kubernetes.io/config.mirror': 'h' } }),
  thing(KINDS.pods, 'privileged', {
    spec: { containers: [{ name: 'c', securityContext: { privileged: true } }] },
  }),
  thing(KINDS.jobs, 'ended', ended),
  thing(KINDS.secrets, 'token', { type: 'kubernetes.io/service-account-token' }),
  thing(KINDS.secrets, 'own', { type: 'Opaque' }),
  thing(kind('', 'endpoints', 'Endpoints'), 'of-pods', {
    subsets: [{ addresses: [{ ip: '10.0.0.1', targetRef: { kind: 'Pod' } }] }],
  }),
  thing(kind('', 'endpoints', 'Endpoints'), 'own', { subsets: [{ addresses: [{ ip: '10.0.0.1' }] }] }),
  thing(kind('apiregistration.k8s.io', 'apiservices', 'APIService', false), 'v1.apps', { spec: {} }),
  thing(kind('apiregistration.k8s.io', 'apiservices', 'APIService', false), 'v1.metrics', {
    spec: { service: { name: 'metrics' } },
  }),
];

describe('the plan of an archive', () => {
  it('decides each object as its rules do of the whole of it', async () => {
    const { items } = await plan(THINGS);
    const uids = new Set(THINGS.flatMap(([, { metadata }]) => metadata.uid ?? []));
    for (const item of items) {
      const { stage: _, order: __, action, reason, ...at } = item;
      const whole = THINGS.find(
        ([type, { metadata }]) =>
          metadata.name === at.name &&
          at.groupResource === [type.resource, type.group].filter(Boolean).join('.'),
      )?.[1] as KubeObject;
      const draft = draftItem(at, whole, 0, holdReason(at, whole, {}));
      const { action: byRules, reason: said } = planItem(draft, (uid) => uids.has(uid));
      expect([at.name, action, reason]).toEqual([at.name, byRules, said]);
    }
    expect(items).toHaveLength(THINGS.length);
    expect(items.map((i) => i.action).sort()).toEqual(
      [...Array(2).fill('hold'), ...Array(4).fill('create'), ...Array(7).fill('skip')].sort(),
    );
  });

  it('skips what a controller of the same archive makes, wherever in it the controller is', async () => {
    const made = thing(KINDS.replicaSets, 'of-web', {}, owned('Deployment', 'u1'));
    const maker = thing(KINDS.deployments, 'web', {}, { uid: 'u1' });
    for (const things of [
      [made, maker],
      [maker, made],
    ])
      expect((await plan(things)).items.find((i) => i.name === 'of-web')).toMatchObject({
        action: 'skip',
        reason: 'created by Deployment/web',
      });
  });

  it('counts a controller that is out of scope, because its archive has it', async () => {
    const elsewhere = thing(KINDS.deployments, 'web', {}, { namespace: 'bank', uid: 'u1' });
    const made = thing(KINDS.replicaSets, 'of-web', {}, owned('Deployment', 'u1'));
    const { items } = await plan([elsewhere, made]);
    expect(items.map((i) => [i.name, i.action])).toEqual([['of-web', 'skip']]);
  });

  it('lets a held object through that is allowed by name', async () => {
    const privileged = THINGS.filter(([, { metadata }]) => metadata.name === 'privileged');
    expect((await plan(privileged)).items[0]?.action).toBe('hold');
    expect((await plan(privileged, { allow: ['pods/shop/privileged'] })).items[0]?.action).toBe('create');
  });
});
