/** How a Job ended: its last container's exit code and log. `undefined`: the container never ran. */
export interface JobEnd {
  readonly exitCode: number | undefined;
  readonly log: string;
  /** The container that decided. */
  readonly step?: string;
  /** Logs of containers before the last, by name, of a Job that has several. */
  readonly reports: Readonly<Record<string, string>>;
  /** Why Kubernetes says it failed, when it says so. */
  readonly message: string | undefined;
  readonly seconds: number;
}
