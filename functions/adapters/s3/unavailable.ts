import { HoldfastError, messageOf } from '../../contract/holdfast-error.ts';

/** The error of whatever failed between Holdfast and a bucket: worth another try. `what`: a key, a prefix, or an act. */
export const unavailable = (what: string, bucket: string, cause: unknown): HoldfastError =>
  new HoldfastError('VaultUnavailable', `${what} in bucket ${bucket}: ${messageOf(cause)}`, { cause });
