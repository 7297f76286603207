/**
 * Names of the errors that functions return to state machines. Retry and Catch match only on these names.
 * `retryable`: the error is transient. All others need an operator.
 */
export const ERRORS = {
  InputInvalid: { retryable: false },
  PlanNotFound: { retryable: false },
  BackupInProgress: { retryable: false },
  RestoreInProgress: { retryable: false },
  LeaseUnreadable: { retryable: false },
  ClusterUnreachable: { retryable: true },
  ClusterBusy: { retryable: true },
  ClusterAccessDenied: { retryable: false },
  ClusterCredentialsInvalid: { retryable: false },
  VaultUnavailable: { retryable: true },
  VaultObjectMissing: { retryable: false },
  RecoveryPointNotFound: { retryable: false },
  RecoveryPointDamaged: { retryable: false },
  RecordForged: { retryable: false },
  RecordUnsigned: { retryable: false },
  ReplicaMismatch: { retryable: true },
  VaultNotLocked: { retryable: false },
  RetentionEmpty: { retryable: false },
  PruneRefused: { retryable: false },
  /** Fails the verify machine; an alarm watches it. */
  VaultObjectsLost: { retryable: false },
  RestoreRefused: { retryable: false },
} as const;

export type ErrorName = keyof typeof ERRORS;
export const ERROR_NAMES = Object.keys(ERRORS) as ErrorName[];
export const RETRYABLE_ERRORS = ERROR_NAMES.filter((name) => ERRORS[name].retryable);
