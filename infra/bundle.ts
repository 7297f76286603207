import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import { SETTINGS_FILE } from '../functions/contract/env.ts';
import { FUNCTION_NAMES, type FunctionName, handlerFile } from '../functions/contract/functions.ts';
import type { ClusterSettings } from '../functions/contract/settings.ts';

/** Gives the folder of a function's code with its cluster's settings beside it. */
export type Bundler = (name: FunctionName, settings: ClusterSettings) => string;

/** Some dependencies are CommonJS and call require; ES modules have none of their own. */
const BANNER =
  "import { createRequire as __createRequire } from 'node:module';const require = __createRequire(import.meta.url);";

const FUNCTIONS_FOLDER = new URL('../functions/', import.meta.url);

/** The functions' entry points. All that are missing are named at once. */
export function entryPoints(folder = FUNCTIONS_FOLDER): Record<string, string> {
  const points = FUNCTION_NAMES.map(
    (name) => [name, fileURLToPath(new URL(handlerFile(name), folder))] as const,
  );
  const missing = points.map(([, file]) => file).filter((file) => !existsSync(file));
  if (missing.length > 0)
    throw new Error(
      `functions/contract/functions.ts names functions without code; add: ${missing.join(', ')}`,
    );
  return Object.fromEntries(points);
}

/** Bundles entry points, by name, into `<outdir>/<name>.mjs`, as Lambda gets them. */
export function bundle(entries: Record<string, string>, outdir: string): void {
  buildSync({
    entryPoints: entries,
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    banner: { js: BANNER },
    minifySyntax: true,
    minifyWhitespace: true,
    keepNames: true, // errors are matched by name
    logLevel: 'error',
  });
}

/** Bundles every function once, on first use; each cluster gets copies with its own settings. Removed when the process ends. */
export function esbuildBundler(): Bundler {
  const root = mkdtempSync(join(tmpdir(), 'holdfast-bundle-'));
  process.on('exit', () => rmSync(root, { recursive: true, force: true }));
  let built = false;
  return (name, settings) => {
    if (!built) bundle(entryPoints(), join(root, 'code'));
    built = true;
    const dir = join(root, settings.cluster, name);
    mkdirSync(dir, { recursive: true });
    copyFileSync(join(root, 'code', `${name}.mjs`), join(dir, 'index.mjs'));
    writeFileSync(join(dir, SETTINGS_FILE), JSON.stringify(settings));
    return dir;
  };
}
