import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, buildSync } from 'esbuild';
import { SETTINGS_FILE } from '../functions/contract/env.ts';
import { FUNCTION_NAMES, type FunctionName, handlerFile } from '../functions/contract/functions.ts';
import type { ClusterSettings } from '../functions/contract/settings.ts';
import manifest from '../package.json' with { type: 'json' };

/** Returns the folder of a function's code, with the settings of its cluster next to it. */
export type Bundler = (name: FunctionName, settings: ClusterSettings) => string;

/** Some dependencies are CommonJS and call require; ES modules have none of their own. */
const BANNER =
  "import { createRequire as __createRequire } from 'node:module';const require = __createRequire(import.meta.url);";

/** Licences of what is bundled: they go where the code goes. */
const NOTICE = new URL('../NOTICE', import.meta.url);

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

const OPTIONS = {
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  banner: { js: BANNER },
  minifySyntax: true,
  minifyWhitespace: true,
  keepNames: true, // errors are matched by name
  define: { HOLDFAST_VERSION: JSON.stringify(manifest.version) }, // what functions/runtime/logging.ts says
  logLevel: 'error',
} as const satisfies BuildOptions;

/** Bundles entry points, by name, into `<outdir>/<name>.mjs`, as Lambda gets them. */
export function bundle(entries: Record<string, string>, outdir: string): void {
  buildSync({ ...OPTIONS, entryPoints: entries, outdir });
}

/** Files of which something is in a function's code, as paths from the working directory. */
export function bundledFiles(): string[] {
  const { metafile } = buildSync({
    ...OPTIONS,
    entryPoints: entryPoints(),
    outdir: 'nowhere',
    write: false,
    metafile: true,
    splitting: true, // what functions share is written once: the same files in a fifth of the time
  });
  const parts = Object.values(metafile.outputs).flatMap((output) => Object.entries(output.inputs));
  return [...new Set(parts.flatMap(([file, { bytesInOutput }]) => (bytesInOutput > 0 ? [file] : [])))];
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
    copyFileSync(NOTICE, join(dir, 'NOTICE'));
    writeFileSync(join(dir, SETTINGS_FILE), JSON.stringify(settings));
    return dir;
  };
}
