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
];
