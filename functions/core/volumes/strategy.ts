import type { ClusterSettings, JobSettings, ResticOptions, VolumeRule } from '../../contract/settings.ts';
import type { ResticJob, ResticStep, ToolStep } from '../jobs/job-spec.ts';
import type { KubeObject } from '../kubernetes/resources.ts';
import type { Dump } from './dumps.ts';
import { folderOnNode } from './persistent-volumes.ts';
import type { SnapshotState, SnapshotVolume } from './volume-snapshots.ts';
import type { WorkVolume } from './work.ts';

/** A volume of the work list and its repository. */
export type VolumeWork = WorkVolume & { readonly repository: string };

/** The pod that mounts a volume when its Job is created, and its node. It may have moved since the backup was opened. */
export interface Holder {
  readonly node: string;
  readonly podUid: string;
}

/** Location of the data when its Job is created. The pod may have been replaced since the backup was opened. */
export interface Location {
  readonly holder?: Holder | undefined;
  readonly dump?: Dump | undefined;
  /** Name of the temporary claim that is mounted instead of the volume. */
  readonly claim?: string | undefined;
}

/** CSI snapshots of one run, and the claims created from them. */
export interface SnapshotPort {
  /** Creates missing snapshots and returns the state of each. `before` runs first; a message that it returns is the blocker. */
  look(
    volumes: readonly SnapshotVolume[],
    before: (v: SnapshotVolume) => Promise<string | undefined>,
  ): Promise<ReadonlyMap<string, SnapshotState>>;
  /** Creates the claim that a Job mounts instead of the volume, and returns its name. `blocker`: why that is impossible. */
  claimFor(
    v: SnapshotVolume,
    restoreSize: string | undefined,
  ): Promise<{ readonly claim: string } | { readonly blocker: string }>;
  /** Removes the objects of volumes that have ended. */
  clean(ended: ReadonlySet<string>): Promise<void>;
}

/** The cluster operations of strategies. All are idempotent. */
export interface StrategyPorts {
  readonly hooks: {
    /** Runs the pre hook of the pod that mounts a volume. Returns a readable message if it failed: the volume must not be read. */
    before(volume: string): Promise<string | undefined>;
  };
  readonly locations: {
    /** The pod that mounts a volume now. */
    holder(v: WorkVolume): Promise<Holder | undefined>;
    /** A running pod that has the dump's command. */
    dump(v: WorkVolume): Promise<Dump | undefined>;
  };
  readonly snapshots: SnapshotPort;
}

/** What the Job of a volume depends on besides the volume. */
interface MountContext {
  readonly settings: ClusterSettings;
  readonly work: { readonly plan: string; readonly backup: string };
  readonly options: ResticOptions;
}

/** The part of a Job that a strategy determines. */
export interface Mounted
  extends Pick<
    ResticJob,
    'namespace' | 'mount' | 'folders' | 'node' | 'serviceAccount' | 'user' | 'capabilities'
  > {
  /** The command that takes the restic snapshot. */
  readonly backup: Pick<ResticStep, 'args' | 'within'>;
  /** Steps before it. */
  readonly tools?: readonly ToolStep[];
}

/** How the data of a volume is read. Each strategy is a file, and an entry of STRATEGIES. */
export interface VolumeStrategy {
  /** Called before any Job, with all volumes without a result: creates their prerequisites, and returns the state of each. */
  begin(volumes: readonly VolumeWork[], ports: StrategyPorts): Promise<ReadonlyMap<string, SnapshotState>>;
  /** Called just before a Job is created: finds the data, or creates what the Job mounts. `blocker`: why it cannot be read. */
  prepare(
    v: VolumeWork,
    at: { readonly attempt: number; readonly begun: SnapshotState | undefined },
    ports: StrategyPorts,
  ): Promise<{ readonly location: Location } | { readonly blocker: string }>;
  /** The Job that reads the data at this location. */
  mount(v: VolumeWork, location: Location, context: MountContext): Mounted;
  /** Service account with the Job's AWS identity, if one is configured and the strategy supports it. */
  identity(jobs: JobSettings): string | undefined;
  /** Removes the temporary objects of volumes that have ended. */
  cleanUp(ended: ReadonlySet<string>, ports: Pick<StrategyPorts, 'snapshots'>): Promise<void>;
}

/** A claim to back up, with its PersistentVolume, its pod and its rule. */
export interface ChosenClaim {
  readonly claim: KubeObject;
  readonly volume: KubeObject | undefined;
  /** A pod that mounts it. */
  readonly pod: KubeObject | undefined;
  readonly rule: Pick<VolumeRule, 'snapshotClass' | 'temporaryStorageClass'>;
}

/** How a claim is read, as part of the work list. */
export type Reading = Pick<WorkVolume, 'strategy' | 'node' | 'folder' | 'csi'>;

/** A strategy that a rule may name for claims. */
export interface ClaimStrategy extends VolumeStrategy {
  /** Why it cannot read the claim of a PersistentVolume, as a readable message; undefined if it can. */
  blocker(volume: KubeObject | undefined): string | undefined;
  /** How the claim is read: with this strategy, or with a fallback. */
  reading(chosen: ChosenClaim): Reading;
}

/** Runs the pre hook of a volume before the first attempt only. Returns a readable message if it failed. */
export const hookOnce = async (
  v: VolumeWork,
  attempt: number,
  { hooks }: StrategyPorts,
): Promise<string | undefined> => (attempt === 1 ? hooks.before(v.id) : undefined);

/** Reading by a mount, which works for any claim. */
export const readingByMount = ({ pod }: ChosenClaim): Reading => ({ strategy: 'mount', ...nodeOf(pod) });

/** Reading from the folder on the pod's node; undefined if no pod mounts the claim, or if the folder is unknown. */
export function readingOnNode({ volume, pod }: ChosenClaim): Reading | undefined {
  const folder = volume && folderOnNode(volume);
  return pod && folder ? { strategy: 'node', ...nodeOf(pod), folder } : undefined;
}

function nodeOf(pod: KubeObject | undefined): Pick<WorkVolume, 'node'> {
  const node = pod?.spec?.nodeName as string | undefined;
  return node ? { node } : {};
}

/** User and capabilities for reading a volume: the user of its rule, or root with the capability to read files of other users. */
export const rightsOver = ({ runAsUser }: VolumeWork): Pick<Mounted, 'user' | 'capabilities'> => ({
  user: runAsUser,
  capabilities: runAsUser === undefined ? ['DAC_READ_SEARCH'] : [],
});
