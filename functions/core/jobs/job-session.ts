/** Credentials are valid for one hour (the maximum of role chaining) and are renewed after half of it. */
export const SESSION_SECONDS = 1800;

/** Number of the credential set that a Job with this start time must have now. */
export const sessionDue = (startTime: Date | undefined, now: Date): number =>
  startTime ? 1 + Math.floor((now.getTime() - startTime.getTime()) / 1000 / SESSION_SECONDS) : 1;

/** Name of the Secret with a Job's n-th credentials. The first Secret also contains the repository's password. */
export const sessionSecretName = (job: string, session: number): string =>
  session === 1 ? job : `${job}-${session}`;
