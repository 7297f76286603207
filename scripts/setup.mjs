// Installs this checkout's npm dependencies if they are missing or outdated, before a script or `holdfast` needs them.
// Runs on the Node on the PATH and uses only npm, because nothing else is installed yet.
// Standard output belongs to the command that follows: all messages go to standard error.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../', import.meta.url));
const marker = `${root}node_modules/.holdfast-lock`;
const lock = createHash('sha256')
  .update(readFileSync(`${root}package-lock.json`))
  .digest('hex');

if (!existsSync(marker) || readFileSync(marker, 'utf8') !== lock) {
  const started = Date.now();
  process.stderr.write('npm dependencies: installing (about a minute the first time)\n');
  const npm = process.env.npm_execpath;
  const command = npm ? [process.execPath, npm] : ['npm'];
  const result = spawnSync(command[0], [...command.slice(1), 'ci', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', process.stderr, process.stderr],
  });
  if (result.error) process.stderr.write(`cannot start npm (${result.error.message}): install it\n`);
  else if (result.status !== 0)
    process.stderr.write(`npm ci failed with code ${result.status}: see the lines above\n`);
  if (result.status !== 0) process.exit(1);
  writeFileSync(marker, lock);
  process.stderr.write(`npm dependencies: installed in ${Math.round((Date.now() - started) / 1000)} s\n`);
}
