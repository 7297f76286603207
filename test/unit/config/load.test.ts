import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import { parseDocument, type YAMLMap } from 'yaml';
import { ConfigInvalid, loadConfig, parseConfig } from '../../../infra/config/load.ts';
import { GOOD, spoilt } from './config-text.ts';

const plan = ['clusters', 0, 'plans', 0] as const;

/** What is said of a configuration that is refused. */
function complaint(text: string): string {
  try {
    parseConfig(text, 'holdfast.yaml');
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigInvalid);
    return (error as Error).message;
  }
  throw new Error('the configuration was taken');
}

test('a short configuration is filled up with the defaults', () => {
  const config = parseConfig(GOOD, 'holdfast.yaml');
  expect(config.vault.name).toBe('holdfast-vault');
  const [cluster] = config.clusters;
  expect(cluster?.jobs).toEqual({
    resticImage: 'docker.io/restic/restic:0.19.1',
    kubectlImage: 'registry.k8s.io/kubectl:v1.34.4',
    imagePullSecrets: [],
    concurrency: 5,
    concurrencyPerNode: 2,
    resources: { cpu: '100m', memory: '128Mi', memoryLimit: '1Gi' },
    tolerations: [],
    deadlineHours: 6,
    startMinutes: 10,
    kubeletDir: '/var/lib/kubelet',
  });
  expect(cluster?.plans[0]).toMatchObject({ timeZone: 'UTC', volumes: 'opt-in' });
});

