/** Timeout of an execution of any machine, and duration of the lease that it acquires: one day. */
export const EXECUTION_TIMEOUT_SECONDS = 24 * 3600;
