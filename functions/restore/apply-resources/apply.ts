import type { RestoreOptions } from '../../contract/restore-options.ts';
import type { PlanItem } from '../../core/restore/restore-plan.ts';
import type { Origin } from '../../core/restore/transform.ts';
import type { KubeClient } from '../../ports/kubernetes.ts';
import type { AppliedItem } from '../documents.ts';
import { windowsOf } from '../windows.ts';
import { ItemWriter } from './item-writer.ts';
import { Results } from './results.ts';

/** Bytes of objects that are held at once. The function has 1769 MiB. */
const WINDOW_BYTES = 192 * 1024 * 1024;

/** Waits between passes over items that failed because another object was missing: 31 s in all. */
const SOON_MS = [1000, 2000, 4000, 8000, 16_000];
/** Wait between passes over items that wait for pods, or for a namespace to go. */
const LATER_MS = 20_000;
/** Default of a restore's `waitSeconds`, as Velero's for terminating namespaces. */
const WAIT_SECONDS = 600;

/** Reads the archived objects of items, by item key. */
export type Bodies = (items: readonly PlanItem[]) => Promise<ReadonlyMap<string, Buffer>>;

/** How the items of one call are applied. */
export interface ApplyOptions extends Origin {
  readonly options: RestoreOptions;
  /** The first stage leaves what waits for pods to the second. Default: the second. */
  readonly stage?: 1 | 2;
  /** Results of an earlier call of the stage that ran out of time. */
  readonly before: readonly AppliedItem[];
  /** Results of the stage before. */
  readonly earlier?: readonly AppliedItem[];
  /** How long earlier calls of the stage waited for what may pass. */
  readonly waitedMs?: number;
  /** Is told each wait. */
  readonly onWait?: (ms: number) => void;
  /** Whether there is time to start another object. */
  readonly goOn: () => boolean;
  /** Waits; absent: in real time. */
  readonly sleep?: (ms: number) => Promise<void>;
}

const realSleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/**
 * Creates items in the cluster, type by type in the plan's order, in parallel within a type. Memory holds a window of their
 * objects. Items that failed for a reason that may pass are tried again within the restore's `waitSeconds`. Returns the results in
 * the order of the items; items without a result are left for the next call.
 */
export async function applyItems(
  cluster: KubeClient,
  items: readonly PlanItem[],
  bodies: Bodies,
  apply: ApplyOptions,
): Promise<AppliedItem[]> {
  const { goOn, options, sleep = realSleep } = apply;
  const results = new Results(options, apply.before, apply.earlier ?? []);
  const writer = new ItemWriter({ ...apply, cluster, results, sleep });
  for (const item of items)
    if (item.action === 'skip') results.note(item, { result: 'skipped', reason: item.reason });
  const run = async (open: readonly PlanItem[]) => {
    writer.beginPass();
    for (const window of windowsOf(open, WINDOW_BYTES)) {
      if (!goOn()) return;
      await writer.write(window, await bodies(window));
    }
  };
  await run(items.filter((i) => !results.has(i)));
  let waitedMs = apply.waitedMs ?? 0;
  for (let pass = 0; goOn(); pass++) {
    if (apply.stage === 1 && pass === SOON_MS.length) results.defer(items);
    const wait = SOON_MS[pass] ?? LATER_MS;
    const open = results.open(items, pass < SOON_MS.length ? 'all' : 'later');
    if (open.length === 0 || waitedMs + wait > (options.waitSeconds ?? WAIT_SECONDS) * 1000) {
      if (apply.stage === 1) results.defer(items);
      break;
    }
    await sleep(wait);
    waitedMs += wait;
    apply.onWait?.(wait);
    await run(open);
  }
  if (!goOn()) results.reopen();
  return results.of(items);
}
