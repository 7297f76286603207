/** How long an execution of any machine may take, and so how long a lease that it takes may be held: a day. */
export const EXECUTION_TIMEOUT_SECONDS = 24 * 3600;
