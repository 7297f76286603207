/**
 * Environment variables of every function: only values that CloudFormation resolves (names that contain the
 * account, ARNs). All other settings from holdfast.yaml are in a file next to the code, see settings.ts.
 */
export const ENV = {
  /** Account of the pipeline, and of the buckets unless holdfast.yaml names other accounts. */
  account: 'HOLDFAST_ACCOUNT',
  /** Role for restic Jobs. Each Job gets credentials that a session policy limits to one repository. */
  jobRoleArn: 'HOLDFAST_JOB_ROLE_ARN',
  /** Alias of the key that signs records, in the primary region. */
  signingKey: 'HOLDFAST_SIGNING_KEY',
} as const;

/** File next to a function's code, written at synth: ClusterSettings as JSON. */
export const SETTINGS_FILE = 'cluster.json';
