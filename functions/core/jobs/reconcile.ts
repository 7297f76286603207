/** The fields of an existing Job that reconciliation uses. */
export interface ActualJob {
  readonly id: string;
  readonly attempt: number;
  readonly state: 'suspended' | 'running' | 'complete' | 'failed';
  /** Failed in a way that a retry cannot fix. */
  readonly final?: boolean;
}

/** A piece of work: one Job, which is retried when it fails. */
export interface DesiredJob {
  readonly id: string;
  /** While a repository is not initialized, only one Job of it may run. */
  readonly repository: string;
  /** The node on which it will most likely run. */
  readonly node?: string | undefined;
  /** False: a prerequisite of its Job is not ready (a snapshot). */
  readonly ready?: boolean | undefined;
}

export interface ReconcileInput<D extends DesiredJob, A extends ActualJob> {
  readonly desired: readonly D[];
  readonly actual: readonly A[];
  /** Ids whose result is in the vault. */
  readonly finished: ReadonlySet<string>;
  /** Repositories that exist. */
  readonly existingRepositories: ReadonlySet<string>;
  readonly concurrency: number;
  /** Limit per node. */
  readonly concurrencyPerNode: number;
  readonly maxAttempts: number;
}

export interface Reconciliation<D, A> {
  /** Create this attempt, or resume its creation. `initialises`: this Job initializes its repository. */
  readonly start: { readonly work: D; readonly attempt: number; readonly initialises: boolean }[];
  /** Write the result of this Job into the vault, then delete it. */
  readonly collect: { readonly work: D; readonly job: A }[];
  /** Leftovers: Jobs whose result is known, and Jobs without work. */
  readonly remove: A[];
  readonly running: number;
  readonly waiting: number;
}

const latest = <A extends ActualJob>(jobs: readonly A[]): A | undefined =>
  jobs.reduce<A | undefined>((a, b) => (a === undefined || b.attempt > a.attempt ? b : a), undefined);

/**
 * One reconciliation pass, level-triggered like a Kubernetes controller. It has no state between passes, so the caller may
 * be killed after any action and start a new pass.
 */
export function reconcile<D extends DesiredJob, A extends ActualJob>(
  input: ReconcileInput<D, A>,
): Reconciliation<D, A> {
  const { desired, actual, finished, existingRepositories, concurrency, concurrencyPerNode, maxAttempts } =
    input;
  const wanted = new Set(desired.map((d) => d.id));
  const remove = actual.filter((job) => finished.has(job.id) || !wanted.has(job.id));
  const out: Reconciliation<D, A> = { start: [], collect: [], remove, running: 0, waiting: 0 };
  const busyRepositories = new Set<string>();
  const fresh: { work: D; attempt: number }[] = [];
  const onNode = new Map<string, number>();
  const runs = ({ node }: D) => {
    running++;
    if (node) onNode.set(node, (onNode.get(node) ?? 0) + 1);
  };
  let running = 0;
  for (const work of desired) {
    if (finished.has(work.id)) continue;
    const job = latest(actual.filter((a) => a.id === work.id));
    if (!job) fresh.push({ work, attempt: 1 });
    else if (job.state === 'failed' && !job.final && job.attempt < maxAttempts) {
      fresh.push({ work, attempt: job.attempt + 1 }); // the failed Job stays until then: it records the attempt number
    } else if (job.state === 'complete' || job.state === 'failed') out.collect.push({ work, job });
    else {
      runs(work);
      busyRepositories.add(work.repository);
      if (job.state === 'suspended') {
        out.start.push({
          work,
          attempt: job.attempt,
          initialises: !existingRepositories.has(work.repository),
        });
      }
    }
  }
  let waiting = 0;
  for (const { work, attempt } of fresh) {
    const open = existingRepositories.has(work.repository);
    const nodeIsFull = work.node !== undefined && (onNode.get(work.node) ?? 0) >= concurrencyPerNode;
    if (
      work.ready === false ||
      running >= concurrency ||
      nodeIsFull ||
      (!open && busyRepositories.has(work.repository))
    ) {
      waiting++;
      continue;
    }
    busyRepositories.add(work.repository);
    runs(work);
    out.start.push({ work, attempt, initialises: !open });
  }
  return { ...out, running, waiting };
}
