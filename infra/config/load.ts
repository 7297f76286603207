import { existsSync, readFileSync } from 'node:fs';
import { isScalar, LineCounter, parseDocument } from 'yaml';
import { Config } from './schema.ts';

/** Everything that is wrong with holdfast.yaml, one line a problem. Shown as it is, without a stack. */
export class ConfigInvalid extends Error {
  override readonly name = 'ConfigInvalid';
}

type Path = readonly PropertyKey[];

const pathText = (path: Path): string =>
  path
    .map((p) => (typeof p === 'number' ? `[${p}]` : `.${String(p)}`))
    .join('')
    .replace(/^\./, '');

/** Parses the text of a configuration. `file` is only for the messages. */
export function parseConfig(text: string, file: string): Config {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  if (document.errors.length > 0)
    throw new ConfigInvalid(document.errors.map((e) => `${file}: ${e.message}`).join('\n'));
  const parsed = Config.safeParse(document.toJS() ?? {});
  if (parsed.success) return parsed.data;

  const lineOf = (path: Path): number => {
    for (let depth = path.length; depth >= 0; depth--) {
      const node =
        depth === 0 ? document.contents : document.getIn(path.slice(0, depth) as (string | number)[], true);
      const range = (node as { range?: [number, number, number] } | null | undefined)?.range;
      if (range) return lines.linePos(range[0]).line;
    }
    return 1;
  };
  const scalarAt = (path: Path): string | undefined => {
    const node = document.getIn(path as (string | number)[], true);
    return isScalar(node) ? JSON.stringify(node.value) : undefined;
  };
  const messages = parsed.error.issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => {
        const path = [...issue.path, key];
        return `${file}:${lineOf(path)} ${pathText(path)}: is not an option; remove it, or look for its spelling in holdfast.example.yaml`;
      });
    }
    const value = scalarAt(issue.path);
    const missing = value === undefined && issue.code === 'invalid_type';
    const what =
      missing && document.getIn(issue.path as (string | number)[]) === undefined
        ? 'is missing; add it as in holdfast.example.yaml'
        : `${value ? `${value} ` : ''}${issue.message}`;
    return [`${file}:${lineOf(issue.path)} ${pathText(issue.path) || 'the file'}: ${what}`];
  });
  throw new ConfigInvalid(messages.join('\n'));
}

/** Reads the configuration from the path given, from HOLDFAST_CONFIG, or from ./holdfast.yaml. */
export function loadConfig(path?: string): Config {
  const file = path ?? process.env.HOLDFAST_CONFIG ?? 'holdfast.yaml';
  if (!existsSync(file)) {
    throw new ConfigInvalid(
      `${file} does not exist: copy holdfast.example.yaml to holdfast.yaml and fill it in, or name another file with "-c config=FILE"`,
    );
  }
  return parseConfig(readFileSync(file, 'utf8'), file);
}
