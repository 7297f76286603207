import type { Template } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { FUNCTION_NAMES } from '../../functions/contract/functions.ts';
import { JOB_USES } from '../../functions/contract/names.ts';
import { parseConfig } from '../../infra/config/load.ts';
import type { Config } from '../../infra/config/schema.ts';
import { allowed, flat, KUBECONFIG, stackOf, statementsOf, templateOf } from './support.ts';

/** A configuration with these options of the vault, as YAML. */
const config = (vault: string): Config =>
  parseConfig(
    `
vault: { region: eu-west-1, replicaRegion: eu-central-1, ${vault} }
clusters:
  - name: prod
    access: ${KUBECONFIG}
    plans: [{ name: nightly, namespaces: [shop], schedule: "0 2 * * *", retention: { keepLast: 7 } }]
`,
    'holdfast.yaml',
  );
const primary = (vault: string) => templateOf(stackOf('vault', config(vault)));
const replica = (vault: string) => templateOf(stackOf('replica', config(vault)));
const CONTINUOUS = 'replication: { mode: continuous }';
const TIME_CONTROL = 'replication: { mode: continuous, timeControl: true }';
const ELSEWHERE = 'account: "111111111111", replicaAccount: "222222222222"';

interface Rule {
  readonly Id: string;
  readonly Filter: unknown;
  readonly Priority: number;
  readonly [property: string]: unknown;
  readonly Destination: {
    readonly Bucket: unknown;
    readonly EncryptionConfiguration: Record<string, unknown>;
  };
}
const bucketOf = (template: Template) =>
  Object.values(template.findResources('AWS::S3::Bucket'))[0]?.Properties as Record<string, never>;
const replicationOf = (template: Template) =>
  bucketOf(template).ReplicationConfiguration as { Role: unknown; Rules: Rule[] } | undefined;

describe('replication by the machine', () => {
  test('is the default, without a rule or a role of S3', () => {
    const template = primary('name: holdfast-vault');
    expect(replicationOf(template)).toBeUndefined();
    template.resourceCountIs('AWS::IAM::Role', 0);
    template.resourceCountIs('AWS::CloudWatch::Alarm', 0);
  });
});

describe('continuous replication', () => {
  const template = primary(CONTINUOUS);
  const rules = replicationOf(template)?.Rules ?? [];

  test('takes archives and repositories along, encrypted objects too, and no removal', () => {
    expect(rules.map((r) => [r.Id, r.Filter, r.Priority])).toEqual([
      ['velero', { Prefix: 'velero/' }, 1],
      ['restic', { Prefix: 'restic/' }, 2],
    ]);
    for (const rule of rules)
      expect(rule).toMatchObject({
        Status: 'Enabled',
        DeleteMarkerReplication: { Status: 'Disabled' },
        SourceSelectionCriteria: { SseKmsEncryptedObjects: { Status: 'Enabled' } },
      });
  });

  test('writes into the second copy under its own key, both by name', () => {
    for (const { Destination } of rules) {
      expect(flat(Destination.Bucket)).toBe(
        'arn:<AWS::Partition>:s3:::holdfast-vault-<AWS::AccountId>-eu-central-1',
      );
      expect(flat(Destination.EncryptionConfiguration.ReplicaKmsKeyID)).toBe(
        'arn:<AWS::Partition>:kms:eu-central-1:<AWS::AccountId>:alias/holdfast-vault',
      );
      expect(Destination).toMatchObject({ Metrics: { Status: 'Enabled' } });
      for (const absent of ['ReplicationTime', 'Account', 'AccessControlTranslation'])
        expect(Destination).not.toHaveProperty(absent);
    }
  });

  test('with time control has S3’s limit of 15 minutes', () => {
    for (const { Destination } of replicationOf(primary(TIME_CONTROL))?.Rules ?? [])
      expect(Destination).toMatchObject({
        ReplicationTime: { Status: 'Enabled', Time: { Minutes: 15 } },
        Metrics: { Status: 'Enabled', EventThreshold: { Minutes: 15 } },
      });
  });

  test('has a role that removes nothing and reaches nothing else', () => {
    const all = statementsOf(template, 'Replication/Role');
    const actions = all.flatMap((s) => s.actions);
    expect(actions.filter((action) => /\*|Delete/.test(action))).toEqual([]);
    expect(all.flatMap((s) => s.resources)).not.toContain('*');
    const at = (region: string) =>
      ['restic', 'velero'].map(
        (root) => `arn:<AWS::Partition>:s3:::holdfast-vault-<AWS::AccountId>-${region}/${root}/*`,
      );
    expect(allowed(template, 'Replication/Role', 's3:GetObjectVersionForReplication')).toEqual(
      at('eu-west-1'),
    );
    expect(allowed(template, 'Replication/Role', 's3:ReplicateObject')).toEqual(at('eu-central-1'));
  });

  test('may decrypt with the key of the primary and encrypt with that of the replica, through S3 alone', () => {
    const keys = statementsOf(template, 'Replication/Role').filter((s) => s.actions[0]?.startsWith('kms:'));
    expect(keys.map((s) => [s.actions, s.resources])).toEqual([
      [['kms:Decrypt'], ['arn:<AWS::Partition>:kms:eu-west-1:<AWS::AccountId>:key/*']],
      [
        ['kms:Encrypt', 'kms:GenerateDataKey'],
        ['arn:<AWS::Partition>:kms:eu-central-1:<AWS::AccountId>:key/*'],
      ],
    ]);
    for (const { condition } of keys)
      expect(condition).toMatchObject({
        'ForAnyValue:StringEquals': { 'kms:ResourceAliases': 'alias/holdfast-vault' },
        StringEquals: { 'kms:ViaService': expect.anything() },
      });
  });
});

