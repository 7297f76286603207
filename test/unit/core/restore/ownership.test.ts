import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../../../functions/core/kubernetes/resources.ts';
import {
  coWriters,
  isBusinessOfController,
  writersOf,
} from '../../../../functions/core/restore/ownership.ts';

const entry = (manager: string, fieldsV1: unknown, over: object = {}) => ({
  manager,
  operation: 'Update',
  apiVersion: 'v1',
  time: '2026-01-01T00:00:00Z',
  fieldsType: 'FieldsV1',
  fieldsV1,
  ...over,
});
const object = (managedFields: unknown, body: object = {}): KubeObject => ({
  metadata: { name: 'x', managedFields },
  ...body,
});
const managers = (o: KubeObject, path: string) => writersOf(o, path).map((w) => w.manager);

describe('the writers of a field', () => {
  const service = object(
    [
      entry('helm', {
        'f:metadata': { 'f:annotations': { '.': {}, 'f:example.com/a.b': {} } },
        'f:spec': {
          'f:type': {},
          'f:ports': {
            '.': {},
            'k:{"port":80,"protocol":"TCP"}': { '.': {}, 'f:nodePort': {}, 'f:port': {} },
          },
          'f:externalIPs': { 'v:"192.0.2.1"': {} },
          'f:selector': {},
        },
      }),
      entry('kube-controller-manager', { 'f:metadata': { 'f:annotations': { 'f:other': {} } } }),
    ],
    {
      spec: { ports: [{ port: 80, protocol: 'TCP' }, { port: 81 }], externalIPs: ['192.0.2.1', '192.0.2.2'] },
    },
  );

  it.each([
    ['a field', 'spec.type', ['helm']],
    ['a key with dots and a slash', 'metadata.annotations.example.com/a.b', ['helm']],
    ['a field of an element by its key', 'spec.ports[0].nodePort', ['helm']],
    ['an element by its value', 'spec.externalIPs[0]', ['helm']],
    ['a field within one that is written as a whole', 'spec.selector.app', ['helm']],
    ['an object with fields of several', 'metadata.annotations', ['helm', 'kube-controller-manager']],
    ['an element that nobody wrote', 'spec.ports[1].nodePort', []],
    ['a value that nobody wrote', 'spec.externalIPs[1]', []],
    ['a field that nobody wrote', 'spec.clusterIP', []],
    ['a field whose name only begins like another', 'spec.typeOf', []],
  ])('are found for %s', (_, path, found) => {
    expect(managers(service, path)).toEqual(found);
  });

  it.each([
    ['no list', 'text'],
    ['entries that are nothing', [null, 1, 'a', []]],
    ['fields that are no object', [entry('a', 'text'), entry('a', null), entry('a', [])]],
    ['keys that are no JSON', [entry('a', { 'f:spec': { 'f:ports': { 'k:{': {}, 'v:': {} } } })]],
  ])('are none where managedFields has %s', (_, managedFields) => {
    expect(managers(object(managedFields, { spec: { ports: [{}] } }), 'spec.ports[0].port')).toEqual([]);
  });
});

describe('who adds to the objects of others', () => {
  const author = entry('argocd', { 'f:spec': { 'f:a': {}, 'f:b': {}, 'f:c': {} } });

  it('is neither the author, nor who applies, nor a person', () => {
    const all = [
      author,
      entry('cainjector', { 'f:spec': { 'f:caBundle': {} } }),
      entry('flux', { 'f:spec': { 'f:d': {} } }, { operation: 'Apply' }),
      entry('kubectl-edit', { 'f:spec': { 'f:e': {} } }),
      entry('operator', { 'f:status': {} }, { subresource: 'status' }),
    ];
    expect([...coWriters(object(all))]).toEqual(['cainjector']);
  });

  it('may change a certificate that it had written before, and no other field', () => {
    const all = [
      author,
      entry('cainjector', { 'f:webhooks': {}, 'f:metadata': { 'f:labels': { 'f:x': {} } } }),
    ];
    const body = { webhooks: [{ clientConfig: { caBundle: 'a' } }] };
    const is = (path: string, before = all) =>
      isBusinessOfController(object(before), object(all, body), path);
    expect(is('webhooks[0].clientConfig.caBundle')).toBe(true);
    expect(is('webhooks[0].failurePolicy')).toBe(false);
    expect(is('webhooks[0].clientConfig.caBundle', [author])).toBe(false);
  });
});

describe('a difference under the name of a controller of the cluster', () => {
  const by = (fields: object) => [entry('kube-controller-manager', fields)];

  it.each([
    ['a revision', 'metadata.annotations.deployment.kubernetes.io/revision', true],
    ['replicas', 'spec.replicas', true],
    ['a rule of a network policy', 'spec.egress', false],
    ['the template of pods', 'spec.template.spec.nodeSelector.a', false],
    ['data', 'data.a', false],
    ['rules of a role', 'rules', false],
  ])('%s: is its business: see the row', (_, path, is) => {
    const fields = {
      'f:metadata': { 'f:annotations': { 'f:deployment.kubernetes.io/revision': {} } },
      'f:spec': { 'f:replicas': {}, 'f:egress': {}, 'f:template': {} },
      'f:data': {},
      'f:rules': {},
    };
    const live = object(by(fields));
    expect(isBusinessOfController(object([]), live, path)).toBe(is);
  });

  it('is its business in the rules of an aggregated role', () => {
    const live = object(by({ 'f:rules': {} }), { aggregationRule: {}, rules: [] });
    expect(isBusinessOfController(object([]), live, 'rules')).toBe(true);
  });

  it('is not, when nobody owns the field', () => {
    expect(isBusinessOfController(object([]), object([]), 'spec.replicas')).toBe(false);
  });
});
