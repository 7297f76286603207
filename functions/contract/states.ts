import * as z from 'zod/mini';
import { CopyName } from './copies.ts';
import type { Phase } from './phase.ts';
import { RestoreInput } from './restore-options.ts';

/**
 * Inputs and results of the states: keys and counts, never lists. Lists are stored in the vault.
 * Unknown keys are rejected, so that a mistyped option is an error and not a wrong restore.
 */

const dnsName = z.string().check(z.regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, 'must be a DNS-1123 label'));
const instant = z
  .string()
  .check(
    z.regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/, 'must be a timestamp like 2026-01-31T02:00:00Z'),
  );

const tag = z
  .string()
  .check(z.regex(/^[A-Za-z0-9][-\w.]{0,62}$/, 'must be a tag of letters, digits, "-", "_" and "."'));

/** Input of the backup machine, from a schedule or an operator. EventBridge Scheduler sets `scheduledTime`. */
export const BackupInput = z.strictObject({
  plan: z.optional(dnsName),
  scheduledTime: z.optional(instant),
  /** Tags for the retention rule keepTags. */
  tags: z.optional(z.array(tag).check(z.maxLength(16))),
});
export type BackupInput = z.infer<typeof BackupInput>;

/** Input of open-backup: the machine's input, and the execution and its start time. */
export const OpenBackupRequest = z.strictObject({
  input: BackupInput,
  startedAt: instant,
  execution: z.string(),
});
export type OpenBackupRequest = z.infer<typeof OpenBackupRequest>;

/** One backup. `opened`: to be done. `finished`: already done. `skipped`: not done, with the reason. */
export const BackupRef = z.strictObject({
  plan: z.string(),
  backup: z.string(),
  outcome: z.enum(['opened', 'finished', 'skipped']),
  reason: z.optional(z.string()),
});
export type BackupRef = z.infer<typeof BackupRef>;

/** A backup by name, for every function after the first. */
export const BackupName = z.object({ plan: z.string(), backup: z.string() });
export type BackupName = z.infer<typeof BackupName>;

/** Input of replicate-backup: the recovery point, and the execution that copies it. */
export const ReplicateRequest = z.strictObject({
  plan: z.string(),
  backup: z.string(),
  execution: z.string(),
});

/** Result of replicate-backup. It is called again while `remaining` is not 0. */
export interface ReplicateState extends BackupName {
  readonly remaining: number;
  readonly objects: number;
  readonly copied: number;
  /** Seconds until the next call; 0: immediately. */
  readonly waitSeconds: number;
}

/** One shard of an export that is too large for one function. */
export const ExportShardRequest = z.object({ plan: z.string(), backup: z.string(), shard: z.int() });

/** Input of fail-backup: the caught error. */
export const FailBackupRequest = z.strictObject({
  plan: z.string(),
  backup: z.string(),
  error: z.string(),
  cause: z.string(),
});

/** What a level-triggered function returns to its Wait loop. */
export interface LoopState {
  readonly running: number;
  readonly done: number;
  readonly failed: number;
  /** Seconds until the next reconciliation pass; 0 when there is nothing to wait for. */
  readonly waitSeconds: number;
}

/** Input of the prune machine, from an operator or the backup machine: the plan to which retention applies. */
export const PruneInput = z.strictObject({
  plan: dnsName,
  dryRun: z.optional(z.boolean()),
  /** Percent of the plan's recovery points that this run may remove, in place of `maxShare`. */
  allowShare: z.optional(z.int().check(z.minimum(1), z.maximum(100))),
});
export type PruneInput = z.infer<typeof PruneInput>;

/** Input of prune-backups: the machine's input, and the execution and its start time. */
export const PruneRequest = z.strictObject({ input: PruneInput, startedAt: instant, execution: z.string() });
export type PruneRequest = z.infer<typeof PruneRequest>;

/** One prune run. It is named after the execution's start, so that a retry finds the work of the first call. */
export const PruneRef = z.object({
  plan: z.string(),
  prune: z.string(),
  /** `waiting`: replications are still running; call again. */
  outcome: z.enum(['pruned', 'planned', 'skipped', 'waiting']),
  reason: z.optional(z.string()),
  /** Recovery points in the primary, and in the replica. */
  removed: z.int(),
  kept: z.int(),
  removedFromReplica: z.int(),
  keptInReplica: z.int(),
  /** Backups without a record whose objects are removed. */
  orphans: z.int(),
  /** Repositories that remain. */
  forget: z.int(),
});
export type PruneRef = z.infer<typeof PruneRef>;

