import type { Template } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { FUNCTION_NAMES, lambdaName } from '../../functions/contract/functions.ts';
import { JOB_USES, jobRoleName } from '../../functions/contract/names.ts';
import { parseConfig } from '../../infra/config/load.ts';
import type { Config } from '../../infra/config/schema.ts';
import { allowed, flat, KUBECONFIG, type Statement, stackOf, statementsOf, templateOf } from './support.ts';

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
      (s) => s.Effect === 'Allow' && s.Condition?.ArnEquals?.['aws:PrincipalArn'] !== undefined,
    );

  test('is a stack of that account, by which its bucket is named', () => {
    const stack = stackOf('replica', config(ELSEWHERE));
    expect([stack.account, stack.region]).toEqual(['222222222222', 'eu-central-1']);
    expect(flat(bucketOf(template).BucketName)).toBe('holdfast-vault-222222222222-eu-central-1');
    expect(stackOf('vault', config(ELSEWHERE)).account).toBe('111111111111');
  });

  /** Names of the roles that a statement admits. */
  const admitted = (statement: { Condition?: Record<string, Record<string, unknown>> }) =>
    [statement.Condition?.ArnEquals?.['aws:PrincipalArn']]
      .flat()
      .map((arn) => flat(arn).replace('arn:<AWS::Partition>:iam::111111111111:role/', ''));
  const policies = [
    ['AWS::S3::BucketPolicy', 'PolicyDocument'],
    ['AWS::KMS::Key', 'KeyPolicy'],
  ] as const;

  test('lets in roles of the pipeline by their names, and no other of the account', () => {
    const clusterRoles = Object.values(cluster.findResources('AWS::IAM::Role')).map(
      (role) => role.Properties.RoleName,
    );
    for (const [type, property] of policies) {
      const statements = letIn(type, property);
      const roles = new Set(statements.flatMap(admitted));
      expect(
        [...roles].filter((role) => role !== 'holdfast-vault-replication' && !clusterRoles.includes(role)),
      ).toEqual([]);
      expect(roles).toContain('holdfast-vault-replication');
      expect(JSON.stringify(statements.map((s) => s.Condition))).not.toMatch(/role\/[^"]*[*?]/);
      for (const { Principal } of statements) expect(JSON.stringify(Principal)).toContain('111111111111');
    }
  });

  test('lets each role do there what its own policy says, and no role more', () => {
    const inReplica = (statement: Statement) => statement.resources.some((r) => r.includes('222222222222'));
    const given = (path: string) =>
      statementsOf(cluster, path)
        .filter(inReplica)
        .flatMap((s) => s.actions);
    const open = policies.flatMap(([type, property]) => letIn(type, property));
    const opened = (role: string) =>
      open.filter((s) => admitted(s).includes(role)).flatMap((s) => [s.Action].flat());
    const roles = [
      ...FUNCTION_NAMES.map((name) => [name, lambdaName('prod', name)] as const),
      ...JOB_USES.map((use) => [`jobs-${use}`, jobRoleName('prod', use)] as const),
    ];
    /** What comes with reading and writing; not every role needs it. */
    const COMMON = [
      's3:GetBucketLocation',
      's3:ListBucket',
      's3:GetObject',
      'kms:Decrypt',
      's3:AbortMultipartUpload',
    ];
    for (const [path, role] of roles) {
      const [needs, gets] = [new Set(given(path)), opened(role)];
      expect([role, [...needs].filter((action) => !gets.includes(action))]).toEqual([role, []]);
      const more = gets.filter(
        (action) => !needs.has(action) && !(needs.size > 0 && COMMON.includes(action)),
      );
      expect([role, more]).toEqual([role, []]);
    }
  });

  /** A document as AWS gets it. */
  const plain = (document: unknown): string =>
    JSON.stringify(document, (_, value) =>
      typeof value === 'object' &&
      value !== null &&
      ('Fn::Join' in value || 'Ref' in value || 'Fn::GetAtt' in value)
        ? flat(value)
            .replaceAll('<AWS::Partition>', 'aws')
            .replace(/<Vault\w+\.Arn>/, 'arn:aws:s3:::holdfast-vault-222222222222-eu-central-1')
        : value,
    );

  test('has a policy that S3 takes, of 20 KB, with ten clusters', () => {
    const many = config(ELSEWHERE);
    const clusters = Array.from({ length: 10 }, (_, i) => ({
      ...(many.clusters[0] as Config['clusters'][number]),
      name: `cluster-of-20-chars-${i}`,
    }));
    const large = templateOf(stackOf('replica', { ...many, clusters }));
    const [bucketPolicy] = Object.values(large.findResources('AWS::S3::BucketPolicy'));
    expect(plain(bucketPolicy?.Properties.PolicyDocument).length).toBeLessThan(19_000); // other partitions and regions have longer names
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
