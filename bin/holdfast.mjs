#!/usr/bin/env node
// The command `holdfast`. Any Node that package.json allows starts it; the work is done by the project's own Node, which
// runs TypeScript. Node resolves the link that npm made, so the sources are found in the checkout, outside node_modules.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import '../scripts/setup.mjs';

const pathOf = (file) => fileURLToPath(new URL(`../${file}`, import.meta.url));
const child = spawn(pathOf('node_modules/node/bin/node'), [pathOf('cli/main.ts'), ...process.argv.slice(2)], {
  stdio: 'inherit',
});
// A terminal sends Ctrl-C to both: this process waits for what the command makes of it. Others send it to this one alone.
process.on('SIGINT', () => undefined);
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('error', (error) => {
  process.stderr.write(`holdfast could not be started: ${error.message}; run npm ci in ${pathOf('')}\n`);
  process.exitCode = 1;
});
child.on('exit', (code, signal) => {
  if (!signal) process.exitCode = code ?? 1;
  else {
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  }
});
