import * as z from 'zod/mini';
import { type BackupRecord, snapshotsIn } from './record.ts';

/** What one prune run removes, written down before the first removal: afterwards nothing else knows the snapshots. */
export const PrunePlan = z.object({
  plan: z.string(),
  prune: z.string(),
  dryRun: z.boolean(),
  decisions: z.array(z.object({ backup: z.string(), keep: z.boolean(), reasons: z.array(z.string()) })),
  forget: z.array(z.object({ namespace: z.string(), snapshots: z.array(z.string()) })),
});
export type PrunePlan = z.infer<typeof PrunePlan>;

/** Snapshots of records that are to go, by namespace: one restic call each. */
export function snapshotsToForget(records: readonly BackupRecord[]): PrunePlan['forget'] {
  const byNamespace = new Map<string, string[]>();
  for (const { namespace, snapshot } of records.flatMap(snapshotsIn))
    byNamespace.set(namespace, [...(byNamespace.get(namespace) ?? []), snapshot]);
  return [...byNamespace].map(([namespace, snapshots]) => ({ namespace, snapshots }));
}
