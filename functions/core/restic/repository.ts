import { hkdfSync } from 'node:crypto';
import type { VaultCopy } from '../../contract/copies.ts';
import { NAMESPACE_TAG } from '../../contract/names.ts';

/**
 * Password of a restic repository: HKDF-SHA256 of the cluster's master secret with the repository's vault key as
 * `info`. Only the master secret must be protected, and the password of one namespace does not open another.
 */
export function repositoryPassword(master: string, repository: string): string {
  const key = hkdfSync(
    'sha256',
    Buffer.from(master, 'utf8'),
    Buffer.alloc(0),
    `holdfast/restic/${repository}`,
    32,
  );
  return Buffer.from(key).toString('base64url');
}

/** URL and region of a repository in a copy of the vault, for the steps of a Job. `repository`: its key in the vault. */
export const repositoryIn = (
  { endpoint, bucket, region }: VaultCopy,
  repository: string,
): { readonly repository: string; readonly region: string } => ({
  repository: repositoryUrl(endpoint, bucket, repository),
  region,
});

/** Value of RESTIC_REPOSITORY. The endpoint includes its scheme. */
export function repositoryUrl(endpoint: string, bucket: string, repository: string): string {
  return `s3:${endpoint.replace(/\/+$/, '')}/${bucket}/${repository}`;
}

/** Where a Job's Secrets are mounted: the repository password and S3 credentials, as files. */
export const SECRET_DIR = '/holdfast';

/**
 * AWS credentials file for restic's S3 client. It names a program that prints credentials, which restic runs
 * again when they have expired. So a Job may run longer than its credentials are valid.
 */
const printedBy = (program: string) =>
  `[default]\ncredential_process = ${program}${SECRET_DIR}/session.json\n`;

/** For restic's image, and for the kubectl image, where only kubectl can print a file (as a template without fields). */
export const CREDENTIALS_FILES = {
  credentials: printedBy('cat '),
  'credentials-kubectl': printedBy('kubectl config view -o go-template-file='),
} as const;

/** Credentials in the output format of a `credential_process`. */
export function sessionFile(c: {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken: string;
  expiration: string;
}): string {
  return JSON.stringify({
    Version: 1,
    AccessKeyId: c.accessKeyId,
    SecretAccessKey: c.secretAccessKey,
    SessionToken: c.sessionToken,
    Expiration: c.expiration,
  });
}

/** Permissions of a Job's credentials, within one repository. */
export type RepositoryUse = 'backup' | 'restore' | 'prune';

const ACTIONS: Record<RepositoryUse, readonly string[]> = {
  backup: ['s3:GetObject', 's3:PutObject'],
  restore: ['s3:GetObject'],
  prune: ['s3:GetObject', 's3:PutObject', 's3:DeleteObject'],
};

/** A session policy for one repository in one or both buckets. A backup may delete only locks. */
export function sessionPolicy(bucketArns: readonly string[], repository: string, use: RepositoryUse): object {
  const below = (path: string) => bucketArns.map((arn) => `${arn}/${repository}/${path}`);
  const prefixes = { StringLike: { 's3:prefix': [`${repository}/*`, repository] } };
  return {
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Action: 's3:GetBucketLocation', Resource: bucketArns },
      { Effect: 'Allow', Action: 's3:ListBucket', Resource: bucketArns, Condition: prefixes },
      { Effect: 'Allow', Action: ACTIONS[use], Resource: below('*') },
      ...(use === 'backup'
        ? [{ Effect: 'Allow', Action: 's3:DeleteObject', Resource: below('locks/*') }]
        : []),
      { Effect: 'Allow', Action: ['kms:Decrypt', 'kms:GenerateDataKey'], Resource: '*' },
    ],
  };
}

/** What the credentials of a Job are limited to: by a session policy, and by the tag that the policy of their role reads. */
export interface SessionScope {
  /** Name of the session, as logs of AWS show it. */
  readonly session: string;
  readonly policy: object;
  readonly tags: Readonly<Record<string, string>>;
}

/** The limits of credentials for one repository. The tag is the last segment of its key `restic/<cluster>/<namespace>`. */
export function sessionScope(
  session: string,
  bucketArns: readonly string[],
  repository: string,
  use: RepositoryUse,
): SessionScope {
  const namespace = repository.slice(repository.lastIndexOf('/') + 1);
  return {
    session,
    policy: sessionPolicy(bucketArns, repository, use),
    tags: { [NAMESPACE_TAG]: namespace },
  };
}
