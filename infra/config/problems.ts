import { type Document, isMap, isScalar, isSeq, type LineCounter } from 'yaml';
import type { ZodError } from 'zod';

type Path = readonly PropertyKey[];
type Issue = ZodError['issues'][number];

const EXPECTED: Record<string, string> = {
  string: 'text',
  array: 'a list; begin each item with "- "',
  object: 'a group of options; indent them below it',
  int: 'a whole number',
  number: 'a whole number',
  boolean: 'true or false',
};

/** The problems of a document, one per line: file, line, path, value, remedy. */
export function problems(
  file: string,
  document: Document,
  lines: LineCounter,
  issues: readonly Issue[],
): string[] {
  return issues.flatMap((issue) => {
    const at = (path: Path, what: string) =>
      `${file}:${lineOf(document, lines, path)} ${pathText(path)}: ${what}`;
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) =>
        at(
          [...issue.path, key],
          'is not an option; remove it, or look for its spelling in holdfast.example.yaml',
        ),
      );
    return [at(issue.path, wording(document, issue))];
  });
}

function pathText(path: Path): string {
  const text = path.map((p) => (typeof p === 'number' ? `[${p}]` : `.${String(p)}`)).join('');
  return text.replace(/^\./, '') || 'the file';
}

function nodeAt(document: Document, path: Path): unknown {
  return path.length === 0 ? document.contents : document.getIn(path as (string | number)[], true);
}

/** The line of the value, or of its nearest ancestor that exists. */
function lineOf(document: Document, lines: LineCounter, path: Path): number {
  for (let depth = path.length; depth >= 0; depth--) {
    const node = nodeAt(document, path.slice(0, depth)) as { range?: [number, number, number] } | undefined;
    if (node?.range) return lines.linePos(node.range[0]).line;
  }
  return 1;
}

function wording(document: Document, issue: Issue): string {
  const node = nodeAt(document, issue.path);
  if (node === undefined) return 'is missing; add it as in holdfast.example.yaml';
  if (isScalar(node) && node.value === null) return 'has no value; give it one as in holdfast.example.yaml';
  const value = isScalar(node) ? `${JSON.stringify(node.value)} ` : '';
  if (issue.code !== 'invalid_type') return value + issue.message;
  const expected = EXPECTED[issue.expected] ?? issue.expected;
  if (isMap(node)) return `is a group of options, not ${expected}`;
  if (isSeq(node)) return `is a list, not ${expected}`;
  const quotes = issue.expected === 'string' ? '; put it in quotes' : '';
  return `${value}is not ${expected}${quotes}`;
}