describe('each wrong value is named with its place and a remedy', () => {
  test.each([
    [
      ['vault', 'replicaRegion'],
      'eu-west-1',
      '3 vault.replicaRegion: "eu-west-1" is also vault.region; choose another region',
    ],
    [
      ['vault', 'region'],
      'Europe',
      '2 vault.region: "Europe" is not an AWS region; write one like eu-west-1',
    ],
    [
      ['vault', 'replication'],
      { mode: 'often' },
      'vault.replication.mode: "often" is not a mode; write machine or continuous',
    ],
    [
      ['vault', 'replication'],
      { timeControl: true },
      'vault.replication.timeControl: true requires mode: continuous',
    ],
    [
      ['vault', 'replicaAccount'],
      '222222222222',
      'vault.replicaAccount: "222222222222" requires vault.account; set it to the account of the primary',
    ],
    [['vault', 'account'], 1, 'vault.account: 1 is not text; put it in quotes'],
    [['vault', 'account'], '1', 'vault.account: "1" is not an AWS account ID; write its 12 digits'],
    [['alarms'], { topicArn: 'ops' }, 'alarms.topicArn: "ops" is not the ARN of an SNS topic'],
    [[...plan, 'rpo'], '1 day', 'plans[0].rpo: "1 day" is not a duration; write one like 90m, 26h or 2d'],
    [
      ['vault', 'objectLock'],
      { mode: 'strict', days: 30 },
      '5 vault.objectLock.mode: "strict" is not a mode; write governance or compliance',
    ],
    [
      ['vault', 'objectLock'],
      { mode: 'governance', days: 2 },
      '6 vault.objectLock.days: 2 is too small; write a number from 3 to 36500',
    ],
    [
      ['clusters', 0, 'name'],
      'a'.repeat(21),
      '5 clusters[0].name: "aaaaaaaaaaaaaaaaaaaaa" is longer than 20',
    ],
    [
      ['clusters', 0, 'name'],
      'Prod_1',
      '5 clusters[0].name: "Prod_1" is not a DNS-1123 name; use lower-case',
    ],
    [
      ['clusters', 0, 'access', 'kind'],
      'ssh',
      'clusters[0].access.kind: "ssh" is not a kind of access; write',
    ],
    [
      ['clusters', 0, 'access', 'restoreSecret'],
      'holdfast/prod/backup',
      'access.restoreSecret: "holdfast/prod/backup" is also backupSecret; use the kubeconfig of another identity',
    ],
    [['clusters', 0, 'access', 'backupSecret'], 'arn:x', 'backupSecret: "arn:x" is not a secret name; write'],
    [
      ['clusters', 0, 'jobs'],
      { resticImage: 'restic@sha256:12' },
      'resticImage: "restic@sha256:12" is not an image; write one like',
    ],
    [
      [...plan, 'volumeRules'],
      [{ name: 'r', action: 'mount', snapshotClass: 'fast' }],
      'does not create a snapshot; write snapshot, or remove snapshotClass',
    ],
    [
      [...plan, 'volumeRules'],
      [{ name: 'r', action: 'mount', volumeTypes: ['emptyDir'] }],
      'cannot read an emptyDir, which has no PVC; write node or skip',
    ],
    [['clusters', 0, 'jobs'], { concurrency: 0 }, 'jobs.concurrency: 0 is too small; write'],
    [['clusters', 0, 'jobs'], { concurrency: 1.5 }, 'jobs.concurrency: 1.5 is not a whole number'],
    [
      ['clusters', 0, 'jobs'],
      { s3Endpoint: 'minio:9000' },
      's3Endpoint: "minio:9000" is not an endpoint; write',
    ],
    [['clusters', 0, 'jobs'], { imagePullSecrets: 'x' }, 'imagePullSecrets: "x" is not a list; begin'],
    [['clusters', 0, 'plans'], [], 'clusters[0].plans: is empty; add a plan'],
    [
      [...plan, 'name'],
      'a'.repeat(41),
      'plans[0].name: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" is longer than 40',
    ],
    [[...plan, 'namespaces'], ['Shop'], 'namespaces[0]: "Shop" is not a namespace; use'],
    [[...plan, 'excludedNamespaces'], ['a b'], 'excludedNamespaces[0]: "a b" is not a namespace; use'],
    [[...plan, 'includedResources'], ['Pods'], 'includedResources[0]: "Pods" is not a resource; write'],
    [[...plan, 'includeClusterResources'], 'yes', 'includeClusterResources: "yes" is not true or false'],
    [
      [...plan, 'labelSelector'],
      'a,,b',
      'labelSelector: "a,,b" is not a label selector: a requirement is empty',
    ],
    [
      [...plan, 'orLabelSelectors'],
      ['a in b'],
      'orLabelSelectors[0]: "a in b" is not a label selector: "a in b" is no',
    ],
    [
      [...plan, 'includedClusterScopedResources'],
      ['Nodes'],
      'includedClusterScopedResources[0]: "Nodes" is not a resource; write',
    ],
    [
      ['clusters', 0, 'veleroSources'],
      [{ name: 'replica', bucket: 'b-1', region: 'eu-west-1' }],
      'veleroSources[0].name: "replica" is the name of a copy of the vault; choose another name',
    ],
    [['clusters', 0, 'shardItems'], 0, 'shardItems: 0 is too small; write a number of at least 1'],
    [[...plan, 'namespaces'], [], 'namespaces: is empty; add a namespace'],
    [
      [...plan, 'schedule'],
      'xyz',
      '13 clusters[0].plans[0].schedule: "xyz" is not a schedule: it has 1 field, not five; write',
    ],
    [[...plan, 'schedule'], '0 2 1 * 1', 'EventBridge supports only one of them'],
    [[...plan, 'timeZone'], 'Mars/Base', 'timeZone: "Mars/Base" is not an IANA time zone; write one like'],
    [[...plan, 'volumes'], 'all', 'volumes: "all" is not a volume mode; write opt-in, opt-out or none'],
    [
      [...plan, 'volumeRules'],
      [{ name: 'r', action: 'keep' }],
      '"keep" is not an action; write skip, mount, snapshot or node',
    ],
    [
      [...plan, 'volumeRules'],
      [{ name: 'r', action: 'skip', minSize: '10 GB' }],
      'minSize: "10 GB" is not a Kubernetes quantity; write one like 10Gi',
    ],
    [
      [...plan, 'volumeRules'],
      [{ name: 'r', action: 'skip', minSize: '-1Gi' }],
      'minSize: "-1Gi" is not a Kubernetes quantity; write one like 10Gi',
    ],
    [
      [...plan, 'volumeRules'],
      [{ name: 'r', action: 'skip', maxSize: '1e400' }],
      'maxSize: "1e400" is not a Kubernetes quantity; write one like 10Gi',
    ],
    [
      [...plan, 'volumeRules'],
      [{ name: 'r', action: 'skip', minSize: '2Gi', maxSize: '1Gi' }],
      'maxSize: "1Gi" is less than minSize; swap the two values',
    ],
    [
      ['clusters', 0, 'jobs'],
      { deadlineHours: 24 },
      'deadlineHours: 24 is too large; write a number from 1 to 23',
    ],
    [[...plan, 'retention', 'keepLast'], 0, 'keepLast: 0 keeps nothing; write a number of at least 1'],
    [
      [...plan, 'retention'],
      { ttl: '30d' },
      'plans[0].retention: keeps nothing; add at least one of keepLast, keepHourly',
    ],
    [
      [...plan, 'retention'],
      { keepWithin: '2 weeks' },
      'retention.keepWithin: "2 weeks" is not a duration; write years, months, days and hours, like 14d or 1y6m',
    ],
    [
      [...plan, 'retention'],
      { keepLast: 7, ttl: '0d' },
      'retention.ttl: "0d" is not a duration; write years',
    ],
    [
      [...plan, 'retention'],
      { keepTags: [['a b']] },
      'retention.keepTags[0][0]: "a b" is not a tag; use letters',
    ],
    [[...plan, 'retention'], { keepTags: [[]] }, 'retention.keepTags[0]: is empty; add a tag'],
    [
      [...plan, 'retention'],
      { keepDaily: 0 },
      'retention.keepDaily: 0 keeps nothing; write a number of at least 1',
    ],
    [
      [...plan, 'replicaRetention'],
      {},
      'plans[0].replicaRetention: keeps nothing; add at least one of keepLast',
    ],
    [
      ['clusters', 0, 'prune'],
      { maxShare: 101 },
      'prune.maxShare: 101 is too large; write a number from 1 to 100',
    ],
    [
      ['clusters', 0, 'prune'],
      { orphanGraceDays: 1 },
      'prune.orphanGraceDays: 1 is too small; write a number from 2 to 3650',
    ],
    [
      ['clusters', 0, 'retired'],
      [{ name: 'nightly', retention: { keepLast: 1 } }],
      'retired[0].name: "nightly" is the name of a plan, whose own retention applies; remove one of the two',
    ],
    [['clusters', 0, 'retired'], [{ name: 'old', retention: {} }], 'retired[0].retention: keeps nothing'],
    [
      ['clusters', 0, 'retired'],
      [1, 2].map((keepLast) => ({ name: 'old', retention: { keepLast } })),
      'retired: has more than one retired plan named old; rename one',
    ],
    [[...plan, 'retention'], undefined, 'plans[0].retention: is missing; add it as in holdfast.example.yaml'],
    [[...plan, 'retention'], null, 'plans[0].retention: has no value; give it one'],
    [[...plan, 'name'], 7, 'plans[0].name: 7 is not text; put it in quotes'],
    [[...plan, 'name'], ['a'], 'plans[0].name: is a list, not text'],
    [[...plan, 'scedule'], 'x', 'plans[0].scedule: is not an option; remove it, or look for its spelling'],
  ] as const)('%j = %j', (path, value, expected) => {
    const message = complaint(spoilt(path, value));
    expect(message).toMatch(/^holdfast\.yaml:\d+ /);
    expect(message).toContain(expected);
    expect(message.split('\n')).toHaveLength(1);
  });
});

