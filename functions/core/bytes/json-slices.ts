const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const COMMA = 0x2c;
const OPEN = 0x7b;
const CLOSE = 0x7d;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;

/** One object of a list: the bytes from the API server, and its identity. */
export interface PageItem {
  /** Shares the page's memory. */
  readonly raw: Buffer;
  readonly name: string;
  readonly namespace: string | undefined;
  /** Whether the bytes contain `kind`. Items of built-in lists do not. */
  readonly typed: boolean;
}

/** A Kubernetes list response. */
export interface ListPage {
  readonly items: PageItem[];
  readonly metadata: ListMetadata;
}

interface ListMetadata {
  readonly resourceVersion?: string;
  readonly continue?: string;
  readonly remainingItemCount?: number;
}

/**
 * Reads a list in one pass over its bytes. Objects are not parsed and serialized, so fields, numbers and order are
 * preserved; only the list's own metadata and each object's name are decoded. Throws SyntaxError if the bytes
 * end early, for example because the connection failed.
 */
export function readPage(page: Buffer): ListPage {
  let metadata: ListMetadata = {};
  const items: PageItem[] = [];
  eachMember(page, valueStart(page, 0), (key, start) => {
    if (key === 'items' && page[start] === OPEN_LIST)
      return eachElement(page, start, (at) => {
        const { item, end } = readItem(page, at);
        items.push(item);
        return end;
      });
    const end = valueEnd(page, start);
    if (key === 'metadata' && page[start] === OPEN)
      metadata = JSON.parse(page.toString('utf8', start, end)) as ListMetadata;
    return end;
  });
  return { items, metadata };
}

function readItem(page: Buffer, start: number): { item: PageItem; end: number } {
  let name = '';
  let namespace: string | undefined;
  let typed = false;
  const end = eachMember(page, start, (key, at) => {
    if (key === 'kind') typed = true;
    if (key !== 'metadata' || page[at] !== OPEN) return valueEnd(page, at);
    return eachMember(page, at, (field, value) => {
      const stop = valueEnd(page, value);
      if (page[value] !== QUOTE) return stop;
      if (field === 'name') name = text(page, value, stop);
      if (field === 'namespace') namespace = text(page, value, stop);
      return stop;
    });
  });
  return { item: { raw: page.subarray(start, end), name, namespace: namespace || undefined, typed }, end };
}

const text = (json: Buffer, start: number, end: number): string =>
  JSON.parse(json.toString('utf8', start, end)) as string;

/** Longest key that a caller needs; longer keys are not decoded. */
const LONGEST_KEY = 'namespace'.length;

/** Walks an object's members: `visit` gets a key and where its value starts, and returns where it ends. Returns the object's end. */
function eachMember(json: Buffer, start: number, visit: (key: string, value: number) => number): number {
  if (json[start] !== OPEN) throw new SyntaxError(`an object was expected at byte ${start}`);
  let i = valueStart(json, start + 1);
  while (json[i] !== CLOSE) {
    const keyEnd = stringEnd(json, i);
    const key = keyEnd - i - 2 > LONGEST_KEY ? '' : json.toString('latin1', i + 1, keyEnd - 1);
    const colon = valueStart(json, keyEnd);
    if (json[colon] !== COLON) throw new SyntaxError(`":" was expected at byte ${colon}`);
    i = nextElement(json, visit(key, valueStart(json, colon + 1)));
  }
  return i + 1;
}

/** Walks a list's elements: `visit` gets where an element starts, and returns where it ends. Returns the list's end. */
function eachElement(json: Buffer, start: number, visit: (value: number) => number): number {
  let i = valueStart(json, start + 1);
  while (json[i] !== CLOSE_LIST) i = nextElement(json, visit(i));
  return i + 1;
}

/** First byte of the next member or element, or of the bracket that closes them all. */
function nextElement(json: Buffer, end: number): number {
  const i = valueStart(json, end);
  return json[i] === COMMA ? valueStart(json, i + 1) : i;
}

/** First byte at or after `i` that is not white space. */
function valueStart(json: Buffer, i: number): number {
  let at = i;
  while (at < json.length && (json[at] as number) <= 0x20) at++;
  if (at >= json.length) throw new SyntaxError('the JSON ends early');
  return at;
}

/** End (exclusive) of the string whose opening quote is at `start`. */
function stringEnd(json: Buffer, start: number): number {
  if (json[start] !== QUOTE) throw new SyntaxError(`a string was expected at byte ${start}`);
  for (let i = start + 1; i < json.length; i++) {
    if (json[i] === BACKSLASH) i++;
    else if (json[i] === QUOTE) return i + 1;
  }
  throw new SyntaxError('a JSON string has no end');
}

/** End (exclusive) of the value that starts at `start`. */
function valueEnd(json: Buffer, start: number): number {
  const first = json[start];
  if (first === QUOTE) return stringEnd(json, start);
  if (first !== OPEN && first !== OPEN_LIST) return scalarEnd(json, start);
  let depth = 0;
  for (let i = start; i < json.length; i++) {
    const c = json[i];
    if (c === QUOTE) i = stringEnd(json, i) - 1;
    else if (c === OPEN || c === OPEN_LIST) depth++;
    else if ((c === CLOSE || c === CLOSE_LIST) && --depth === 0) return i + 1;
  }
  throw new SyntaxError('a JSON value has no end');
}

function scalarEnd(json: Buffer, start: number): number {
  let i = start;
  while (i < json.length) {
    const c = json[i] as number;
    if (c === COMMA || c === CLOSE || c === CLOSE_LIST || c <= 0x20) return i;
    i++;
  }
  throw new SyntaxError('a JSON value has no end');
}

/** `apiVersion` and `kind` as the beginning of an object without them. The object's bytes from the second on follow. */
export function typeMeta(apiVersion: string, kind: string): Buffer {
  return Buffer.from(`{"apiVersion":${JSON.stringify(apiVersion)},"kind":${JSON.stringify(kind)},`);
}
