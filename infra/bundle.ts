import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { SETTINGS_FILE } from '../functions/contract/env.ts';
import { FUNCTION_NAMES, type FunctionName } from '../functions/contract/functions.ts';
import type { ClusterSettings } from '../functions/contract/settings.ts';

/** Gives the folder of a function's code with its cluster's settings beside it. */
export type Bundler = (name: FunctionName, settings: ClusterSettings) => string;

/** Some dependencies are CommonJS and call require; ES modules have none of their own. */
const BANNER =
  "import { createRequire as __createRequire } from 'node:module';const require = __createRequire(import.meta.url);";

/** Bundles every function once, on first use; each cluster gets copies with its own settings. Removed when the process ends. */
export function esbuildBundler(): Bundler {
  const root = mkdtempSync(join(tmpdir(), 'holdfast-bundle-'));
  process.on('exit', () => rmSync(root, { recursive: true, force: true }));
  let built = false;
  return (name, settings) => {
    if (!built) {
      const handler = (fn: string) => new URL(`../functions/${fn}/handler.ts`, import.meta.url).pathname;
      buildSync({
        entryPoints: Object.fromEntries(FUNCTION_NAMES.map((fn) => [fn, handler(fn)])),
        outdir: join(root, 'code'),
        outExtension: { '.js': '.mjs' },
        bundle: true,
        platform: 'node',
        target: 'node24',
        format: 'esm',
        banner: { js: BANNER },
        minifySyntax: true,
        minifyWhitespace: true,
        keepNames: true,
        logLevel: 'error',
      });
      built = true;
    }
    const dir = join(root, settings.cluster, name);
    mkdirSync(dir, { recursive: true });
    copyFileSync(join(root, 'code', `${name}.mjs`), join(dir, 'index.mjs'));
    writeFileSync(join(dir, SETTINGS_FILE), JSON.stringify(settings));
    return dir;
  };
}
