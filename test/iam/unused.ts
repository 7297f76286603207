import type { Answer } from './answers.ts';

/**
 * Permissions that no call of the tests needs, each with the reason why it stays. `*` stands for anything. An entry that
 * matches nothing unused fails the gate.
 */
export const UNUSED_WITH_REASON: readonly Answer[] = [
  [
    '* s3:AbortMultipartUpload *',
    'An upload that fails is aborted, so that its parts are not paid for; uploads of the tests rarely fail.',
  ],
  [
    '* lambda:InvokeFunction *:\\*',
    'The versions of a function, which the CDK grants with the function; nothing publishes versions.',
  ],
  ['* sqs:GetQueue*', 'The CDK grants both with the right to send.'],
  [
    '* states:DescribeExecution arn:aws:states:*:execution:holdfast-<cluster>-*',
    'Asked only when a lease is held by another execution, of the machine that holds it.',
  ],
];
