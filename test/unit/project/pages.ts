import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../../', import.meta.url));

/** Files below a folder of the project, as paths from its root. */
export const filesOf = (folder: string, end: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(end) && !file.includes('node_modules'))
    .map((file) => join(folder, file))
    .sort();

export const read = (file: string): string => readFileSync(join(root, file), 'utf8');

/** Every page that a person reads: those at the root, the documentation and the change notes. */
export const PAGES = [
  ...readdirSync(root).filter((file) => file.endsWith('.md')),
  ...filesOf('docs', '.md'),
  ...filesOf('changelog', '.md'),
];
