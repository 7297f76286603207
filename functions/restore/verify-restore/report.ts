import { isCopyName } from '../../contract/copies.ts';
import type { VolumeOutcome } from '../../core/volumes/work.ts';
import type { AppliedItem, ItemResult, StoredRestore } from '../documents.ts';
import type { Inspection } from './inspect.ts';

/** The results of a restore: its items, the state of the cluster, and its volumes. */
export interface Results extends Inspection {
  readonly applied: readonly AppliedItem[];
  readonly volumes: readonly VolumeOutcome[];
  /** Time since the restore was planned. */
  readonly seconds: number;
}

/** What verify-restore returns at the end: the report in numbers. */
export interface RestoreSummary {
  readonly restore: string;
  readonly backup: string;
  /** `Completed`: everything is restored and ready, without drift. */
  readonly phase: 'Completed' | 'PartiallyFailed';
  readonly waitSeconds: 0;
  readonly seconds: number;
  readonly created: number;
  readonly held: number;
  readonly failed: number;
  readonly differing: number;
  readonly notReady: number;
  readonly volumes: number;
  readonly failedVolumes: number;
}

/** The report of a restore, `report.json`, and its summary. Failures, held objects and drift make it PartiallyFailed. */
export function reportOf(
  plan: StoredRestore,
  results: Results,
): { report: Record<string, unknown>; summary: RestoreSummary } {
  const { applied, notReady, differing, volumes, seconds } = results;
  const { restore, backup } = plan;
  const count = (result: ItemResult) => applied.filter((a) => a.result === result).length;
  const skippedVolumes = [
    ...plan.volumes.filter((v) => !volumes.some((done) => done.id === v.id)).map((v) => v.id),
    ...emptyClaims(plan, applied),
  ];
  const counts = {
    created: count('created'),
    held: count('held'),
    failed: count('failed'),
    differing: differing.length,
    notReady: notReady.length,
    volumes: volumes.length,
    failedVolumes: volumes.filter((v) => v.result === 'failed').length + skippedVolumes.length,
  };
  const { held, failed, failedVolumes } = counts;
  const wrong = held + failed + differing.length + notReady.length + failedVolumes;
  const phase = wrong === 0 ? 'Completed' : 'PartiallyFailed';
  return {
    report: { restore, backup, phase, seconds, notReady, differing, volumes, skippedVolumes, items: applied },
    summary: { restore, backup, phase, waitSeconds: 0, seconds, ...counts },
  };
}

/** Claims of a Velero source: Holdfast cannot read Velero's volume data, so they stay empty and count as failed. */
function emptyClaims({ fillsVolumes, from }: StoredRestore, applied: readonly AppliedItem[]): string[] {
  if (!fillsVolumes || isCopyName(from)) return [];
  return applied
    .filter((a) => a.groupResource === 'persistentvolumeclaims' && a.result === 'created')
    .map((a) => `${a.namespace}.${a.name}`);
}
