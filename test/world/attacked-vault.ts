import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { GetObjectCommand, ListObjectVersionsCommand, type S3Client } from '@aws-sdk/client-s3';
import type { Template } from 'aws-cdk-lib/assertions';
import { openVault } from '../../functions/adapters/s3/vault.ts';
import type { BackupRecord } from '../../functions/core/backup/record.ts';
import { repositoryPassword, repositoryUrl } from '../../functions/core/restic/repository.ts';
import type { VaultKeys } from '../../functions/core/vault/vault-keys.ts';
import type { Signer } from '../../functions/ports/signing-key.ts';
import type { Vault } from '../../functions/ports/vault.ts';
import { putSignedRecord } from '../../functions/runtime/signed-records.ts';
import { flat, statementsOf } from '../infra/support.ts';
import { REGION } from '../support/world.ts';
import type { Keys, Policy } from './minio.ts';

/** Names that CloudFormation knows and this test chooses. */
export const onAws = (text: string): string =>
  text.replaceAll('<AWS::Partition>', 'aws').replaceAll('<AWS::AccountId>', '000000000000');

/** What a function's role of the synthesized template may do. */
export const roleOf = (template: Template, path: string): Policy => ({
  Statement: statementsOf(template, path)
    // Of Step Functions MinIO knows nothing, and takes no policy that names it.
    .filter(({ actions }) => actions.every((action) => /^(s3|kms):/.test(action)))
    .map(({ actions, resources, condition }) => ({
      Effect: 'Allow' as const,
      Action: actions,
      Resource: resources.map(onAws),
      ...(condition !== undefined && { Condition: condition }),
    })),
});

/** What the bucket's policy of a synthesized template refuses to the roles of Holdfast. */
export function refusedTo(template: Template, bucket: string): Policy['Statement'][number] {
  const statements = Object.values(template.findResources('AWS::S3::BucketPolicy')).flatMap(
    (policy) =>
      policy.Properties.PolicyDocument.Statement as { Sid?: string; Action: string[]; Condition: object }[],
  );
  const own = statements.find((s) => s.Sid === 'OwnRolesKeepVersions');
  if (!own || !flat(Object.values(Object.values(own.Condition)[0] as object)[0]).endsWith(':role/holdfast-*'))
    throw new Error('the bucket refuses nothing to roles of Holdfast');
  return {
    Effect: 'Deny',
    // MinIO does not know the log of a bucket, and takes no policy that names it.
    Action: own.Action.filter((action) => action !== 's3:PutBucketLogging'),
    Resource: [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`],
  };
}

/** The repository that restic opens, and the credentials with which it does so. */
export interface ResticContext {
  readonly endpoint: string;
  readonly bucket: string;
  readonly repository: string;
  /** Master secret, from which the password is derived. */
  readonly master: string;
  readonly keys: Keys;
  /** The repository whose password is tried. Absent: its own. */
  readonly passwordOf?: string;
}

/** The restic command with these credentials and the password of the repository. */
export function resticWith(context: ResticContext) {
  const { endpoint, bucket, repository, master, keys, passwordOf = repository } = context;
  return async (...args: string[]): Promise<string> => {
    const env = {
      PATH: process.env.PATH ?? '',
      HOME: '/nonexistent',
      AWS_ACCESS_KEY_ID: keys.accessKeyId,
      AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
      ...(keys.sessionToken && { AWS_SESSION_TOKEN: keys.sessionToken }),
      AWS_DEFAULT_REGION: REGION,
      RESTIC_REPOSITORY: repositoryUrl(endpoint, bucket, repository),
      RESTIC_PASSWORD: repositoryPassword(master, passwordOf),
    };
    const { stdout } = await promisify(execFile)('restic', ['--no-cache', ...args], { env, timeout: 30_000 });
    return stdout;
  };
}

/** Where a recovery point is committed, and the key that signs its record. */
export interface CommitContext {
  readonly vault: Vault;
  readonly keys: VaultKeys;
  readonly signer: Signer;
}

/** Writes an archive and the signed record that lists it, as commit-backup does at the end. */
export async function commitPoint(
  { vault, keys, signer }: CommitContext,
  backup: string,
  snapshot: string,
): Promise<BackupRecord> {
  const archive = Buffer.from(`archive of ${backup}`);
  const sha256 = createHash('sha256').update(archive).digest('hex');
  await vault.put(keys.velero.archive(backup), archive);
  // A pass over the locks takes only what was whole before it began, and a machine's start may be told in whole seconds.
  const aMinuteAgo = new Date(Date.now() - 60_000).toISOString();
  const record: BackupRecord = {
    version: 1,
    cluster: keys.records.root.split('/')[1] as string,
    plan: 'nightly',
    backup,
    phase: 'Completed',
    reasons: [],
    startedAt: aMinuteAgo,
    completedAt: aMinuteAgo,
    namespaces: ['shop'],
    volumes: [{ id: 'shop.data', namespace: 'shop', pvc: 'data', result: 'protected', snapshot }],
    excluded: [],
    unprotected: [],
    objects: [{ key: keys.velero.archive(backup), bytes: archive.length, sha256 }],
  };
  await putSignedRecord(vault, keys.records.record(backup), record, signer);
  return record;
}

export interface Version {
  readonly Key: string;
  readonly VersionId: string;
}

/** Every version of a bucket below a prefix, the oldest of a key last. */
export async function versionsOf(s3: S3Client, bucket: string, prefix = ''): Promise<Version[]> {
  const { Versions = [], IsTruncated } = await s3.send(
    new ListObjectVersionsCommand({ Bucket: bucket, Prefix: prefix }),
  );
  if (IsTruncated) throw new Error('more versions than this test was made for');
  return Versions.map((v) => ({ Key: v.Key as string, VersionId: v.VersionId as string }));
}

/** Brings what was first written under each key into a folder: every key of a recovery point is written once. */
export async function rewindInto(folder: string, s3: S3Client, bucket: string): Promise<void> {
  const first = new Map((await versionsOf(s3, bucket)).map((v) => [v.Key, v]));
  for (const at of first.values()) {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, ...at }));
    const file = join(folder, at.Key);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, (await Body?.transformToByteArray()) ?? '');
  }
}

export const vaultOf = (bucket: string, s3: S3Client): Vault => openVault(bucket, REGION, s3);
