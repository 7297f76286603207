import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../../../functions/core/kubernetes/resources.ts';
import { cleanForRestore } from '../../../../functions/core/restore/clean.ts';

const cleanedSpec = (spec: object, apiVersion = 'apiextensions.k8s.io/v1') =>
  cleanForRestore(
    { groupResource: 'customresourcedefinitions.apiextensions.k8s.io' },
    {
      apiVersion,
      kind: 'CustomResourceDefinition',
      metadata: { name: 'x' },
      spec: structuredClone(spec),
    } as KubeObject,
    { backup: 'b', restore: 'r' },
  ).spec;
const open = { 'x-kubernetes-preserve-unknown-fields': true };
const version = (openAPIV3Schema: object) => ({ name: 'v1', schema: { openAPIV3Schema } });

describe('a definition that keeps unknown fields as a whole', () => {
  it('says so in its schemas, at every object in them', () => {
    const root = {
      type: 'object',
      properties: {
        metadata: { type: 'object' },
        spec: {
          type: 'object',
          properties: {
            metadata: { type: 'object' },
            size: { type: 'integer' },
            list: { type: 'array', items: { type: 'object' } },
            map: { type: 'object', additionalProperties: { type: 'object' } },
            pod: {
              type: 'object',
              'x-kubernetes-embedded-resource': true,
              properties: { metadata: { type: 'object' } },
            },
          },
        },
      },
    };
    expect(cleanedSpec({ preserveUnknownFields: true, versions: [version(root)] })).toEqual({
      versions: [
        version({
          type: 'object',
          ...open,
          properties: {
            metadata: { type: 'object' },
            spec: {
              type: 'object',
              ...open,
              properties: {
                metadata: { type: 'object', ...open },
                size: { type: 'integer' },
                list: { type: 'array', items: { type: 'object', ...open } },
                map: { type: 'object', additionalProperties: { type: 'object', ...open } },
                pod: {
                  type: 'object',
                  ...open,
                  'x-kubernetes-embedded-resource': true,
                  properties: { metadata: { type: 'object' } },
                },
              },
            },
          },
        }),
      ],
    });
  });

  it('gets a schema for a version that has none: v1 demands one', () => {
    const versions = [{ name: 'v1' }, { name: 'v2', schema: {} }, version({ description: 'x' })];
    expect(cleanedSpec({ preserveUnknownFields: true, versions })).toEqual({
      versions: [
        version({ type: 'object', ...open }),
        { ...version({ type: 'object', ...open }), name: 'v2' },
        version({ description: 'x', type: 'object', ...open }),
      ],
    });
  });

  it('stays as it is in v1beta1, and where fields have an odd type', () => {
    const old = { preserveUnknownFields: true, versions: [version({ type: 'object' })] };
    expect(cleanedSpec(old, 'apiextensions.k8s.io/v1beta1')).toEqual(old);
    expect(cleanedSpec({ preserveUnknownFields: true, versions: { a: 1 } })).toEqual({ versions: { a: 1 } });
    const odd = [{ schema: 'x' }, { schema: { openAPIV3Schema: 'x' } }, null];
    expect(cleanedSpec({ preserveUnknownFields: true, versions: odd })).toEqual({ versions: odd });
  });
});

describe('any other definition', () => {
  it('keeps its schemas', () => {
    const spec = { versions: [version({ type: 'object', properties: { spec: { type: 'object' } } })] };
    expect(cleanedSpec(spec)).toEqual(spec);
  });
});
