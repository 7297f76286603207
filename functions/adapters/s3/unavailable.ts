import { HoldfastError, messageOf } from '../../contract/holdfast-error.ts';

/** The retryable error of any failed request to a bucket. `what`: a key, a prefix, or an action. */
export const unavailable = (what: string, bucket: string, cause: unknown): HoldfastError =>
  new HoldfastError('VaultUnavailable', `${what} in bucket ${bucket}: ${messageOf(cause)}`, { cause });
