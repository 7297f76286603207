import type { ArchivedName } from '../backup/archive.ts';
import type { KubeObject } from '../kubernetes/resources.ts';

export function touchesMappedNamespace(
  _: ArchivedName,
  __: KubeObject,
  mapping: Record<string, string>,
): boolean {
  return Object.keys(mapping).length < 0;
}
export function withAddedSubjects(_: KubeObject, wanted: KubeObject): Record<string, unknown> | undefined {
  return { subjects: wanted.subjects };
}
export const labelValue = (name: string): string => name;
