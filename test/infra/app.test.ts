import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { SETTINGS_FILE } from '../../functions/contract/env.ts';
import { entryPoints, esbuildBundler } from '../../infra/bundle.ts';
import { settingsOf } from '../../infra/config/settings.ts';
import { config } from './support.ts';

const folder = mkdtempSync(join(tmpdir(), 'holdfast-app-'));
afterAll(() => rmSync(folder, { recursive: true }));
const root = fileURLToPath(new URL('../../', import.meta.url));

/** Runs the app as the CDK does, without any AWS account. */
function app(configFile: string | undefined, outdir = join(folder, 'out')) {
  const { AWS_PROFILE: _, HOLDFAST_CONFIG: __, ...env } = process.env;
  return spawnSync(process.execPath, [join(root, 'infra/app.ts')], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...env, CDK_OUTDIR: outdir, ...(configFile && { HOLDFAST_CONFIG: configFile }) },
  });
}

test('the app makes a template for the vault, its second copy and each cluster of the example', () => {
  const outdir = join(folder, 'example');
  const run = app(join(root, 'holdfast.example.yaml'), outdir);
  expect([run.status, run.stderr]).toEqual([0, '']);
  const { artifacts } = JSON.parse(readFileSync(join(outdir, 'manifest.json'), 'utf8'));
  const dependencies = (stack: string) =>
    artifacts[stack].dependencies.filter((name: string) => !name.endsWith('.assets')).sort();
  const environment = (stack: string) => artifacts[stack].environment;
  expect(environment('holdfast-vault')).toBe('aws://unknown-account/eu-west-1');
  expect(environment('holdfast-vault-replica')).toBe('aws://unknown-account/eu-central-1');
  expect(environment('holdfast-cluster-prod')).toBe('aws://unknown-account/eu-west-1');
  expect(dependencies('holdfast-cluster-prod')).toEqual(['holdfast-vault', 'holdfast-vault-replica']);
});

test('a wrong configuration ends the app with its problems and no stack trace', () => {
  const file = join(folder, 'wrong.yaml');
  writeFileSync(file, 'vault: { region: x, replicaRegion: eu-central-1 }\nclusters: []\n');
  const run = app(file);
  expect(run.status).toBe(1);
  expect(run.stderr.trim().split('\n')).toEqual([
    `${file}:1 vault.region: "x" is not an AWS region; write one like eu-west-1`,
    `${file}:2 clusters: is empty; add a cluster`,
  ]);
});

test('without any configuration the app says to copy the example', () => {
  const run = app(undefined);
  expect(run.status).toBe(1);
  expect(run.stderr.trim()).toMatch(/^holdfast\.yaml does not exist; copy holdfast\.example\.yaml .*$/);
});

test('a bundle holds a handler that loads by itself and its cluster’s settings', async () => {
  const all = config();
  const [cluster] = all.clusters;
  if (!cluster) throw new Error('no cluster');
  const settings = settingsOf(all, cluster);
  const bundle = esbuildBundler();
  const dir = bundle('commit-backup', settings);
  expect(JSON.parse(readFileSync(join(dir, SETTINGS_FILE), 'utf8'))).toEqual(settings);
  const loaded = await import(pathToFileURL(join(dir, 'index.mjs')).href);
  expect(typeof loaded.handler).toBe('function');
  const other = bundle('commit-backup', { ...settings, cluster: 'other' });
  expect(other).not.toBe(dir);
  expect(existsSync(join(other, 'index.mjs'))).toBe(true);
});

test('functions without code are named, all at once', () => {
  expect(() => entryPoints(pathToFileURL(`${folder}/`))).toThrow(
    /add: .*open-backup\/handler\.ts, .*fail-restore\/handler\.ts/,
  );
});
