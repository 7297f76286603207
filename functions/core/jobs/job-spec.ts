import type { JobSettings } from '../../contract/settings.ts';

/** The step that takes a restic snapshot. */
export const BACKUP_STEP = 'backup';

/** One restic command of a Job. `repository` is a full restic URL. */
export interface ResticStep {
  readonly name: string;
  readonly args: readonly string[];
  readonly repository: string;
  readonly region: string;
  /** Image and path of restic, if it runs in another image. */
  readonly within?: { readonly image: string; readonly restic: string };
}

/** The volume that a Job mounts. */
export type JobMount = {
  readonly path: string;
  readonly readOnly: boolean;
} /** `temporary`: created from a snapshot for this Job. Mounted read-write, because its file system may need journal recovery. */ & (
  | { readonly pvc: string; readonly temporary?: boolean }
  | { readonly folder: string }
);

/** A step with a program of another image. */
export interface ToolStep {
  readonly name: string;
  readonly image: string;
  readonly command: readonly string[];
  /** Runs as a sidecar of the steps after it, which start when the `ready` command succeeds (Kubernetes 1.29). */
  readonly serves?: { readonly ready: readonly string[] };
}

/** An additional mount of a Job: a folder of the node, a Secret of its namespace, or an empty folder. */
export interface JobFolder {
  readonly name: string;
  readonly path: string;
  readonly from: { readonly node: string } | { readonly secret: string } | 'empty';
}

/** A Job of Holdfast. Its steps run one after the other; the log and exit code of the last one are its result. */
export interface ResticJob {
  /** The run (backup, restore or prune) and the work item within it. */
  readonly run: string;
  readonly id: string;
  readonly namespace: string;
  readonly settings: JobSettings;
  readonly steps: readonly (ResticStep | ToolStep)[];
  /** The claim, or the folder of a node, to mount at a fixed path; absent for Jobs that need only the repository. */
  readonly mount?: JobMount;
  readonly folders?: readonly JobFolder[];
  /** Runs with hostNetwork and tolerates all taints: for the control plane. */
  readonly onControlPlane?: boolean;
  /** Service account whose token is mounted. Default: no token. */
  readonly serviceAccount?: string;
  /** Service account with an AWS identity (Pod Identity, IRSA), used instead of temporary credentials. Its Kubernetes token is not mounted. */
  readonly identity?: string | undefined;
  /** Pins the Job to the node that holds a ReadWriteOnce volume. */
  readonly node?: string;
  /** User id of the containers. Default: root. */
  readonly user?: number | undefined;
  /** Linux capabilities to add; all others are dropped. */
  readonly capabilities: readonly string[];
}