test('everything that is wrong is said at once', () => {
  const text = spoilt([...plan, 'timeZone'], 'Mars').replace('region: eu-west-1', 'region: here');
  expect(complaint(text).split('\n')).toEqual([
    expect.stringContaining('vault.region'),
    expect.stringContaining('plans[0].timeZone'),
  ]);
});

test('two plans of one name are refused, even beside another mistake', () => {
  const twin = { name: 'nightly', namespaces: 'shop', schedule: 'rate(1 hour)', retention: { keepLast: 1 } };
  const message = complaint(spoilt(['clusters', 0, 'plans', 1], twin));
  expect(message).toContain('clusters[0].plans: has more than one plan named nightly; rename one');
  expect(message).toContain('namespaces: "shop" is not a list');
});

test('two clusters of one name are refused', () => {
  const clusters = parseConfig(GOOD, 'f').clusters;
  expect(complaint(spoilt(['clusters'], [...clusters, ...clusters]))).toContain(
    'has more than one cluster named prod',
  );
});

test('a plan that chooses types in both of Velero’s ways is refused', () => {
  const text = spoilt([...plan, 'includedResources'], ['pods']).replace(
    /^( *)includedResources:/m,
    '$1excludedClusterScopedResources: [nodes]\n$1includedResources:',
  );
  expect(complaint(text)).toContain(
    'plans[0]: combines two ways to select types; use either includedResources, ',
  );
});

