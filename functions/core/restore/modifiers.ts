import { matchesSelector, parseSelector } from '../../contract/label-selector.ts';
import type { ResourceModifier } from '../../contract/restore-options.ts';
import type { ArchivedName } from '../backup/archive.ts';
import { type PatchOperation, patched, valueAtPointer } from '../bytes/json-patch.ts';
import { recordOf } from '../bytes/json-value.ts';
import { copyOf } from '../bytes/lossless-json.ts';
import { mergePatch } from '../bytes/merge-patch.ts';
import { matchesGlob, namesType } from '../kubernetes/patterns.ts';
import type { KubeObject } from '../kubernetes/resources.ts';
import { typeOfItem } from './restore-plan.ts';

interface Rule extends ResourceModifier {
  /** Position in the options, for messages. */
  readonly index: number;
}

/**
 * Decides which resource modifiers are for an archived object, and returns the function that applies them to what is sent.
 * Conditions and `test` operations are about the object as it is in the archive, so that one rule's result is not the next
 * one's input: of `a => b` and `b => c`, an object with `a` gets `b`. The function throws a RangeError that names a modifier
 * which cannot be applied.
 */
export function modifiersFor(
  at: ArchivedName,
  archived: KubeObject,
  modifiers: readonly ResourceModifier[],
): (object: KubeObject) => KubeObject {
  const rules = modifiers
    .map((modifier, index): Rule => ({ ...modifier, index }))
    .filter((rule) => meetsConditions(at, archived, rule) && passesTests(archived, rule));
  if (rules.length === 0) return (object) => object;
  const original = copyOf(archived);
  return (object) => {
    const { status } = original;
    const whole = { ...object, ...(status !== undefined && { status: copyOf(status) }) };
    const changed = rules.reduce<KubeObject>((o, rule) => modified(o, original, rule), whole);
    delete changed.status;
    return changed;
  };
}

function meetsConditions(at: ArchivedName, archived: KubeObject, { conditions }: Rule): boolean {
  const { groupResource, resourceNameRegex, namespaces, labelSelector } = conditions;
  const labels = recordOf(archived.metadata.labels) as Record<string, string> | undefined;
  return (
    namesType([groupResource], typeOfItem(at)) &&
    (!resourceNameRegex || new RegExp(resourceNameRegex).test(at.name)) &&
    (!namespaces || namespaces.some((p) => matchesGlob(p, at.namespace ?? ''))) &&
    (!labelSelector || matchesSelector(parseSelector(labelSelector), labels ?? {}))
  );
}

/** As in Velero: a failed `test` operation skips the object and is not an error. */
function passesTests(archived: KubeObject, rule: Rule): boolean {
  const tests = (rule.patches ?? []).filter(({ op }) => op === 'test');
  return tests.every((test) => {
    // A test without a value says nothing about the object.
    if (test.value === undefined) throw unusable(rule, `test ${test.path}: it needs a value`);
    try {
      patched(archived, test);
      return true;
    } catch (error) {
      if (error instanceof RangeError) return false;
      throw error;
    }
  });
}

const unusable = ({ index }: Rule, reason: string): RangeError =>
  new RangeError(`resourceModifiers[${index}] cannot be applied: ${reason}`);

function modified(object: KubeObject, original: KubeObject, rule: Rule): KubeObject {
  try {
    const operations = (rule.patches ?? []).filter(({ op }) => op !== 'test');
    const after = operations.reduce<unknown>((o, operation) => operated(o, original, operation), object);
    return checked((rule.mergePatches ?? []).reduce(mergePatch, after));
  } catch (error) {
    if (error instanceof RangeError) throw unusable(rule, error.message);
    throw error;
  }
}

/**
 * One operation on the object that is sent. What cleaning took off the archived object still counts as there: it can be removed,
 * replaced and copied.
 */
function operated(object: unknown, original: KubeObject, operation: PatchOperation): unknown {
  const { op, path, from, value } = operation;
  const isTakenOff = (pointer: string) =>
    valueAtPointer(object, pointer) === undefined &&
    valueAtPointer(original, pointer) !== undefined &&
    hasSameLists(object, original, pointer);
  if (op === 'remove' && isTakenOff(path)) return object;
  if (op === 'replace' && isTakenOff(path)) return patched(object, { op: 'add', path, value });
  if ((op === 'copy' || op === 'move') && from !== undefined && isTakenOff(from))
    return patched(object, { op: 'add', path, value: valueAtPointer(original, from) });
  return patched(object, operation);
}

/** Whether a position in a list on the way means the same element in both objects. */
function hasSameLists(object: unknown, original: KubeObject, pointer: string): boolean {
  return pointer.split('/').every((_, i, tokens) => {
    const prefix = tokens.slice(0, i).join('/');
    const [a, b] = [valueAtPointer(object, prefix), valueAtPointer(original, prefix)];
    return !Array.isArray(a) || !Array.isArray(b) || a.length === b.length;
  });
}

function checked(object: unknown): KubeObject {
  const metadata = recordOf(recordOf(object)?.metadata);
  if (typeof metadata?.name !== 'string') throw new RangeError('it leaves the object without a name');
  return object as KubeObject;
}
