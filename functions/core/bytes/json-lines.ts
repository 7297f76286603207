const NEWLINE = 0x0a;
/** Bytes of a piece: few pieces, and little memory. */
const PIECE_BYTES = 256 * 1024;

/** Values as JSON, one per line, in pieces of some 256 KiB. Memory holds one piece. */
export const jsonLines = (values: Iterable<unknown>): Generator<Buffer> => inPieces(linesOf(values));

function* linesOf(values: Iterable<unknown>): Generator<string> {
  for (const value of values) yield `${JSON.stringify(value)}\n`;
}

/**
 * A JSON object in pieces. Each element of a list is on a line of its own, so that a long list is written without one long text
 * and is read with line tools. Fields that are undefined are left out.
 */
export const jsonDocument = (fields: Readonly<Record<string, unknown>>): Generator<Buffer> =>
  inPieces(documentOf(fields));

function* documentOf(fields: Readonly<Record<string, unknown>>): Generator<string> {
  let before = '{';
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    yield `${before}\n  ${JSON.stringify(name)}: `;
    before = ',';
    if (!Array.isArray(value)) yield JSON.stringify(value);
    else if (value.length === 0) yield '[]';
    else {
      let start = '[';
      for (const element of value as unknown[]) {
        yield `${start}\n    ${JSON.stringify(element) ?? 'null'}`;
        start = ',';
      }
      yield '\n  ]';
    }
  }
  yield before === '{' ? '{}\n' : '\n}\n';
}

function* inPieces(texts: Iterable<string>): Generator<Buffer> {
  let open: string[] = [];
  let length = 0;
  for (const text of texts) {
    open.push(text);
    length += text.length;
    if (length < PIECE_BYTES) continue;
    yield Buffer.from(open.join(''));
    open = [];
    length = 0;
  }
  if (length > 0) yield Buffer.from(open.join(''));
}

/** Parses JSON lines as their bytes arrive. Memory holds a chunk and a line. Throws SyntaxError if a line is not JSON. */
export async function* readJsonLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<unknown> {
  let rest: Buffer[] = [];
  for await (const part of chunks) {
    const chunk = Buffer.from(part.buffer, part.byteOffset, part.byteLength);
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      const tail = chunk.subarray(from, end);
      const line = rest.length > 0 ? Buffer.concat([...rest, tail]) : tail;
      rest = [];
      from = end + 1;
      if (line.length > 0) yield JSON.parse(line.toString('utf8')) as unknown;
    }
    if (from < chunk.length) rest.push(chunk.subarray(from));
  }
  const last = Buffer.concat(rest);
  if (last.length > 0) yield JSON.parse(last.toString('utf8')) as unknown;
}
