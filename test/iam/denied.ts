import type { Answer } from './answers.ts';

/**
 * Calls that IAM denies and the pipeline bears, as `<asker> <action> <resource> <context>`, each with the reason. An entry that
 * matches no denied call fails the gate.
 */
export const DENIED_WITH_REASON: readonly Answer[] = [
  [
    'Job of * s3:ListBucket arn:aws:s3:::* {}',
    'restic asks whether the bucket exists before it makes a repository, and takes a denial for a yes.',
  ],
];
