import type { ArchivedName } from '../backup/archive.ts';
import { fieldsOf, recordsIn, textOf, textsIn } from '../bytes/json-value.ts';
import { storageClassesOf } from './references.ts';

/** What a recovery point holds, as far as the options of a restore may name it. */
export interface Contents {
  /** Its types, by `plural[.group]`, with the kind of their objects. */
  readonly kinds: ReadonlyMap<string, string>;
  /** Types whose definitions it holds, with or without objects. */
  readonly defined: ReadonlySet<string>;
  /** Types by the other names that their definitions give them: singular and short names. */
  readonly otherNames: ReadonlyMap<string, string>;
  /** Storage classes that its claims and volumes name. */
  readonly usedClasses: ReadonlySet<string>;
  /** Storage classes that it holds. */
  readonly storageClasses: ReadonlySet<string>;
}

/** Collects the contents of a recovery point: `read` sees each of its objects once. A field may have any type. */
export function contentsReader(): {
  readonly contents: Contents;
  readonly read: (at: ArchivedName, object: unknown) => void;
} {
  const kinds = new Map<string, string>();
  const defined = new Set<string>();
  const otherNames = new Map<string, string>();
  const usedClasses = new Set<string>();
  const storageClasses = new Set<string>();
  function read({ groupResource, name }: ArchivedName, object: unknown): void {
    const { kind, metadata, spec } = fieldsOf(object);
    if (!kinds.get(groupResource)) kinds.set(groupResource, textOf(kind) ?? '');
    if (groupResource === 'storageclasses.storage.k8s.io') storageClasses.add(name);
    if (groupResource === 'persistentvolumeclaims' || groupResource === 'persistentvolumes')
      for (const used of storageClassesOf({ metadata, spec })) usedClasses.add(used);
    if (groupResource === 'statefulsets.apps')
      for (const template of recordsIn(fieldsOf(spec).volumeClaimTemplates))
        for (const used of storageClassesOf(template)) usedClasses.add(used);
    if (groupResource === 'customresourcedefinitions.apiextensions.k8s.io') {
      defined.add(name);
      const { singular, shortNames } = fieldsOf(fieldsOf(spec).names);
      for (const other of textsIn([singular, ...textsIn(shortNames)])) otherNames.set(other, name);
    }
  }
  return { contents: { kinds, defined, otherNames, usedClasses, storageClasses }, read };
}
