import type { RestoreOptions } from '../../contract/restore-options.ts';
import type { ArchivedName } from '../../core/backup/archive.ts';
import type { KubeObject } from '../../core/kubernetes/resources.ts';
import type { KubeClient } from '../../ports/kubernetes.ts';
import type { AppliedItem } from '../documents.ts';
import type { Passing } from './failures.ts';
import type { TargetType } from './versions.ts';

/** The result of one object. */
export interface Ending extends Pick<AppliedItem, 'result'> {
  readonly reason?: string | undefined;
  /** Paths at which the object is not as wanted. */
  readonly differs?: readonly string[];
  /** Whether a retry may succeed, and when. */
  readonly passing?: Passing;
  /** The API server is overloaded. */
  readonly busy?: boolean;
  /** The version in which the object was sent, if it is not the one that was asked for. */
  readonly version?: string;
  /** Of a claim that was created. */
  readonly uid?: string | undefined;
}

/** The cluster and the restore that an object is created for. */
export interface PutContext {
  readonly cluster: KubeClient;
  readonly restore: string;
  readonly options: RestoreOptions;
}

/** An object to create. */
export interface Wanted {
  /** Its place in the cluster, with the version in which it was looked up. */
  readonly at: ArchivedName;
  readonly type: TargetType;
  /** What is sent. */
  readonly object: KubeObject;
  /** The archived status. */
  readonly status: KubeObject['status'];
  /** The archived object as far as it tells who wrote it. */
  readonly archived: KubeObject;
  /** It refers to a namespace that the restore maps to another one, but belongs to the whole cluster. */
  readonly movesReferences: boolean;
  /** It is held for approval: it may be found equal, but is not written. */
  readonly held?: string | undefined;
  /** The archive does not hold it: it is a Namespace that others need, of which only the name is known. */
  readonly isBare: boolean;
}

/** What is known of the existing object: itself; that there is none; nothing; or nothing yet, so that it is looked up. */
export type Looked = KubeObject | 'absent' | 'unknown' | 'look';
