import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../../../functions/core/kubernetes/resources.ts';
import { fieldManagersOf } from '../../../../functions/core/restore/field-managers.ts';

const entry = (manager: unknown, operation = 'Update', subresource?: string) => ({
  manager,
  operation,
  apiVersion: 'v1',
  fieldsType: 'FieldsV1',
  fieldsV1: { 'f:data': {} },
  ...(subresource && { subresource }),
});
const managersOf = (...managedFields: unknown[]) =>
  fieldManagersOf({ metadata: { name: 'x', managedFields } } as KubeObject);

describe('the field managers of a restored object', () => {
  it('are its one manager, in whose name it is created', () => {
    expect(managersOf(entry('helm'), entry('kubelet', 'Update', 'status'))).toEqual({ createAs: 'helm' });
  });

  it.each([
    ['one that applies', [entry('gitops', 'Apply')]],
    ['several that update', [entry('helm'), entry('kubectl-edit')]],
  ])('are written as they were for %s', (_, entries) => {
    expect(managersOf(...entries)).toEqual({ restored: entries });
  });

  it('do not name who wrote the status, which is not restored', () => {
    const all = [entry('gitops', 'Apply'), entry('operator', 'Update', 'status')];
    expect(managersOf(...all)).toEqual({ restored: [all[0]] });
  });

  it.each([
    ['none', []],
    ['entries of no known form', [null, 'text', { manager: 7 }]],
    ['a name that the API server does not take', [entry('x'.repeat(129)), entry('a\nb')]],
  ])('are Holdfast for an archive with %s', (_, entries) => {
    expect(managersOf(...entries)).toEqual({});
  });

  it('are Holdfast when managedFields is no list', () => {
    const object = { metadata: { name: 'x', managedFields: 'text' } };
    expect(fieldManagersOf(object)).toEqual({});
  });
});
