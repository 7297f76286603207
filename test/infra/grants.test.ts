import { describe, expect, test } from 'vitest';
import { FUNCTION_NAMES, FUNCTIONS, type FunctionName } from '../../functions/contract/functions.ts';
import { RIGHTS } from '../../infra/constructs/grants.ts';
import { allowed, clusterTemplate, PRIMARY, REPLICA, statementsOf } from './support.ts';

const template = clusterTemplate();
const MINTING = FUNCTION_NAMES.filter((name) => RIGHTS[name].mints);
const SIGNING = ['kms:Sign', 'kms:GetPublicKey'];
const roots = (...names: string[]) => names.map((root) => `${PRIMARY}/${root}/prod/*`).sort();
const secret = (name: string) =>
  `arn:<AWS::Partition>:secretsmanager:eu-west-1:<AWS::AccountId>:secret:${name}-??????`;

describe.each(FUNCTION_NAMES)('%s', (name) => {
  const statements = statementsOf(template, name);

  test('has no wildcard action, and no resource "*"', () => {
    expect(statements.flatMap((s) => s.actions).filter((action) => action.includes('*'))).toEqual([]);
    expect(statements.filter((s) => s.resources.includes('*'))).toEqual([]);
  });

  test('uses keys only by the alias of the vault', () => {
    const kms = statements.filter((s) => s.actions.some((a) => a.startsWith('kms:')));
    expect(kms.length).toBeGreaterThan(0);
    for (const s of kms) {
      expect(s.condition).toEqual({
        'ForAnyValue:StringEquals': {
          'kms:ResourceAliases': s.actions.some((a) => SIGNING.includes(a))
            ? 'alias/holdfast-vault-signing'
            : 'alias/holdfast-vault',
        },
      });
    }
  });

  test('reaches only objects of its own cluster', () => {
    const objects = statements.filter((s) => s.actions.some((a) => /^s3:\w+Object|^s3:Abort/.test(a)));
    for (const resource of objects.flatMap((s) => s.resources))
      expect(resource).toMatch(
        /-eu-(west|central)-1\/((velero|restic|records|inventories|exports|restores|leases|runs)\/prod\/\*|records\/prod\/\*\/lock\.json)$/,
      );
  });

  test('lists only below prefixes of its own cluster', () => {
    const listing = statements.filter((s) => s.actions.includes('s3:ListBucket'));
    expect(listing.length).toBeGreaterThan(0);
    for (const { condition } of listing) {
      const prefixes = [
        (condition as { StringLike: Record<string, string | string[]> }).StringLike['s3:prefix'],
      ];
      for (const prefix of prefixes.flat()) expect(prefix).toMatch(/^\w+\/prod\/\*$/);
    }
  });

  test('may list whatever it may read: without that, S3 says 403 of an object that is not there', () => {
    const listed = statements
      .filter((s) => s.actions.includes('s3:ListBucket'))
      .flatMap((s) => (s.condition as { StringLike: Record<string, string[]> }).StringLike['s3:prefix']);
    for (const resource of allowed(template, name, 's3:GetObject'))
      expect(listed).toContain(resource.replace(/^.*-\d\//, ''));
  });
});

describe('the key that signs records', () => {
  test('signs for the function that commits a backup, and for nobody else', () => {
    const signing = FUNCTION_NAMES.filter((name) => allowed(template, name, 'kms:Sign').length > 0);
    expect(signing).toEqual(['commit-backup']);
  });
  test('is shown to those who verify records before they act on them', () => {
    const reading = FUNCTION_NAMES.filter((name) => allowed(template, name, 'kms:GetPublicKey').length > 0);
    expect(reading).toEqual([
      'open-backup',
      'commit-backup',
      'replicate-backup',
      'prune-backups',
      'measure-vault',
      'verify-vault',
      'extend-locks',
      'plan-restore',
    ]);
  });
});

describe('who may see schedules', () => {
  test('only the function that measures, and only those of its cluster', () => {
    const seeing = FUNCTION_NAMES.filter(
      (name) => allowed(template, name, 'scheduler:GetSchedule').length > 0,
    );
    expect(seeing).toEqual(['measure-vault']);
    expect(allowed(template, 'measure-vault', 'scheduler:GetSchedule')).toEqual([
      'arn:<AWS::Partition>:scheduler:eu-west-1:<AWS::AccountId>:schedule/holdfast-prod/*',
    ]);
  });
});

describe('who may see executions', () => {
  test.each(['open-backup', 'replicate-backup', 'prune-backups', 'plan-restore'])(
    '%s, of the machines that take leases',
    (name) => {
      expect(allowed(template, name, 'states:DescribeExecution')).toEqual(
        ['backup', 'prune', 'replicate', 'restore'].map(
          (machine) =>
            `arn:<AWS::Partition>:states:eu-west-1:<AWS::AccountId>:execution:holdfast-prod-${machine}:*`,
        ),
      );
    },
  );
  test('nobody else', () => {
    const others = FUNCTION_NAMES.filter(
      (name) => !['open-backup', 'replicate-backup', 'prune-backups', 'plan-restore'].includes(name),
    );
    for (const name of others) expect(allowed(template, name, 'states:DescribeExecution')).toEqual([]);
  });
});

describe('who may write what', () => {
  test('the export adds to its backup and removes nothing', () => {
    expect(allowed(template, 'export-resources', 's3:PutObject')).toEqual(
      roots('exports', 'records', 'velero'),
    );
    expect(allowed(template, 'export-resources', 's3:DeleteObject')).toEqual([]);
  });

  test('only pruning removes records and archives; everyone else removes leases, parts of exports and what runs made at most', () => {
    for (const name of FUNCTION_NAMES.filter((n) => n !== 'prune-backups'))
      for (const resource of allowed(template, name, 's3:DeleteObject'))
        expect(roots('exports', 'leases', 'runs')).toContain(resource);
    expect(allowed(template, 'prune-backups', 's3:DeleteObject')).toEqual(
      [
        ...roots('leases', 'records', 'velero'),
        `${REPLICA}/records/prod/*`,
        `${REPLICA}/velero/prod/*`,
      ].sort(),
    );
  });

  test('only replication, and verification to heal it, write to the second copy; who extends locks says so in lock.json alone', () => {
    const inReplica = (name: FunctionName) =>
      allowed(template, name, 's3:PutObject').filter((resource) => resource.startsWith(REPLICA));
    const writers = FUNCTION_NAMES.filter((name) => inReplica(name).length > 0);
    expect(writers).toEqual(['replicate-backup', 'verify-vault', 'extend-locks']);
    expect(inReplica('extend-locks')).toEqual([`${REPLICA}/records/prod/*/lock.json`]);
  });

  test('a restore writes its own documents, leases and what it made, never a recovery point', () => {
    for (const name of FUNCTION_NAMES.filter((n) => FUNCTIONS[n].machine === 'restore'))
      for (const resource of allowed(template, name, 's3:PutObject'))
        expect(roots('restores', 'leases', 'runs')).toContain(resource);
  });
});

test('a Velero source is read by those who read archives, below its prefix alone', () => {
  const source = 'arn:<AWS::Partition>:s3:::company-velero/prod/backups/*';
  const withSource = clusterTemplate(undefined, {
    veleroSources: [{ name: 'old', bucket: 'company-velero', region: 'eu-west-1', prefix: 'prod/' }],
  });
  const readers = FUNCTION_NAMES.filter((name) => allowed(withSource, name, 's3:GetObject').includes(source));
  expect(readers).toEqual(['plan-restore', 'apply-resources', 'verify-restore']);
  for (const name of FUNCTION_NAMES)
    for (const action of ['s3:PutObject', 's3:DeleteObject'])
      expect(allowed(withSource, name, action).join()).not.toContain('company-velero');
});

describe('secrets', () => {
  const readers = (name: string) =>
    FUNCTION_NAMES.filter((fn) =>
      allowed(template, fn, 'secretsmanager:GetSecretValue').includes(secret(name)),
    );

  test('the kubeconfig for restores is read by the restore functions alone', () => {
    expect(readers('holdfast/prod/restore')).toEqual(
      FUNCTION_NAMES.filter((name) => FUNCTIONS[name].access === 'restore'),
    );
  });

  test('the kubeconfig for backups is read by the backup functions alone', () => {
    expect(readers('holdfast/prod/backup')).toEqual(
      FUNCTION_NAMES.filter((name) => FUNCTIONS[name].access === 'backup'),
    );
  });

  test('the master secret is read by those who start Jobs, and by those who look into repositories themselves', () => {
    expect(readers('holdfast/prod/repository-master')).toEqual(
      FUNCTION_NAMES.filter((name) => MINTING.includes(name) || RIGHTS[name].opens),
    );
    expect(FUNCTION_NAMES.filter((name) => RIGHTS[name].opens)).toEqual(['commit-backup', 'prune-backups']);
  });
});
