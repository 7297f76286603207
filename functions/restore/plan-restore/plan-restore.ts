import { HoldfastError } from '../../contract/holdfast-error.ts';
import { optionsOf, type RestoreFiles, type RestoreInput } from '../../contract/restore-options.ts';
import type { PlanRestoreRequest, RestoreRef } from '../../contract/states.ts';
import { restoreName } from '../../core/backup/backup-name.ts';
import type { BackupRecord } from '../../core/backup/record.ts';
import { shortName } from '../../core/restic/source.ts';
import { restoredNamespaces } from '../../core/restore/restore-options.ts';
import type { PlanItem } from '../../core/restore/restore-plan.ts';
import { type Holder, holderText } from '../../core/vault/lease.ts';
import type { VaultKeys } from '../../core/vault/vault-keys.ts';
import type { VolumeOutcome } from '../../core/volumes/work.ts';
import type { KubeClient } from '../../ports/kubernetes.ts';
import type { Verifier } from '../../ports/signing-key.ts';
import type { Vault } from '../../ports/vault.ts';
import { endStoppedPrunes, stoppedPrunes } from '../../runtime/jobs/prune-jobs.ts';
import { leaseHolder, takeLease } from '../../runtime/leases.ts';
import { logRun } from '../../runtime/logging.ts';
import { putRestore, type StoredRestore } from '../documents.ts';
import type { RestoreSource } from '../source.ts';
import { checkedItems } from './check.ts';
import { clusterFactsOf } from './cluster-facts.ts';
import { findRecoveryPoint } from './find.ts';
import { findVeleroBackup } from './find-velero.ts';
import { type PlanChoices, type PlannedArchive, planChosen, planItems } from './plan.ts';

/** What a restore is planned with. */
export interface PlanContext {
  /** The primary copy, which has the documents and the lease of restores. */
  readonly vault: Vault;
  readonly keys: VaultKeys;
  /** Verifies the signatures of records. */
  readonly verifier: Verifier;
  readonly now: Date;
  /** Where a restore reads, by the name of its source. */
  sourceOf(from: string): RestoreSource;
  /** Whether the holder of a lease has ended without releasing it. */
  isGone(holder: Holder): Promise<boolean>;
  /** Calls `work` with a client of the cluster that is restored into. It reads, and ends Jobs of prunes that were stopped. */
  withCluster<T>(work: (cluster: KubeClient) => Promise<T>): Promise<T>;
}

/**
 * Finds a recovery point, verifies it completely and writes the plan of its restore. Acquires the cluster's lease, except
 * for a dry run. A call that was killed resumes when it is repeated.
 *
 * @throws HoldfastError RecoveryPointNotFound, RecoveryPointDamaged, RecordForged, RecordUnsigned, RestoreRefused when
 * neither the recovery point nor the cluster has what is requested, RestoreInProgress, InputInvalid when the source does not
 * exist, ClusterUnreachable, ClusterAccessDenied, ClusterBusy.
 */
export async function planRestore(
  context: PlanContext,
  { input, startedAt, execution }: PlanRestoreRequest,
): Promise<RestoreRef> {
  const { vault, keys, now } = context;
  const from = input.from ?? 'primary';
  const source = context.sourceOf(from);
  const restore = restoreName(new Date(startedAt), execution);
  logRun({ restore });
  const dryRun = input.dryRun ?? false;
  const holder = { work: restore, execution };
  const busy = dryRun ? undefined : await waitsForPrune(context, holder);
  if (busy !== undefined) return { ...NOTHING, restore, from, waits: busy };
  const point = await findPoint(context, source, input);
  logRun({ backup: point.backup });
  const namespaces = namespacesFor(input, point);
  const options = optionsOf(input);
  const planned = await planPoint(context, source, point, {
    namespaces,
    isFiltered: isFiltered(input),
    options,
    ...(!options.files && { cluster: await context.withCluster(clusterFactsOf) }),
  });
  const { archiveSha256 } = planned;
  const asked = { ...planned, options, held: point.namespaces, namespaces };
  const items = options.files ? [] : await context.withCluster((cluster) => checkedItems(cluster, asked));
  const volumes = volumesFor(input, point, items);
  if (!dryRun) {
    await takeRestoreLease(context, holder);
    const late = await waitsForPrune(context, holder);
    if (late !== undefined) return { ...NOTHING, restore, from, waits: late };
  }
  const plan: StoredRestore = {
    restore,
    backup: point.backup,
    from,
    startedAt: now.toISOString(),
    namespaces,
    options,
    archiveSha256,
    ...(point.signed && { archiveSize: sizeOf(point.record) }),
    fillsVolumes: input.volumes ?? true,
    dryRun,
    volumes,
  };
  await putRestore(vault, keys, plan, items);
  return {
    restore,
    backup: point.backup,
    plan: point.record?.plan ?? '',
    from,
    dryRun,
    items: items.filter((i) => i.action === 'create').length,
    volumes: volumes.length,
  };
}

