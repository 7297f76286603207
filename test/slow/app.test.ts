import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { SETTINGS_FILE } from '../../functions/contract/env.ts';
import { ClusterSettings } from '../../functions/contract/settings.ts';
import { entryPoints } from '../../infra/bundle.ts';

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

describe('from the example, without an AWS account', () => {
  const outdir = join(folder, 'example');
  const read = (file: string) => JSON.parse(readFileSync(join(outdir, file), 'utf8'));
  // Bundles all functions for real, which is slow on a busy machine; done once for all tests here.
  beforeAll(() => {
    const run = app(join(root, 'holdfast.example.yaml'), outdir);
    expect([run.status, run.stderr]).toEqual([0, '']);
  }, 120_000);

  test('the app makes a stack for the vault, its second copy and each cluster', () => {
    const { artifacts } = read('manifest.json');
    const regions = Object.entries<{ type: string; environment: string }>(artifacts)
      .filter(([, artifact]) => artifact.type === 'aws:cloudformation:stack')
      .map(([name, artifact]) => [name, artifact.environment]);
    expect(Object.fromEntries(regions)).toEqual({
      'holdfast-vault': 'aws://unknown-account/eu-west-1',
      'holdfast-vault-replica': 'aws://unknown-account/eu-central-1',
      'holdfast-vault-access-log': 'aws://unknown-account/eu-west-1',
      'holdfast-vault-replica-access-log': 'aws://unknown-account/eu-central-1',
      'holdfast-cluster-prod': 'aws://unknown-account/eu-west-1',
      'holdfast-cluster-prod-eks': 'aws://unknown-account/eu-west-1',
    });
  });

  test('a cluster is deployed after both copies of the vault', () => {
    const { dependencies } = read('manifest.json').artifacts['holdfast-cluster-prod'];
    expect(dependencies).toEqual(expect.arrayContaining(['holdfast-vault', 'holdfast-vault-replica']));
  });

  test.each(['prod', 'prod-eks'])(
    'the functions of %s load by themselves and have its settings',
    async (name) => {
      const { Resources } = read(`holdfast-cluster-${name}.template.json`);
      const lambda = Object.values<{ Properties: Record<string, never> }>(Resources).find(
        (r) => r.Properties.FunctionName === `holdfast-${name}-commit-backup`,
      );
      const code = lambda?.Properties.Code as unknown as { S3Key: string };
      const dir = join(outdir, `asset.${code.S3Key.replace('.zip', '')}`);
      const { handler } = await import(pathToFileURL(join(dir, 'index.mjs')).href);
      expect(typeof handler).toBe('function');
      const settings = z.parse(ClusterSettings, JSON.parse(readFileSync(join(dir, SETTINGS_FILE), 'utf8')));
      expect(settings.cluster).toBe(name);
    },
  );
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

test('functions without code are named, all at once', () => {
  expect(() => entryPoints(pathToFileURL(`${folder}/`))).toThrow(
    /add: .*open-backup\/handler\.ts, .*fail-restore\/handler\.ts/,
  );
});
