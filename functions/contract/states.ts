import * as z from 'zod/mini';
import { CopyName } from './copies.ts';
import type { Phase } from './phase.ts';
import { RestoreInput } from './restore-options.ts';

/**
 * What travels between the states of the machines: keys and counts, never lists. Lists live in the vault.
 * Unknown keys are refused at every door, so that a mistyped option in the console is an error and not a
 * restore of the wrong thing.
 */

const dnsName = z.string().check(z.regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, 'must be a DNS-1123 name'));
const instant = z
  .string()
  .check(
    z.regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/, 'must be an instant like 2026-01-31T02:00:00Z'),
  );

const tag = z
  .string()
  .check(z.regex(/^[A-Za-z0-9][-\w.]{0,62}$/, 'must be a tag of letters, digits, "-", "_" and "."'));

/** What a schedule or a person gives to the backup machine. `scheduledTime` is filled by EventBridge Scheduler. */
export const BackupInput = z.strictObject({
  plan: z.optional(dnsName),
  scheduledTime: z.optional(instant),
  /** What retention may keep it by. */
  tags: z.optional(z.array(tag).check(z.maxLength(16))),
});
export type BackupInput = z.infer<typeof BackupInput>;

/** The machine's word to open-backup: the input as given, and which execution it is and when it started. */
export const OpenBackupRequest = z.strictObject({
  input: BackupInput,
  startedAt: instant,
  execution: z.string(),
});
export type OpenBackupRequest = z.infer<typeof OpenBackupRequest>;

/** One backup, and whether its work is still to be done (`opened`), long done, or not done on purpose. */
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

/** The machine's word to replicate-backup: the recovery point, and which execution copies it. */
export const ReplicateRequest = z.strictObject({
  plan: z.string(),
  backup: z.string(),
  execution: z.string(),
});

/** What replicate-backup returns: it is called again while something remains. */
export interface ReplicateState extends BackupName {
  readonly remaining: number;
  readonly objects: number;
  readonly copied: number;
  /** Seconds until it makes sense to call again; 0: at once. */
  readonly waitSeconds: number;
}

/** One shard of an export that is too large for one function. */
export const ExportShardRequest = z.object({ plan: z.string(), backup: z.string(), shard: z.int() });

/** Input of fail-backup: what was caught. */
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
  /** Seconds until the next look; 0 when nothing is left to wait for. */
  readonly waitSeconds: number;
}

/** What a person or the backup machine gives to the prune machine: the plan whose recovery points are counted. */
export const PruneInput = z.strictObject({
  plan: dnsName,
  dryRun: z.optional(z.boolean()),
  /** Percent of the plan's recovery points that this run may remove, in place of `maxShare`. */
  allowShare: z.optional(z.int().check(z.minimum(1), z.maximum(100))),
});
export type PruneInput = z.infer<typeof PruneInput>;

/** The machine's word to prune-backups: the input as given, and which execution it is and when it started. */
export const PruneRequest = z.strictObject({ input: PruneInput, startedAt: instant, execution: z.string() });
export type PruneRequest = z.infer<typeof PruneRequest>;

/** One prune run, named after the execution's start so that a second call finds the first one's work. */
export const PruneRef = z.object({
  plan: z.string(),
  prune: z.string(),
  /** `waiting`: others are still copying; call again. */
  outcome: z.enum(['pruned', 'planned', 'skipped', 'waiting']),
  reason: z.optional(z.string()),
  /** Recovery points in the primary, and in the replica. */
  removed: z.int(),
  kept: z.int(),
  removedFromReplica: z.int(),
  keptInReplica: z.int(),
  /** Backups without a record whose objects are removed. */
  orphans: z.int(),
  /** Repositories that are left to do. */
  forget: z.int(),
});
export type PruneRef = z.infer<typeof PruneRef>;

/**
 * One call of a pass that extends the locks of both copies, the primary first; the next one is given what it returns, but
 * for `remaining`.
 */
export const LockRequest = z.strictObject({
  /** When the pass began. */
  startedAt: instant,
  copy: z._default(CopyName, 'primary'),
  /** What was looked at last, as S3 names the places of a listing of versions. */
  after: z.optional(z.strictObject({ key: z.string(), version: z.optional(z.string()) })),
  /** Versions that were looked at, and those that were given a longer lock; in both copies. */
  checked: z._default(z.int(), 0),
  extended: z._default(z.int(), 0),
  /** Versions of this copy whose lock can be lifted, with a right that none of Holdfast has. */
  governed: z._default(z.int(), 0),
});
export type LockRequest = z.infer<typeof LockRequest>;

/** The machine's word to plan-restore: the input as given, and which execution it is and when it started. */
export const PlanRestoreRequest = z.strictObject({
  input: RestoreInput,
  startedAt: instant,
  execution: z.string(),
});
export type PlanRestoreRequest = z.infer<typeof PlanRestoreRequest>;

/** One restore: its name, what it reads, and how much it would do. */
export const RestoreRef = z.object({
  restore: z.string(),
  backup: z.string(),
  plan: z.string(),
  from: z.string(),
  dryRun: z.boolean(),
  items: z.int(),
  volumes: z.int(),
});
export type RestoreRef = z.infer<typeof RestoreRef>;

export const ApplyRequest = z.object({
  restore: z.string(),
  backup: z.string(),
  stage: z.union([z.literal(1), z.literal(2)]),
});
export type ApplyRequest = z.infer<typeof ApplyRequest>;

/** What apply-resources returns: it is called again while something remains. */
export interface ApplyState {
  readonly created: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly skipped: number;
  readonly held: number;
  readonly failed: number;
  readonly remaining: number;
}

export const RestoreName = z.object({ restore: z.string(), backup: z.string() });
export type RestoreName = z.infer<typeof RestoreName>;

/** Input of fail-restore: what was caught. The execution names the restore, even when planning it failed. */
export const FailRestoreRequest = z.strictObject({
  startedAt: instant,
  execution: z.string(),
  error: z.string(),
  cause: z.string(),
});

/** What a schedule or a person gives to the verify machine. */
export const VerifyInput = z.strictObject({
  /** Reads one of so many parts of the packs, in place of the configured number; 1: all of them. */
  parts: z.optional(z.int().check(z.minimum(1), z.maximum(256))),
});
export type VerifyInput = z.infer<typeof VerifyInput>;

/** One verification, named after its execution. */
export const VerifyRef = z.object({ run: z.string() });

/** What the machine asks of verify-vault: to begin, to go on, and, when restic has checked, to report. */
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

/** What verify-vault returns: it is called again while something remains. */
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