test('text that is not YAML is refused with its line', () => {
  expect(complaint('vault: [1\nclusters: 2\n')).toMatch(
    /^holdfast\.yaml:2 is not YAML: .*\nCorrect the indentation/,
  );
});

test('an empty file misses both of its parts', () => {
  expect(complaint('')).toMatch(/:1 vault: is missing.*\n.*:1 clusters: is missing/);
});

describe('the file is found', () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-config-'));
  const file = join(folder, 'other.yaml');
  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(file, { force: true });
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test('by HOLDFAST_CONFIG', () => {
    writeFileSync(file, GOOD);
    vi.stubEnv('HOLDFAST_CONFIG', file);
    expect(loadConfig().clusters).toHaveLength(1);
  });

  test('by the path given, before HOLDFAST_CONFIG', () => {
    writeFileSync(file, GOOD);
    vi.stubEnv('HOLDFAST_CONFIG', '/nowhere.yaml');
    expect(loadConfig(file).clusters).toHaveLength(1);
  });

  test('or its absence says what to do', () => {
    vi.stubEnv('HOLDFAST_CONFIG', undefined);
    expect(() => loadConfig(file)).toThrow('correct its name');
    vi.stubEnv('HOLDFAST_CONFIG', file);
    expect(() => loadConfig()).toThrow('correct HOLDFAST_CONFIG');
  });
});

test('the control plane of EKS is refused with the reason', () => {
  const text = spoilt(['clusters', 0, 'access'], { kind: 'eks', name: 'prod', region: 'eu-west-1' }).replace(
    'schedule:',
    'controlPlane: true\n        schedule:',
  );
  expect(complaint(text)).toContain(
    'clusters[0].plans[0].controlPlane: true is not supported on EKS, where AWS manages etcd',
  );
});

test('a scratch etcd without a snapshot of etcd is refused with the remedy', () => {
  expect(complaint(GOOD.replace('schedule:', 'scratchEtcd: true\n        schedule:'))).toContain(
    'clusters[0].plans[0].scratchEtcd: true requires controlPlane: true; add it',
  );
});

describe('exclude files', () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-config-'));
  const file = join(folder, 'holdfast.yaml');
  const withFile = (name: string) =>
    writeFileSync(
      file,
      GOOD.replace(
        /( +)namespaces: \[shop\]/,
        (line, indent) => `${line}\n${indent}restic: { excludes: ["*.tmp"], excludeFiles: [${name}] }`,
      ),
    );
  afterAll(() => rmSync(folder, { recursive: true }));

  test('are read beside holdfast.yaml, without their comments', () => {
    writeFileSync(join(folder, 'excludes.txt'), '# caches\n*.cache\n\n  node_modules  \n');
    withFile('excludes.txt');
    expect(loadConfig(file).clusters[0]?.plans[0]?.restic.excludes).toEqual([
      '*.tmp',
      '*.cache',
      'node_modules',
    ]);
  });

  test('that are missing are named', () => {
    withFile('nowhere.txt');
    expect(() => loadConfig(file)).toThrow(
      /names the exclude file nowhere\.txt, which does not exist; create it/,
    );
  });
});

test('an image may be pinned by its digest', () => {
  const pinned = `docker.io/restic/restic:0.19.1@sha256:${'0a'.repeat(32)}`;
  const config = parseConfig(
    GOOD.replace('    access:', `    jobs: { resticImage: "${pinned}" }\n    access:`),
    'f',
  );
  expect(config.clusters[0]?.jobs.resticImage).toBe(pinned);
});

test('a replica in another account is for as many clusters as the policy of its bucket can name', () => {
  const text = (count: number) => {
    const document = parseDocument(GOOD);
    document.setIn(['vault', 'account'], '111111111111');
    document.setIn(['vault', 'replicaAccount'], '222222222222');
    const cluster = document.getIn(['clusters', 0]) as YAMLMap;
    const named = Array.from({ length: count }, (_, i) => ({ ...cluster.toJSON(), name: `c${i}` }));
    document.setIn(['clusters'], document.createNode(named));
    return document.toString();
  };
  expect(parseConfig(text(10), 'holdfast.yaml').clusters).toHaveLength(10);
  expect(complaint(text(11))).toContain('vault.replicaAccount: "222222222222" is for at most 10 clusters');
});
