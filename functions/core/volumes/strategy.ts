import type { ClusterSettings, JobSettings, ResticOptions, VolumeRule } from '../../contract/settings.ts';
import type { ResticJob, ResticStep, ToolStep } from '../jobs/job-spec.ts';
import type { KubeObject } from '../kubernetes/resources.ts';
import type { Dump } from './dumps.ts';
import { folderOnNode } from './persistent-volumes.ts';
import type { SnapshotState, SnapshotVolume } from './volume-snapshots.ts';
import type { WorkVolume } from './work.ts';

/** A volume of the work list and its repository. */
export type VolumeWork = WorkVolume & { readonly repository: string };

/** Where a volume is held when its Job is made: by then its pod may be on another node. */
export interface Holder {
  readonly node: string;
  readonly podUid: string;
}

/** Where the data is when its Job is made: since the backup was opened, its pod may have been replaced. */
export interface Location {
  readonly holder?: Holder | undefined;
  readonly dump?: Dump | undefined;
}

/** CSI snapshots of one run, and the claims that are made of them. */
export interface SnapshotPort {
  /** Makes those that are missing and says how far each is. `before` runs first; what it returns is why there can be none. */
  look(
    volumes: readonly SnapshotVolume[],
    before: (v: SnapshotVolume) => Promise<string | undefined>,
  ): Promise<ReadonlyMap<string, SnapshotState>>;
  /** Makes the claim that a Job mounts in a volume's location; why it cannot be made, in words. */
  claimFor(v: SnapshotVolume, restoreSize: string | undefined): Promise<string | undefined>;
  /** Removes what belongs to volumes that have ended, and what runs of long ago have left behind. */
  clean(ended: ReadonlySet<string>): Promise<void>;
}

/** What strategies need of the cluster. All of it may be called again. */
export interface StrategyPorts {
  readonly hooks: {
    /** Runs the pre hook of whoever holds a volume; why the volume must not be read, when it failed. */
    before(volume: string): Promise<string | undefined>;
  };
  readonly locations: {
    /** The pod that holds a volume now. */
    holder(v: WorkVolume): Promise<Holder | undefined>;
    /** A pod that runs now and has the command of a dump. */
    dump(v: WorkVolume): Promise<Dump | undefined>;
  };
  readonly snapshots: SnapshotPort;
}

/** What the Job of a volume depends on beside the volume. */
export interface MountContext {
  readonly settings: ClusterSettings;
  readonly work: { readonly plan: string; readonly backup: string };
  readonly options: ResticOptions;
}

/** What a strategy decides of a Job. */
export interface Mounted
  extends Pick<
    ResticJob,
    'namespace' | 'mount' | 'folders' | 'node' | 'serviceAccount' | 'user' | 'capabilities'
  > {
  /** The command that makes the snapshot of restic. */
  readonly backup: Pick<ResticStep, 'args' | 'within'>;
  /** Steps before it. */
  readonly tools?: readonly ToolStep[];
}

/** How the data of a volume is read. Each strategy is a file, and an entry of STRATEGIES. */
export interface VolumeStrategy {
  /** Before any Job, for all its volumes that have no result: makes what they wait for, and says how far each is. */
  begin(volumes: readonly VolumeWork[], ports: StrategyPorts): Promise<ReadonlyMap<string, SnapshotState>>;
  /** Just before a Job is made: finds the data, or makes what the Job mounts; else why it cannot be read, in words. */
  prepare(
    v: VolumeWork,
    at: { readonly attempt: number; readonly begun: SnapshotState | undefined },
    ports: StrategyPorts,
  ): Promise<{ readonly location: Location } | { readonly blocker: string }>;
  /** What the Job is like that reads the data there. */
  mount(v: VolumeWork, location: Location, context: MountContext): Mounted;
  /** The account whose identity in AWS the Job has, where one is configured and the strategy may have it. */
  identity(jobs: JobSettings): string | undefined;
  /** Removes what was made for volumes that have ended. */
  cleanUp(ended: ReadonlySet<string>, ports: Pick<StrategyPorts, 'snapshots'>): Promise<void>;
}

/** A claim that is to be backed up, and what the cluster and a rule say of it. */
export interface ChosenClaim {
  readonly claim: KubeObject;
  readonly volume: KubeObject | undefined;
  /** A pod that mounts it. */
  readonly pod: KubeObject | undefined;
  readonly rule: Pick<VolumeRule, 'snapshotClass' | 'temporaryStorageClass'>;
}

/** What the work list says of how a claim is read. */
export type Reading = Pick<WorkVolume, 'strategy' | 'node' | 'folder' | 'csi'>;

/** A strategy that a rule may name for claims. */
export interface ClaimStrategy extends VolumeStrategy {
  /** Why it cannot read the claim of a PersistentVolume, in words; undefined when it can. */
  blocker(volume: KubeObject | undefined): string | undefined;
  /** How the claim is then read: by this strategy, or by another one where this one cannot. */
  reading(chosen: ChosenClaim): Reading;
}

/** The pre hook of a volume, once: before the first attempt. Why the volume must not be read, when it failed. */
export const hookOnce = async (
  v: VolumeWork,
  attempt: number,
  { hooks }: StrategyPorts,
): Promise<string | undefined> => (attempt === 1 ? hooks.before(v.id) : undefined);

/** By mounting it, which any claim can be. */
export const readingByMount = ({ pod }: ChosenClaim): Reading => ({ strategy: 'mount', ...nodeOf(pod) });

/** From the folder on the node of its pod; undefined when no pod has it, or nobody knows where its files are there. */
export function readingOnNode({ volume, pod }: ChosenClaim): Reading | undefined {
  const folder = volume && folderOnNode(volume);
  return pod && folder ? { strategy: 'node', ...nodeOf(pod), folder } : undefined;
}

function nodeOf(pod: KubeObject | undefined): Pick<WorkVolume, 'node'> {
  const node = pod?.spec?.nodeName as string | undefined;
  return node ? { node } : {};
}

/** Who reads the files of a volume: a user of its rule, or root, who needs a capability for files of others. */
export const rightsOver = ({ runAsUser }: VolumeWork): Pick<Mounted, 'user' | 'capabilities'> => ({
  user: runAsUser,
  capabilities: runAsUser === undefined ? ['DAC_READ_SEARCH'] : [],
});
