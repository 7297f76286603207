import { isSameJson, recordOf, setField } from './json-value.ts';
import { copyOf } from './lossless-json.ts';

/** One operation of a JSON patch (RFC 6902). */
export interface PatchOperation {
  readonly op: 'add' | 'remove' | 'replace' | 'move' | 'copy' | 'test';
  /** JSON pointers (RFC 6901). */
  readonly path: string;
  readonly from?: string | undefined;
  readonly value?: unknown;
}

/**
 * A document after one operation of a JSON patch. Long numbers keep their digits wherever they are copied or moved, which no
 * library does. Modifies `document`; the root may be replaced, so use what is returned. Throws a RangeError that names the
 * operation if it cannot be applied or, for a `test`, does not hold.
 */
export function patched(document: unknown, operation: PatchOperation): unknown {
  const { op, path } = operation;
  const to = tokensOf(operation, path);
  switch (op) {
    case 'add':
      return add(document, to, valueIn(operation), operation);
    case 'remove':
      return remove(document, to, operation);
    case 'replace':
      return replace(document, to, valueIn(operation), operation);
    case 'copy':
      return add(document, to, copyOf(present(document, fromOf(operation), operation)), operation);
    case 'move':
      return move(document, to, operation);
    case 'test':
      if (isSameJson(present(document, to, operation), valueIn(operation))) return document;
      throw failed(operation, 'the value is another one');
  }
}

/** The value that a JSON pointer leads to; undefined if there is none. Throws a RangeError if it is no pointer. */
export function valueAtPointer(document: unknown, pointer: string): unknown {
  return found(document, tokensOf({ op: 'test', path: pointer }, pointer));
}

const failed = ({ op, path }: PatchOperation, reason: string): RangeError =>
  new RangeError(`${op} ${path || 'of the whole object'}: ${reason}`);

function tokensOf(operation: PatchOperation, pointer: string): string[] {
  if (pointer === '') return [];
  if (!pointer.startsWith('/')) throw failed(operation, `"${pointer}" does not begin with a slash`);
  if (/~(?![01])/.test(pointer))
    throw failed(operation, `in "${pointer}", ~ is written ~0 and / is written ~1`);
  return pointer
    .slice(1)
    .split('/')
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function fromOf(operation: PatchOperation): string[] {
  if (operation.from === undefined) throw failed(operation, 'it needs "from"');
  return tokensOf(operation, operation.from);
}

function valueIn(operation: PatchOperation): unknown {
  if (operation.value === undefined) throw failed(operation, 'it needs a value');
  return copyOf(operation.value);
}

const INDEX = /^(0|[1-9]\d*)$/;

function found(document: unknown, tokens: readonly string[]): unknown {
  return tokens.reduce((node: unknown, token) => {
    if (Array.isArray(node)) return INDEX.test(token) ? (node[Number(token)] as unknown) : undefined;
    const record = recordOf(node);
    return record && Object.hasOwn(record, token) ? record[token] : undefined;
  }, document);
}

function present(document: unknown, tokens: readonly string[], operation: PatchOperation): unknown {
  const value = found(document, tokens);
  if (value === undefined) throw failed(operation, `nothing is at /${tokens.join('/')}`);
  return value;
}

function add(
  document: unknown,
  tokens: readonly string[],
  value: unknown,
  operation: PatchOperation,
): unknown {
  const last = tokens.at(-1);
  if (last === undefined) return value;
  const parent = present(document, tokens.slice(0, -1), operation);
  if (Array.isArray(parent)) {
    const index = last === '-' ? parent.length : INDEX.test(last) ? Number(last) : Number.NaN;
    if (!(index <= parent.length)) throw failed(operation, `the list has no place ${last}`);
    parent.splice(index, 0, value);
    return document;
  }
  const record = recordOf(parent);
  if (!record) throw failed(operation, 'what is around it is neither an object nor a list');
  setField(record, last, value);
  return document;
}

function remove(document: unknown, tokens: readonly string[], operation: PatchOperation): unknown {
  const last = tokens.at(-1);
  if (last === undefined) throw failed(operation, 'an object cannot be removed');
  present(document, tokens, operation);
  const parent = found(document, tokens.slice(0, -1));
  if (Array.isArray(parent)) parent.splice(Number(last), 1);
  else delete (parent as Record<string, unknown>)[last];
  return document;
}

function replace(
  document: unknown,
  tokens: readonly string[],
  value: unknown,
  operation: PatchOperation,
): unknown {
  if (tokens.length === 0) return value;
  present(document, tokens, operation);
  const last = tokens.at(-1) as string;
  const parent = found(document, tokens.slice(0, -1)) as object;
  if (Array.isArray(parent)) parent[Number(last)] = value;
  else setField(parent, last, value);
  return document;
}

function move(document: unknown, to: readonly string[], operation: PatchOperation): unknown {
  const from = fromOf(operation);
  const value = present(document, from, operation);
  if (from.length === to.length && from.every((token, i) => token === to[i])) return document;
  if (from.every((token, i) => token === to[i])) throw failed(operation, 'it would be moved into itself');
  const without = remove(document, from, operation);
  return add(without, to, value, operation);
}
