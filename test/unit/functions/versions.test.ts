import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../../functions/core/kubernetes/resources.ts';
import {
  candidatesOf,
  type TargetType,
  TargetTypes,
} from '../../../functions/restore/apply-resources/versions.ts';
import { FakeCluster } from '../../support/fake-cluster.ts';
import { KINDS } from '../../support/restores.ts';

const at = { groupResource: 'xrds.min.example', version: 'v2', namespace: 'shop', name: 'legacy' };
const type = (over: Partial<TargetType>): TargetType => ({
  versions: ['v2', 'v1', 'v1beta1'],
  creatable: true,
  hasStatus: true,
  isUnconverted: true,
  ...over,
});
const writtenAs = (...apiVersions: unknown[]): KubeObject => ({
  metadata: { name: 'legacy', managedFields: apiVersions.map((apiVersion) => ({ apiVersion })) },
});

describe('the versions in which an object is sent', () => {
  it('are the archived one, then those in which it was written, then the others that hold the same fields', () => {
    expect(candidatesOf(at, writtenAs('min.example/v1beta1', 'other.example/v9'), type({}))).toEqual({
      versions: ['v2', 'v1beta1', 'v1'],
      strict: false,
    });
  });

  it('are the archived one alone if a webhook converts them', () => {
    const { versions } = candidatesOf(at, writtenAs('min.example/v1'), type({ isUnconverted: false }));
    expect(versions).toEqual(['v2']);
  });

  it('are all served ones if the archived one is not, and no field may be dropped in silence', () => {
    const { versions, strict } = candidatesOf({ ...at, version: 'v0' }, writtenAs(), type({}));
    expect([versions, strict]).toEqual([['v2', 'v1', 'v1beta1'], true]);
  });

  it('are the archived one if the type is not known', () => {
    expect(candidatesOf(at, writtenAs(null, 7), type({ versions: undefined })).versions).toEqual(['v2']);
  });
});

describe('a type of the target cluster', () => {
  const definition = (over: object = {}, established = 'True') => ({
    metadata: { name: 'widgets.example.com' },
    spec: {
      versions: [
        { name: 'v1', served: true, subresources: { status: {} } },
        { name: 'v1alpha1', served: false },
      ],
      ...over,
    },
    status: { conditions: [{ type: 'Established', status: established }] },
  });
  const widget = { groupResource: 'widgets.example.com', version: 'v1', namespace: 'shop', name: 'w' };
  const typeIn = async (cluster: FakeCluster) => new TargetTypes(cluster).of(widget);

  it('that is defined has the served versions of its definition', async () => {
    const cluster = new FakeCluster();
    cluster.add(KINDS.customResourceDefinitions, definition());
    expect(await typeIn(cluster)).toEqual({
      versions: ['v1'],
      creatable: true,
      hasStatus: true,
      isUnconverted: true,
    });
  });

  it('whose versions a webhook converts does not hold the same fields in all', async () => {
    const cluster = new FakeCluster();
    cluster.add(KINDS.customResourceDefinitions, definition({ conversion: { strategy: 'Webhook' } }));
    expect(await typeIn(cluster)).toMatchObject({ isUnconverted: false });
  });

  it('whose definition is not established is not known, and is looked up again', async () => {
    const cluster = new FakeCluster();
    cluster.add(KINDS.customResourceDefinitions, definition({}, 'False'));
    const types = new TargetTypes(cluster);
    expect(await types.of(widget)).toMatchObject({ versions: undefined });
    cluster.add(KINDS.customResourceDefinitions, definition());
    expect(await types.of(widget)).toMatchObject({ versions: undefined });
    types.forgetUnknown();
    expect(await types.of(widget)).toMatchObject({ versions: ['v1'] });
  });
});
