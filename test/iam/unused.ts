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
  [
    '*jobs* s3:GetBucketLocation *',
    'A restic that is told no region asks where the bucket is; that of the Jobs is told. It reveals nothing else.',
    'in some runs',
  ],
];
