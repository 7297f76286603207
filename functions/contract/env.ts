/**
 * Environment variables of every function: only what CloudFormation knows and a file cannot (names that hold
 * the account, ARNs). Everything else a function needs of holdfast.yaml lies beside its code, see settings.ts.
 */
export const ENV = {
  /** Account of the pipeline, of which the buckets are, too, unless holdfast.yaml names others. */
  account: 'HOLDFAST_ACCOUNT',
  /** Role whose credentials, narrowed to one repository, are handed to a restic Job. */
  jobRoleArn: 'HOLDFAST_JOB_ROLE_ARN',
  /** Alias of the key that signs records, in the primary region. */
  signingKey: 'HOLDFAST_SIGNING_KEY',
} as const;

/** File beside a function's code, written at synth: ClusterSettings as JSON. */
export const SETTINGS_FILE = 'cluster.json';
