/** A shell script that sets an environment and becomes a program. */
export function shellScript(env: Record<string, string>, command: readonly string[]): string {
  const exports = Object.entries(env).map(([name, value]) => `export ${name}=${quoted(value)}`);
  return ['#!/bin/sh', ...exports, `exec ${command.map(quoted).join(' ')}`, ''].join('\n');
}

/** Single quotes keep everything but a single quote. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
