#!/usr/bin/env node
// The command `holdfast`. Any Node that package.json allows can start it; it runs the project's own Node, which supports
// TypeScript. Node resolves the link that npm created, so the sources are found in the checkout, outside node_modules.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import '../scripts/setup.mjs';

const pathOf = (file) => fileURLToPath(new URL(`../${file}`, import.meta.url));
const child = spawn(pathOf('node_modules/node/bin/node'), [pathOf('cli/main.ts'), ...process.argv.slice(2)], {
  stdio: 'inherit',
});
// A terminal sends Ctrl-C to both processes: this one waits for the command to handle it. Other signals reach this one only.
process.on('SIGINT', () => undefined);
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('error', (error) => {
  process.stderr.write(`cannot start holdfast: ${error.message}; run npm ci in ${pathOf('')}\n`);
  process.exitCode = 1;
});
child.on('exit', (code, signal) => {
  if (!signal) process.exitCode = code ?? 1;
  else {
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  }
});
