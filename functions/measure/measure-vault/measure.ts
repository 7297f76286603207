import pMap from 'p-map';
import type { PerCopy } from '../../contract/copies.ts';
import { LOCK_SCHEDULE, scheduleName, VERIFY_SCHEDULE } from '../../contract/names.ts';
import {
  type Ages,
  ageSeconds,
  agesOf,
  isEnough,
  isProven,
  replicaAge,
  type SeenBackup,
} from '../../core/backup/ages.ts';
import { newestFirst, parseBackupName } from '../../core/backup/backup-name.ts';
import type { VaultKeys } from '../../core/vault/vault-keys.ts';
import type { Verifier } from '../../ports/signing-key.ts';
import type { Vault } from '../../ports/vault.ts';
import { lastLockPass, lastVerification } from './passes.ts';
import { auditSome, type RecordSource, readNewest, readNewestProven } from './records.ts';

/** Plans that are measured at the same time. */
const CONCURRENCY = 4;

/** What one look at the vault is done with. */
export interface MeasureContext {
  readonly copies: PerCopy<Vault>;
  readonly keys: VaultKeys;
  readonly verifier: Verifier;
  /** Names of the configured plans. */
  readonly plans: readonly string[];
  /** Names of retired plans, which make no backups. */
  readonly retired?: readonly string[];
  /** The vault has Object Lock. */
  readonly locked: boolean;
  readonly now: Date;
  /** When a schedule of the cluster was created; undefined if it does not exist. */
  createdAt(schedule: string): Promise<Date | undefined>;
}

/** Ages of one plan. */
export interface PlanMeasured extends Ages {
  readonly plan: string;
  readonly replicaSeconds: number;
}

/** What one look found. */
export interface Measured {
  readonly plans: readonly PlanMeasured[];
  /** Since the newest completed verification began; undefined if there is none and it is not scheduled. */
  readonly verificationSeconds: number | undefined;
  /** Since the newest completed pass over the locks began, in the copy where it is older; undefined if nothing is to be locked. */
  readonly lockPassSeconds: number | undefined;
  /** Keys of records without a valid signature, each with its bucket. */
  readonly doubtful: readonly string[];
  /** Names of backups, in either copy, whose plan is not configured. */
  readonly withoutPlan: readonly string[];
  /** What could not be measured, and why. */
  readonly errors: readonly unknown[];
}

/** Measures both copies. Reads as few documents as possible. What cannot be measured costs only itself. */
export async function measure(context: MeasureContext): Promise<Measured> {
  const { copies, keys, verifier, now, plans } = context;
  const { root } = keys.records;
  const [here, there] = await Promise.all([copies.primary.folders(root), copies.replica.folders(root)]);
  const sources = {
    primary: { vault: copies.primary, keys, verifier, names: here, now },
    replica: { vault: copies.replica, keys, verifier, names: there, now },
  };
  const doubtful = new Set<string>();
  const errors: unknown[] = [];
  const attempt = async <T>(work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work();
    } catch (error) {
      errors.push(error);
      return undefined;
    }
  };
  const ofPlan = (plan: string) => attempt(() => measurePlan(context, sources, plan, doubtful));
  const measured = await pMap(plans, ofPlan, { concurrency: CONCURRENCY });
  for (const source of Object.values(sources))
    await attempt(async () => addDoubtful(doubtful, source, await auditSome(source)));
  return {
    plans: measured.filter((plan) => plan !== undefined),
    verificationSeconds: await attempt(() => verificationAge(context)),
    lockPassSeconds: context.locked ? await attempt(() => lockPassAge(context, here, there)) : undefined,
    doubtful: [...doubtful],
    withoutPlan: newestFirst([...new Set([...here, ...there])]).filter(
      (name) => ![...plans, ...(context.retired ?? [])].includes(parseBackupName(name)?.plan ?? ''),
    ),
    errors,
  };
}

async function measurePlan(
  { createdAt, now }: MeasureContext,
  { primary, replica }: PerCopy<RecordSource>,
  plan: string,
  doubtful: Set<string>,
): Promise<PlanMeasured> {
  const [here, there] = await Promise.all([readNewest(primary, plan), readNewestProven(replica, plan)]);
  addDoubtful(doubtful, primary, here.seen);
  addDoubtful(doubtful, replica, there.seen);
  const isKnown = isEnough(here.seen, now) && isProven(there.seen, now);
  const scheduledSince = isKnown ? undefined : await createdAt(scheduleName(plan));
  const ages = agesOf({ ...here, scheduledSince, now });
  return { plan, ...ages, replicaSeconds: replicaAge({ ...there, scheduledSince, now }) };
}

/** Adds the keys of records without a valid signature. */
function addDoubtful(
  doubtful: Set<string>,
  { vault, keys }: RecordSource,
  seen: readonly SeenBackup[],
): void {
  for (const { kind, backup } of seen)
    if (kind === 'doubtful') doubtful.add(`${keys.records.record(backup)} in bucket ${vault.bucket}`);
}

async function verificationAge({
  copies,
  keys,
  now,
  createdAt,
}: MeasureContext): Promise<number | undefined> {
  const last = await lastVerification(copies.primary, keys, now);
  const since = last ?? (await createdAt(VERIFY_SCHEDULE));
  return since && ageSeconds(since, now);
}

/** Without a pass, it counts from when there was both a schedule and something to lock. */
async function lockPassAge(
  { copies, keys, now, createdAt }: MeasureContext,
  here: readonly string[],
  there: readonly string[],
): Promise<number | undefined> {
  const ageIn = async (vault: Vault, names: readonly string[]): Promise<number | undefined> => {
    const [oldest] = newestFirst(names).reverse();
    if (oldest === undefined) return undefined;
    const last = await lastLockPass(vault, keys, names, now);
    if (last) return ageSeconds(last, now);
    const existed = parseBackupName(oldest)?.at ?? now;
    const scheduled = (await createdAt(LOCK_SCHEDULE)) ?? existed;
    return ageSeconds(new Date(Math.max(existed.getTime(), scheduled.getTime())), now);
  };
  const ages = await Promise.all([ageIn(copies.primary, here), ageIn(copies.replica, there)]);
  const known = ages.filter((age) => age !== undefined);
  return known.length > 0 ? Math.max(...known) : undefined;
}
