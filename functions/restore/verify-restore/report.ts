import { Readable } from 'node:stream';
import { isCopyName } from '../../contract/copies.ts';
import { jsonDocument } from '../../core/bytes/json-lines.ts';
import type { VolumeOutcome } from '../../core/volumes/work.ts';
import type { Vault } from '../../ports/vault.ts';
import type { AppliedItem, ItemResult, StoredRestore } from '../documents.ts';
import type { Inspection } from './inspect.ts';

/** The results of a restore: its items, the state of the cluster, and its volumes. */
export interface RestoreResults extends Inspection {
  readonly applied: readonly AppliedItem[];
  /** `deployments.apps shop/web: 0 of 2 ready` */
  readonly notReady: readonly string[];
  /** Objects that the restore found unchanged, and that were not ready in the recovery point either. */
  readonly notReadyBefore: readonly string[];
  readonly volumes: readonly VolumeOutcome[];
  /** Time since the restore was planned. */
  readonly seconds: number;
}

/** What verify-restore returns at the end: the report in numbers. */
export interface RestoreSummary {
  readonly restore: string;
  readonly backup: string;
  /** `Completed`: everything is restored and ready, and as it was asked for. */
  readonly phase: 'Completed' | 'PartiallyFailed';
  readonly waitSeconds: 0;
  readonly seconds: number;
  readonly created: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly skipped: number;
  readonly held: number;
  readonly failed: number;
  readonly differing: number;
  readonly changedSince: number;
  readonly notReady: number;
  readonly volumes: number;
  readonly failedVolumes: number;
}

/** The report of a restore, `report.json`, and its summary. Failures, held objects and drift make it PartiallyFailed. */
export function reportOf(
  plan: StoredRestore,
  results: RestoreResults,
): { report: Record<string, unknown>; summary: RestoreSummary } {
  const { applied, notReady, notReadyBefore, differing, changedSince, volumes, seconds } = results;
  const { restore, backup } = plan;
  const count = (result: ItemResult) => applied.reduce((sum, a) => sum + (a.result === result ? 1 : 0), 0);
  const skippedVolumes = [
    ...plan.volumes.filter((v) => !volumes.some((done) => done.id === v.id)).map((v) => v.id),
    ...emptyClaims(plan, applied),
  ];
  const counts = {
    created: count('created'),
    updated: count('updated'),
    unchanged: count('unchanged'),
    skipped: count('skipped'),
    held: count('held'),
    failed: count('failed'),
    differing: differing.length,
    changedSince: changedSince.length,
    notReady: notReady.length,
    volumes: volumes.length,
    failedVolumes: volumes.filter((v) => v.result === 'failed').length + skippedVolumes.length,
  };
  const { held, failed, failedVolumes } = counts;
  const wrong = held + failed + differing.length + notReady.length + failedVolumes;
  const phase = wrong === 0 ? 'Completed' : 'PartiallyFailed';
  const cluster = { notReady, notReadyBefore, differing, changedSince };
  return {
    report: { restore, backup, phase, seconds, ...cluster, volumes, skippedVolumes, items: applied },
    summary: { restore, backup, phase, waitSeconds: 0, seconds, ...counts },
  };
}

/** Writes the report in pieces: it has a line per object. */
export async function putReport(vault: Vault, key: string, report: Record<string, unknown>): Promise<void> {
  await vault.upload(key, Readable.from(jsonDocument(report), { objectMode: false }));
}

/** Claims of a Velero source: Holdfast cannot read Velero's volume data, so they stay empty and count as failed. */
function emptyClaims({ fillsVolumes, from }: StoredRestore, applied: readonly AppliedItem[]): string[] {
  if (!fillsVolumes || isCopyName(from)) return [];
  return applied
    .filter((a) => a.groupResource === 'persistentvolumeclaims' && a.result === 'created')
    .map((a) => `${a.namespace}.${a.name}`);
}
