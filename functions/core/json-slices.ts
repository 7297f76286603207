const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN = 0x7b;
const CLOSE = 0x7d;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;

/** End (exclusive) of the JSON string whose opening quote is at `start`. */
function stringEnd(json: Buffer, start: number): number {
  for (let i = start + 1; i < json.length; i++) {
    if (json[i] === BACKSLASH) i++;
    else if (json[i] === QUOTE) return i + 1;
  }
  throw new SyntaxError('a JSON string has no end');
}

/** Position of the `[` of the top-level member `items`; -1 when there is none. */
function itemsStart(json: Buffer): number {
  let depth = 0;
  for (let i = 0; i < json.length; i++) {
    const c = json[i];
    if (c === OPEN || c === OPEN_LIST) depth++;
    else if (c === CLOSE || c === CLOSE_LIST) depth--;
    else if (c === QUOTE) {
      const end = stringEnd(json, i);
      const isItems = depth === 1 && json.toString('latin1', i, end) === '"items"';
      i = end - 1;
      if (isItems) {
        const bracket = json
          .subarray(end, end + 16)
          .toString('latin1')
          .match(/^\s*:\s*\[/);
        if (bracket) return end + bracket[0].length - 1;
      }
    }
  }
  return -1;
}

/**
 * The objects of a Kubernetes list response, each as the very bytes the API server sent: nothing is parsed and
 * written again, so no field, number or order is lost. Slices share the page's memory.
 */
export function sliceItems(page: Buffer): Buffer[] {
  const slices: Buffer[] = [];
  const first = itemsStart(page);
  if (first < 0) return slices;
  let depth = 0;
  let begin = 0;
  for (let i = first + 1; i < page.length; i++) {
    const c = page[i];
    if (c === QUOTE) i = stringEnd(page, i) - 1;
    else if (c === OPEN) {
      if (depth++ === 0) begin = i;
    } else if (c === CLOSE) {
      if (--depth === 0) slices.push(page.subarray(begin, i + 1));
    } else if (c === CLOSE_LIST && depth === 0) return slices;
  }
  throw new SyntaxError('a list of objects has no end');
}

/** Puts `apiVersion` and `kind` in front of an object's own bytes: the items of built-in lists lack them. */
export function withTypeMeta(object: Buffer, apiVersion: string, kind: string): Buffer {
  const head = `{"apiVersion":${JSON.stringify(apiVersion)},"kind":${JSON.stringify(kind)}`;
  const body = object.subarray(1);
  const empty = /^\s*\}/.test(body.subarray(0, 64).toString('latin1'));
  return Buffer.concat([Buffer.from(empty ? head : `${head},`), body]);
}