/**
 * One call of a pass that extends the locks of both copies, the primary first. The result of a call, without `remaining`,
 * is the input of the next.
 */
export const LockRequest = z.strictObject({
  /** When the pass began. */
  startedAt: instant,
  copy: z._default(CopyName, 'primary'),
  /** Checkpoint: the last version that was checked, as the markers of S3's ListObjectVersions. */
  after: z.optional(z.strictObject({ key: z.string(), version: z.optional(z.string()) })),
  /** Versions that were checked, and versions whose lock was extended; in both copies. */
  checked: z._default(z.int(), 0),
  extended: z._default(z.int(), 0),
  /** Versions of this copy in GOVERNANCE mode. No Holdfast role has the permission to bypass it. */
  governed: z._default(z.int(), 0),
});
export type LockRequest = z.infer<typeof LockRequest>;

/** Input of plan-restore: the machine's input, and the execution and its start time. */
export const PlanRestoreRequest = z.strictObject({
  input: RestoreInput,
  startedAt: instant,
  execution: z.string(),
});
export type PlanRestoreRequest = z.infer<typeof PlanRestoreRequest>;

/** One restore: its name, its source, and the number of items and volumes. */
export const RestoreRef = z.object({
  restore: z.string(),
  backup: z.string(),
  plan: z.string(),
  from: z.string(),
  dryRun: z.boolean(),
  items: z.int(),
  volumes: z.int(),
  /** Why nothing is planned yet: call again. */
  waits: z.optional(z.string()),
});
export type RestoreRef = z.infer<typeof RestoreRef>;

export const ApplyRequest = z.object({
  restore: z.string(),
  backup: z.string(),
  stage: z.union([z.literal(1), z.literal(2)]),
  /** What earlier calls returned. */
  stage1: z.optional(z.object({ waitedSeconds: z.optional(z.number()) })),
  stage2: z.optional(z.object({ waitedSeconds: z.optional(z.number()) })),
});
export type ApplyRequest = z.infer<typeof ApplyRequest>;

/** Result of apply-resources. It is called again while `remaining` is not 0. */
export interface ApplyState {
  readonly created: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly skipped: number;
  readonly held: number;
  readonly failed: number;
  readonly remaining: number;
  /** How long the calls of the stage have waited for what may pass. */
  readonly waitedSeconds: number;
}

export const RestoreName = z.object({ restore: z.string(), backup: z.string() });
export type RestoreName = z.infer<typeof RestoreName>;

/** Input of fail-restore: the caught error. The execution identifies the restore, even if planning failed. */
export const FailRestoreRequest = z.strictObject({
  startedAt: instant,
  execution: z.string(),
  error: z.string(),
  cause: z.string(),
});

/** Input of the verify machine, from a schedule or an operator. */
const VerifyInput = z.strictObject({
  /** Number of parts into which the packs are divided, of which a run reads one. Overrides the configured number; 1: all packs. */
  parts: z.optional(z.int().check(z.minimum(1), z.maximum(256))),
});

/** One verification, named after its execution. */
export const VerifyRef = z.object({ run: z.string() });

/** Input of verify-vault: to open a run, to verify objects, and to report after `restic check`. */
export const VerifyRequest = z.discriminatedUnion('stage', [
  z.strictObject({
    stage: z.literal('open'),
    input: VerifyInput,
    startedAt: instant,
    execution: z.string(),
  }),
  z.strictObject({ stage: z.literal('objects'), run: z.string() }),
  z.strictObject({ stage: z.literal('report'), run: z.string() }),
]);

/** Result of verify-vault. It is called again while `remaining` is not 0. */
export interface VerifyState {
  readonly run: string;
  readonly part: number;
  readonly parts: number;
  readonly recoveryPoints: number;
  readonly remaining: number;
  /** Of the report. */
  readonly phase?: Phase;
  readonly objects?: number;
  readonly bytes?: number;
  readonly damaged?: number;
  readonly healed?: number;
  readonly lost?: number;
  readonly reasons?: number;
  readonly repositories?: number;
  readonly checks?: number;
  readonly seconds?: number;
}
