import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { RestoreOptions } from '../../../functions/contract/restore-options.ts';
import { groupResource } from '../../../functions/core/kubernetes/resources.ts';
import { scopeOf } from '../../../functions/core/restore/restore-options.ts';
import { planArchive } from '../../../functions/restore/plan-restore/plan.ts';
import { planOfObjects, type Stored } from '../../support/plans.ts';
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
  it('is that of its objects, with their sizes', async () => {
    const { items } = await plan([thing(KINDS.namespaces, 'shop'), ...THINGS]);
    const stored = [thing(KINDS.namespaces, 'shop'), ...THINGS].map(([type, object]): Stored => {
      const { name, namespace } = object.metadata;
      return [{ groupResource: groupResource(type), version: type.version, namespace, name }, object];
    });
    const sizes = new Map(
      stored.map(([at, o]) => [`${at.groupResource} ${at.name}`, JSON.stringify(o).length]),
    );
    expect(items.map(({ bytes: _, ...item }) => item)).toEqual(
      planOfObjects(stored).map(({ bytes: _, ...item }) => item),
    );
    for (const { groupResource: type, name, bytes } of items)
      expect(bytes).toBe(sizes.get(`${type} ${name}`));
    expect(items.map((i) => i.action).sort()).toEqual(
      [...Array(2).fill('hold'), ...Array(6).fill('create'), ...Array(6).fill('skip')].sort(),
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

  it('lets a held object through that is allowed by name', async () => {
    const privileged = THINGS.filter(([, { metadata }]) => metadata.name === 'privileged');
    expect((await plan(privileged)).items[0]?.action).toBe('hold');
    expect((await plan(privileged, { allow: ['pods/shop/privileged'] })).items[0]?.action).toBe('create');
  });
});
