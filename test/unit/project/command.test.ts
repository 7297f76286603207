import { spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { cp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  version: string;
  bin: { holdfast: string };
};
/** A clone as a person has it after `npm link`, before anything was installed in it. */
const scratch = mkdtempSync(join(tmpdir(), 'holdfast-command-'));
const clone = join(scratch, 'clone');
const elsewhere = join(scratch, 'elsewhere');
const command = join(scratch, 'global', 'bin', 'holdfast');

const NOT_COPIED = new Set(['.git', 'node_modules', 'test', 'docs', 'holdfast.yaml', 'cdk.out']);

/** Takes the place of npm: says on both outputs what npm says, and brings the modules of this checkout. */
const NPM = `
const { symlinkSync, mkdirSync, writeFileSync } = require('node:fs');
console.log('added 42 packages');
console.error('npm warn something');
if (process.env.NPM_FAILS) process.exit(7);
mkdirSync('node_modules');
for (const name of require('node:fs').readdirSync(process.env.MODULES))
  symlinkSync(process.env.MODULES + '/' + name, 'node_modules/' + name);
`;

const env = {
  ...process.env,
  MODULES: join(root, 'node_modules'),
  npm_execpath: join(scratch, 'npm.cjs'),
  HOLDFAST_CONFIG: undefined,
};
const holdfast = (args: string[], over: NodeJS.ProcessEnv = {}) =>
  spawnSync(command, args, { cwd: elsewhere, encoding: 'utf8', env: { ...env, ...over } });
const forget = () => rmSync(join(clone, 'node_modules'), { recursive: true, force: true });

beforeAll(async () => {
  const parts = readdirSync(root).filter((part) => !NOT_COPIED.has(part));
  for (const part of parts) await cp(join(root, part), join(clone, part), { recursive: true });
  for (const folder of [elsewhere, join(scratch, 'global', 'bin'), join(scratch, 'global', 'lib')])
    mkdirSync(folder, { recursive: true });
  // What `npm link` makes: a link to the folder, and one to the file that package.json names.
  symlinkSync(clone, join(scratch, 'global', 'lib', 'holdfast'));
  symlinkSync(join('..', 'lib', 'holdfast', manifest.bin.holdfast), command);
  writeFileSync(join(scratch, 'npm.cjs'), NPM);
});
afterAll(() => rmSync(scratch, { recursive: true }));

describe('on a fresh clone, from another folder, holdfast', () => {
  test('gives kubectl nothing but the manifests, and installs what it needs', () => {
    forget();
    const { stdout, stderr, status } = holdfast(['rbac']);
    expect(JSON.parse(stdout)).toMatchObject({ apiVersion: 'v1', kind: 'List' });
    expect(stderr).toMatch(/installing.*added 42 packages.*installed in/s);
    expect(status).toBe(0);
  });

  test('starts on the Node of the machine as well, which may be older than the project’s own', () => {
    const PATH = process.env.PATH?.split(delimiter).filter((folder) => !folder.includes('node_modules'));
    const { stdout, status } = holdfast(['--version'], { PATH: PATH?.join(delimiter) });
    expect([stdout, status]).toEqual([`${manifest.version}\n`, 0]);
  });

  test('ends with the remedy and without output when npm fails', () => {
    forget();
    const { stdout, stderr, status } = holdfast(['rbac'], { NPM_FAILS: '1' });
    expect([stdout, status]).toEqual(['', 1]);
    expect(stderr).toContain('npm ci failed with code 7');
  });
});

describe('once it is installed, holdfast', () => {
  beforeAll(() => void holdfast(['--version']));

  test('says its version and nothing else', () => {
    const { stdout, stderr, status } = holdfast(['--version']);
    expect([stdout, stderr, status]).toEqual([`${manifest.version}\n`, '', 0]);
  });

  test('has a help text with every command', () => {
    const { stdout } = holdfast(['--help']);
    expect(stdout).toContain('Usage: holdfast');
    for (const name of ['rbac', 'get', 'describe', 'status', 'backup', 'restore', 'restic', 'vault'])
      expect(stdout).toMatch(new RegExp(`^  ${name}\\b`, 'm'));
  });

  test('ends with the code of the command', () => {
    expect(holdfast(['no-such-command']).status).toBe(1);
  });

  test('reads holdfast.yaml of the checkout, and says where it looked', () => {
    const { stderr, status } = holdfast(['get', 'backups']);
    expect(stderr).toContain(`${join(clone, 'holdfast.yaml')} does not exist; copy holdfast.example.yaml`);
    expect(status).toBe(1);
  });
});
