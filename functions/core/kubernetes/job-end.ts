/** Result of a Job: the exit code and log of the deciding container. `undefined` exit code: it never ran. */
export interface JobEnd {
  readonly exitCode: number | undefined;
  readonly log: string;
  /** Name of the deciding container: the first that failed, or the last. */
  readonly step?: string;
  /** Logs of the init containers, by name. */
  readonly reports: Readonly<Record<string, string>>;
  /** Why it failed, according to Kubernetes. */
  readonly message: string | undefined;
  readonly seconds: number;
}
