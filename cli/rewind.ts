import pMap, { pMapSkip } from 'p-map';
import { messageOf } from '../functions/contract/holdfast-error.ts';
import {
  existedAt,
  inRewindOrder,
  planKey,
  type RewindStep,
  type RewindSummary,
  rewindCounter,
  unclear,
} from '../functions/core/vault/rewind.ts';
import type { KeptVersions } from '../functions/core/vault/rewind-reach.ts';
import { rewoundPrefixes } from '../functions/core/vault/vault-keys.ts';
import type { Vault } from '../functions/ports/vault.ts';
import type { OneKey, VersionedBucket } from '../functions/ports/versioned-bucket.ts';
import { oldVersionDays } from '../infra/config/old-versions.ts';
import type { Config } from '../infra/config/schema.ts';

const CONCURRENCY = 16;
/** Keys for which S3 adds delete markers in one request. */
const HIDDEN_AT_ONCE = 1000;

export interface RewindPlan {
  /** The steps that change something. */
  readonly steps: readonly RewindStep[];
  readonly summary: RewindSummary;
  /** Keys that were visible then. */
  readonly existed: number;
}

/**
 * How long a copy keeps earlier versions of a cluster. By the bucket itself; if these credentials may not ask it, by
 * holdfast.yaml, which is said.
 */
export const keptVersions = (
  bucket: VersionedBucket,
  cluster: string,
  vault: Config['vault'],
): Promise<KeptVersions> =>
  bucket.kept(rewoundPrefixes(cluster)).catch((error: unknown) => {
    console.error(`WARNING: ${messageOf(error)}: vault.noncurrentDays of holdfast.yaml counts`);
    return { versioned: true, days: oldVersionDays(vault) };
  });

/** Plans the rewind of a cluster's part of a copy. Lists every version; keeps only the steps that change something in memory. */
export async function planRewind(bucket: VersionedBucket, cluster: string, to: Date): Promise<RewindPlan> {
  const counter = rewindCounter();
  let existed = 0;
  const plan = async (versions: OneKey): Promise<RewindStep | typeof pMapSkip> => {
    const [newest, ...older] = versions;
    const known = unclear(versions, to) ? await bucket.withOrigin(newest) : newest;
    const step = planKey([known, ...older], to);
    counter.add(step);
    if (existedAt(versions, to)) existed++;
    return step.action === 'leave' ? pMapSkip : step;
  };
  let steps: RewindStep[] = [];
  for (const prefix of rewoundPrefixes(cluster))
    steps = steps.concat(await pMap(bucket.versions(prefix), plan, { concurrency: CONCURRENCY }));
  return { steps, summary: counter.summary(), existed };
}

/** Applies the steps of a rewind. If it is interrupted, a new plan contains the remaining steps. Removes no version. */
export async function applyRewind(
  bucket: Pick<VersionedBucket, 'bringBack'>,
  vault: Pick<Vault, 'remove'>,
  steps: readonly RewindStep[],
  onProgress: (done: number) => void = () => undefined,
): Promise<void> {
  let done = 0;
  for (const batch of inRewindOrder(steps)) {
    const back = batch.filter((s) => s.action === 'restore').map((s) => s.version);
    const hidden = batch.filter((s) => s.action === 'hide').map((s) => s.version.key);
    await pMap(
      back,
      async (version) => {
        await bucket.bringBack(version);
        onProgress(++done);
      },
      { concurrency: CONCURRENCY },
    );
    for (let i = 0; i < hidden.length; i += HIDDEN_AT_ONCE) {
      const some = hidden.slice(i, i + HIDDEN_AT_ONCE);
      await vault.remove(some);
      done += some.length;
      onProgress(done);
    }
  }
}