describe('a second copy in another account', () => {
  const template = replica(ELSEWHERE);
  const cluster = templateOf(stackOf('cluster', config(ELSEWHERE)));
  const policy = (type: string, property: string) =>
    Object.values(template.findResources(type))[0]?.Properties[property].Statement as {
      Action: string | string[];
      Effect: string;
      Principal: Record<string, unknown>;
      Condition?: Record<string, Record<string, unknown>>;
    }[];
  const letIn = (type: string, property: string) =>
    policy(type, property).filter(
      (s) => s.Effect === 'Allow' && s.Condition?.ArnLike?.['aws:PrincipalArn'] !== undefined,
    );

  test('is a stack of that account, by which its bucket is named', () => {
    const stack = stackOf('replica', config(ELSEWHERE));
    expect([stack.account, stack.region]).toEqual(['222222222222', 'eu-central-1']);
    expect(flat(bucketOf(template).BucketName)).toBe('holdfast-vault-222222222222-eu-central-1');
    expect(stackOf('vault', config(ELSEWHERE)).account).toBe('111111111111');
  });

  test('lets in roles of the pipeline, and no other of the account', () => {
    for (const [type, property] of [
      ['AWS::S3::BucketPolicy', 'PolicyDocument'],
      ['AWS::KMS::Key', 'KeyPolicy'],
    ] as const) {
      const statements = letIn(type, property);
      const roles = statements.flatMap((s) => s.Condition?.ArnLike?.['aws:PrincipalArn']);
      expect(new Set(roles.map(flat))).toEqual(
        new Set([
          'arn:<AWS::Partition>:iam::111111111111:role/holdfast-*',
          'arn:<AWS::Partition>:iam::111111111111:role/holdfast-vault-replication',
        ]),
      );
      for (const { Principal } of statements) expect(JSON.stringify(Principal)).toContain('111111111111');
    }
  });

  test('owns what is written there', () => {
    expect(bucketOf(template).OwnershipControls).toEqual({
      Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }],
    });
    for (const { Destination } of replicationOf(primary(`${ELSEWHERE}, ${CONTINUOUS}`))?.Rules ?? [])
      expect(Destination).toMatchObject({
        Account: '222222222222',
        AccessControlTranslation: { Owner: 'Destination' },
      });
  });

  test('is open to every action that a role here is given there', () => {
    const theirs = (arn: string) => arn.includes('222222222222');
    const given = [...FUNCTION_NAMES, ...JOB_USES.map((use) => `jobs-${use}`)].flatMap((name) =>
      statementsOf(cluster, name)
        .filter((s) => s.resources.some(theirs))
        .flatMap((s) => s.actions),
    );
    expect(given).toContain('s3:PutObject');
    expect(given).toContain('kms:Decrypt');
    const open = [
      ...letIn('AWS::S3::BucketPolicy', 'PolicyDocument'),
      ...letIn('AWS::KMS::Key', 'KeyPolicy'),
    ];
    const allowedThere = new Set(open.flatMap((s) => s.Action));
    expect([...new Set(given)].filter((action) => !allowedThere.has(action))).toEqual([]);
  });

  test('is reached by functions under its own name and key', () => {
    const resources = allowed(cluster, 'replicate-backup', 's3:PutObject');
    expect(resources).toContain(
      'arn:<AWS::Partition>:s3:::holdfast-vault-222222222222-eu-central-1/records/prod/*',
    );
    expect(allowed(cluster, 'replicate-backup', 'kms:Decrypt')).toContain(
      'arn:<AWS::Partition>:kms:eu-central-1:222222222222:key/*',
    );
  });

  test('is closed to other accounts unless one is named', () => {
    const own = replica('name: holdfast-vault');
    const allowed = Object.values(own.findResources('AWS::S3::BucketPolicy')).flatMap((policy) =>
      (policy.Properties.PolicyDocument.Statement as { Effect: string }[]).filter(
        (s) => s.Effect === 'Allow',
      ),
    );
    expect(JSON.stringify([allowed, own.findResources('AWS::KMS::Key')])).not.toContain('aws:PrincipalArn');
  });
});
