import type { Answer } from './answers.ts';

/**
 * Permissions that no call of the tests needs, each with the reason why it stays. `*` stands for anything, `\\*` for itself.
 * An entry that matches nothing unused fails the gate.
 */
export const UNUSED_WITH_REASON: readonly Answer[] = [
  [
    '* s3:AbortMultipartUpload *',
    'An upload that fails is aborted, so that its parts are not paid for; uploads of the tests rarely fail.',
    'in some runs',
  ],
  [
    '* lambda:InvokeFunction *:\\*',
    'The versions of a function, which the CDK grants with the function; nothing publishes versions.',
  ],
  ['* sqs:GetQueue*', 'The CDK grants both with the right to send.'],
  [
    '* states:DescribeExecution arn:aws:states:*:execution:holdfast-<cluster>-*',
    'Asked only when a lease is held by another execution, of the machine that holds it.',
    'in some runs',
  ],
  [
    'measure-vault *',
    'It is called every 15 minutes, which is longer than most clusters of the tests live.',
    'in some runs',
  ],
  ...['fail-backup', 'fail-restore'].flatMap((name): Answer[] => [
    [
      `${name} *`,
      'It ends what a failed execution left; the tests of the deployed pipeline rarely make one fail.',
      'in some runs',
    ],
    [`machine-* lambda:InvokeFunction *-${name}`, 'The same.', 'in some runs'],
  ]),
  ...['apply-resources', 'plan-restore', 'reconcile-restore-volumes', 'verify-restore'].map(
    (name): Answer => [
      `${name} s3:* arn:aws:s3:::<*>*`,
      'The functions of a restore share one right to read a recovery point and what the restore wrote.',
    ],
  ),
  ...['commit-backup', 'open-backup'].map(
    (name): Answer => [
      `${name} kms:GetPublicKey *`,
      'Asked only when the backup has a record already, to verify who signed it.',
      'in some runs',
    ],
  ),
  [
    'open-backup s3:DeleteObject *leases/*',
    'It gives its lease back when the work list cannot be written; no later step could.',
    'in some runs',
  ],
  [
    'extend-locks s3:ListBucket * velero/*',
    'It lists versions. S3 tells a missing object from a refusal only to those who may list.',
    'in some runs',
  ],
  [
    'prune-backups s3:GetObject *velero/*',
    'It lists archives and removes them; the right to read comes with that to list.',
    'in some runs',
  ],
  ...['reconcile-prune', 'reconcile-restore-volumes', 'reconcile-verify'].flatMap((name): Answer[] => [
    [
      `${name} kms:Decrypt arn:aws:kms:eu-central-1:*`,
      'It looks whether repositories exist in the replica; the key comes with the right to read there.',
      'in some runs',
    ],
    [`${name} s3:*Object arn:aws:s3:::<replica>/*`, 'The same.', 'in some runs'],
    [`${name} s3:ListBucket arn:aws:s3:::<replica> *`, 'The same.', 'in some runs'],
  ]),
  [
    'replicate-backup s3:GetObject *runs/*',
    'Read only while Jobs of a prune that was stopped may still run.',
    'in some runs',
  ],
  [
    'replicate-backup s3:GetObject arn:aws:s3:::<replica>/records/*',
    'A copy in the replica is read only if S3 has no checksum of it.',
    'in some runs',
  ],
  [
    'verify-vault s3:PutObject *',
    'It writes only what it heals, in the copy that is damaged.',
    'in some runs',
  ],
  [
    '*jobs* s3:GetBucketLocation *',
    'A restic that is told no region asks where the bucket is; that of the Jobs is told. It reveals nothing else.',
    'in some runs',
  ],
];
