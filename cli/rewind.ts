import pMap, { pMapSkip } from 'p-map';
import {
  inRewindOrder,
  planKey,
  type RewindStep,
  type RewindSummary,
  rewindCounter,
  unclear,
} from '../functions/core/rewind.ts';
import { rewoundPrefixes } from '../functions/core/vault-keys.ts';
import type { Vault } from '../functions/ports/vault.ts';
import type { OneKey, VersionedBucket } from '../functions/ports/versioned-bucket.ts';

const CONCURRENCY = 16;
/** Keys that S3 hides in one request. */
const HIDDEN_AT_ONCE = 1000;

export interface RewindPlan {
  /** Those that change something. */
  readonly steps: readonly RewindStep[];
  readonly summary: RewindSummary;
}

/** What a rewind of a cluster's part of a copy would do. Every version is listed; only what changes is held in memory. */
export async function planRewind(bucket: VersionedBucket, cluster: string, to: Date): Promise<RewindPlan> {
  const counter = rewindCounter();
  const plan = async (versions: OneKey): Promise<RewindStep | typeof pMapSkip> => {
    const [newest, ...older] = versions;
    const known = unclear(versions, to) ? await bucket.withOrigin(newest) : newest;
    const step = planKey([known, ...older], to);
    counter.add(step);
    return step.action === 'leave' ? pMapSkip : step;
  };
  let steps: RewindStep[] = [];
  for (const prefix of rewoundPrefixes(cluster))
    steps = steps.concat(await pMap(bucket.versions(prefix), plan, { concurrency: CONCURRENCY }));
  return { steps, summary: counter.summary() };
}

/** Does it. Stopped at any moment and planned anew, what is left is done; nothing is removed at any moment. */
export async function applyRewind(
  bucket: Pick<VersionedBucket, 'bringBack'>,
  vault: Pick<Vault, 'remove'>,
  steps: readonly RewindStep[],
  onProgress: (done: number) => void = () => undefined,
): Promise<void> {
  let done = 0;
  for (const batch of inRewindOrder(steps)) {
    const back = batch.filter((s) => s.action === 'bring back').map((s) => s.version);
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
