import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { LineCounter, parseDocument } from 'yaml';
import { problems } from './problems.ts';
import { Config } from './schema.ts';

/** All problems of holdfast.yaml, one per line. Shown without a stack trace. */
export class ConfigInvalid extends Error {
  override readonly name = 'ConfigInvalid';
}

/** Parses the text of a configuration. `file`: name for messages. */
export function parseConfig(text: string, file: string): Config {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  if (document.errors.length > 0) {
    const found = document.errors.map(
      (e) => `${file}:${lines.linePos(e.pos[0]).line} is not YAML: ${e.message}`,
    );
    throw new ConfigInvalid(
      `${found.join('\n')}\nCorrect the indentation, brackets or quotes there or just above`,
    );
  }
  const parsed = Config.safeParse(document.toJS() ?? {});
  if (parsed.success) return parsed.data;
  throw new ConfigInvalid(problems(file, document, lines, parsed.error.issues).join('\n'));
}

/** Reads the configuration from the path given, from HOLDFAST_CONFIG, or else from `fallback`. */
export function loadConfig(path?: string, fallback = 'holdfast.yaml'): Config {
  const named = path ?? process.env.HOLDFAST_CONFIG;
  const file = named ?? fallback;
  if (existsSync(file)) return withExcludeFiles(parseConfig(readFileSync(file, 'utf8'), file), file);
  const remedy = named
    ? `correct ${path ? 'its name' : 'HOLDFAST_CONFIG'}, or name no file to use ${fallback}`
    : 'copy holdfast.example.yaml to holdfast.yaml and fill it in, or name another file: "cdk -c config=FILE", "holdfast --config FILE" or HOLDFAST_CONFIG';
  throw new ConfigInvalid(`${file} does not exist; ${remedy}`);
}

/** The configuration with the patterns of the exclude files in `excludes`, because functions cannot read the files. */
function withExcludeFiles(config: Config, file: string): Config {
  const read = (name: string): string[] => {
    const path = resolve(dirname(file), name);
    if (!existsSync(path))
      throw new ConfigInvalid(
        `${file} names the exclude file ${name}, which does not exist; create it, or remove it from excludeFiles`,
      );
    const lines = readFileSync(path, 'utf8')
      .split('\n')
      .map((line) => line.trim());
    return lines.filter((line) => line && !line.startsWith('#'));
  };
  const clusters = config.clusters.map((cluster) => ({
    ...cluster,
    plans: cluster.plans.map((plan) => ({
      ...plan,
      restic: {
        ...plan.restic,
        excludes: [...plan.restic.excludes, ...plan.restic.excludeFiles.flatMap(read)],
      },
    })),
  }));
  return { ...config, clusters };
}
