// Makes sure that this checkout's npm dependencies are there, before a script of package.json needs them.
// Runs on whatever Node is on the PATH and uses nothing but npm, because at first there is nothing else.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

const marker = 'node_modules/.holdfast-lock';
const lock = createHash('sha256').update(readFileSync('package-lock.json')).digest('hex');

if (!existsSync(marker) || readFileSync(marker, 'utf8') !== lock) {
  const started = Date.now();
  process.stdout.write('npm dependencies: installing (about a minute the first time)\n');
  const npm = process.env.npm_execpath;
  const command = npm ? [process.execPath, npm] : ['npm'];
  const result = spawnSync(command[0], [...command.slice(1), 'ci', '--loglevel=error'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (result.status !== 0) {
    process.stderr.write(`npm ci failed with code ${result.status}: the lines above say why\n`);
    process.exit(1);
  }
  writeFileSync(marker, lock);
  process.stdout.write(`npm dependencies: installed in ${Math.round((Date.now() - started) / 1000)} s\n`);
}
