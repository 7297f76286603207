import { expect, test } from 'vitest';
import * as z from 'zod/mini';
import { vaultCopies } from '../../../functions/contract/copies.ts';
import { ClusterSettings } from '../../../functions/contract/settings.ts';
import { parseConfig } from '../../../infra/config/load.ts';
import type { ClusterConfig } from '../../../infra/config/schema.ts';
import { settingsOf } from '../../../infra/config/settings.ts';
import { GOOD, spoilt } from './config-text.ts';

function settingsFrom(text: string): ClusterSettings {
  const config = parseConfig(text, 'holdfast.yaml');
  return settingsOf(config, config.clusters[0] as ClusterConfig);
}

test('what the functions are told is what they will accept', () => {
  const settings = settingsFrom(GOOD);
  expect(z.parse(ClusterSettings, JSON.parse(JSON.stringify(settings)))).toEqual(settings);
});

test('functions and templates are told of the same two copies', () => {
  for (const accounts of [{}, { account: '1'.repeat(12), replicaAccount: '2'.repeat(12) }]) {
    const regions = { region: 'eu-west-1', replicaRegion: 'eu-central-1' };
    const text = spoilt(['vault'], { name: 'own', ...regions, ...accounts });
    const { vault, jobs } = settingsFrom(text);
    expect(vaultCopies(vault, '3', jobs)).toEqual(vaultCopies(parseConfig(text, 'holdfast.yaml').vault, '3'));
  }
});

test('functions are told of a replication by S3 only where there is one', () => {
  expect(settingsFrom(GOOD).vault).not.toHaveProperty('continuous');
  const text = spoilt(['vault', 'replication'], { mode: 'continuous' });
  expect(settingsFrom(text).vault).toMatchObject({ continuous: true });
});

test('an endpoint of S3 is told only where one is configured', () => {
  expect(settingsFrom(GOOD).jobs).not.toHaveProperty('s3Endpoint');
  const text = spoilt(['clusters', 0, 'jobs'], { replicaS3Endpoint: 'https://s3.internal' });
  expect(settingsFrom(text).jobs.replicaS3Endpoint).toBe('https://s3.internal');
});

test('schedules are not told to functions: EventBridge keeps them', () => {
  expect(settingsFrom(GOOD).plans).toEqual([
    {
      name: 'nightly',
      volumes: 'opt-in',
      volumeRules: [],
      restic: { excludes: [], excludeIfPresent: [], compression: 'auto' },
      controlPlane: false,
      scratchEtcd: false,
      retention: { keepLast: 7 },
      timeZone: 'UTC',
      selection: {
        namespaces: ['shop'],
        excludedNamespaces: [],
        includedResources: [],
        excludedResources: [],
        includedNamespaceScopedResources: [],
        excludedNamespaceScopedResources: [],
        includedClusterScopedResources: [],
        excludedClusterScopedResources: [],
        orLabelSelectors: [],
      },
    },
  ]);
});

test('functions are told both retentions as they are written, and what pruning may do by itself', () => {
  const retention = { keepDaily: 7, keepWithinMonthly: '1y6m', keepTags: [['before-upgrade']], ttl: '2y' };
  const { plans, prune } = settingsFrom(spoilt(['clusters', 0, 'plans', 0, 'replicaRetention'], retention));
  expect(plans[0]).toMatchObject({ retention: { keepLast: 7 }, replicaRetention: retention });
  expect(prune).toEqual({ maxShare: 50, orphanGraceDays: 7 });
});

test('functions are told the retention of retired plans, and nothing if there are none', () => {
  expect(settingsFrom(GOOD)).not.toHaveProperty('retired');
  const retired = [{ name: 'old', retention: { keepLast: 1, ttl: '30d' } }];
  expect(settingsFrom(spoilt(['clusters', 0, 'retired'], retired)).retired).toEqual([
    { ...retired[0], timeZone: 'UTC' },
  ]);
});

test('sizes of a rule are told in bytes', () => {
  const rules = [{ name: 'small', minSize: '1Gi', maxSize: '1e10', action: 'skip' }];
  expect(
    settingsFrom(spoilt(['clusters', 0, 'plans', 0, 'volumeRules'], rules)).plans[0]?.volumeRules,
  ).toEqual([
    { name: 'small', storageClasses: [], volumeTypes: [], minBytes: 2 ** 30, maxBytes: 1e10, action: 'skip' },
  ]);
});

test('hours and minutes are told in seconds', () => {
  const text = spoilt(['clusters', 0, 'jobs'], { deadlineHours: 2, startMinutes: 3 });
  expect(settingsFrom(text).jobs).toMatchObject({ deadlineSeconds: 7200, startSeconds: 180 });
});

test('locks are told in S3’s words, and only when there are any', () => {
  expect(settingsFrom(GOOD).vault).not.toHaveProperty('objectLock');
  const text = spoilt(['vault', 'objectLock'], { mode: 'compliance', days: 30 });
  expect(settingsFrom(text).vault.objectLock).toEqual({ mode: 'COMPLIANCE', days: 30 });
});