/** What is restored from: a recovery point with its record, or a backup of Velero, which has none. */
interface Point {
  readonly backup: string;
  readonly namespaces: readonly string[];
  readonly record?: BackupRecord;
  readonly signed?: boolean;
}

async function findPoint(
  { keys, verifier }: PlanContext,
  source: RestoreSource,
  input: RestoreInput,
): Promise<Point> {
  if (source.velero) return findVeleroBackup(source.vault, source.velero, input.backup);
  const { record, signed } = await findRecoveryPoint(
    { vault: source.vault, keys, verifier },
    input.backup,
    input.plan,
  );
  if (!signed && !input.allowUnsigned)
    throw new HoldfastError('RecordUnsigned', `the record of ${record.backup} has no signature`, {
      hint: 'Releases before 0.2.0 did not sign. If such a release created it, add "allowUnsigned": true',
    });
  return { backup: record.backup, namespaces: record.namespaces, record, signed };
}

function namespacesFor(input: RestoreInput, point: Point): string[] {
  const { namespaces, unknown } = restoredNamespaces(input.namespaces, point.namespaces);
  if (unknown.length === 0) return namespaces;
  throw new HoldfastError('RestoreRefused', `${point.backup} does not hold namespace ${unknown.join(', ')}`, {
    hint: `It holds: ${point.namespaces.join(', ')}`,
  });
}

/** Whether namespaces are asked for by name: then only what belongs to them comes of the cluster-scoped objects. */
const isFiltered = ({ namespaces }: RestoreInput): boolean =>
  namespaces !== undefined && !namespaces.includes('*');

async function planPoint(
  { keys }: PlanContext,
  source: RestoreSource,
  { backup, record, signed }: Point,
  choices: PlanChoices,
): Promise<PlannedArchive> {
  if (record)
    return planItems({ vault: source.vault, keys }, record, { ...choices, signed: signed ?? false });
  const archive = await source.vault.stream(source.archive(backup));
  return planChosen(archive, undefined, choices);
}

const sizeOf = (record: BackupRecord | undefined) => {
  const { items, bytes } = record?.resources ?? {};
  return items === undefined || bytes === undefined ? undefined : { items, bytes };
};

/** Volumes with a snapshot to restore: those of the claims that the plan creates, none, or the one with the requested files. */
function volumesFor(input: RestoreInput, point: Point, items: readonly PlanItem[]): VolumeOutcome[] {
  const saved = (point.record?.volumes ?? []).filter((v) => v.snapshot && v.pvc);
  if (input.files) return [volumeOf(saved, input.files, point.backup)];
  if (input.volumes === false || saved.length === 0) return [];
  const created = items.filter((i) => i.groupResource === 'persistentvolumeclaims' && i.action === 'create');
  const claims = new Set(created.map((i) => `${i.namespace}/${i.name}`));
  return saved.filter((v) => claims.has(`${v.namespace}/${v.pvc}`));
}

function volumeOf(saved: readonly VolumeOutcome[], { volume }: RestoreFiles, backup: string): VolumeOutcome {
  const found = saved.find((v) => shortName(v) === volume);
  if (found) return found;
  const held = saved.map(shortName).join(', ');
  throw new HoldfastError('RestoreRefused', `${backup} holds no snapshot of volume ${volume}`, {
    hint: held ? `It holds: ${held}` : 'It holds none',
  });
}

const NOTHING = { backup: '', plan: '', dryRun: false, items: 0, volumes: 0 } as const;

/**
 * Why the restore has to wait: a prune removes recovery points and packs, which the restore may need. The restore acquires
 * its lease meanwhile, so that no other prune starts. The Jobs of a prune that was stopped are ended.
 */
async function waitsForPrune(context: PlanContext, holder: Holder): Promise<string | undefined> {
  const { vault, keys, now } = context;
  const prune = await leaseHolder(context, keys.leases.prune);
  if (prune) {
    await takeRestoreLease(context, holder);
    return `${holderText(prune)} is pruning in this cluster`;
  }
  if ((await stoppedPrunes({ vault }, keys)).length === 0) return undefined;
  const left = await context.withCluster((cluster) => endStoppedPrunes({ cluster, vault, now }, keys));
  return left > 0 ? `${left} Jobs of a prune that was stopped are ending` : undefined;
}

async function takeRestoreLease(context: PlanContext, holder: Holder): Promise<void> {
  const other = await takeLease(context, context.keys.leases.restore, holder);
  if (other)
    throw new HoldfastError('RestoreInProgress', `${holderText(other)} is running in this cluster`, {
      hint: 'Wait for it to end, or stop its execution',
    });
}
