import pMap from 'p-map';
import { findJson, getJson, putJson } from '../../adapters/s3/documents.ts';
import type { PerCopy } from '../../contract/copies.ts';
import { repositoryStages } from '../../core/vault/replication.ts';
import type { VaultKeys } from '../../core/vault/vault-keys.ts';
import {
  type Finding,
  Findings,
  mergeFindings,
  VerifyCursor,
  type VerifyRepository,
  VerifyRun,
} from '../../core/vault/verification.ts';
import type { Verifier } from '../../ports/signing-key.ts';
import type { Vault } from '../../ports/vault.ts';
import { findingOf, heal, type Look } from './look.ts';
import { lookAtPoint } from './recovery-point.ts';
import { lookAtObject, lookAtSnapshot, objectsBelow } from './repository.ts';

const CONCURRENCY = 8;
/** Objects per checkpoint: at most these are read again if the function is killed. */
const BATCH = 32;

export interface Verification {
  readonly copies: PerCopy<Vault>;
  readonly keys: VaultKeys;
  readonly verifier: Verifier;
  timeLeft(): boolean;
}

/** Objects checked together: their findings are written and healed before the cursor moves. */
interface Batch {
  readonly looks: readonly Look[];
  /** Key after which the next batch of the step begins. */
  readonly after?: string;
}
type Step = (after: string | undefined) => AsyncGenerator<Batch>;

/**
 * Verifies both copies object by object, from the run's cursor, and heals damage from the other copy: repositories first, in
 * the order of replication, recovery points with their records last. Findings are written before they are healed, and the
 * cursor after, so a run that was killed anywhere resumes with the same result.
 */
export async function verifyVault(
  verification: Verification,
  run: string,
): Promise<{ readonly plan: VerifyRun; readonly remaining: number }> {
  const { copies, keys, timeLeft } = verification;
  const vault = copies.primary;
  const plan = await getJson(vault, VerifyRun, keys.records.verify.run(run));
  let cursor: VerifyCursor = (await findJson(vault, VerifyCursor, keys.records.verify.cursor(run))) ?? {
    step: 0,
    objects: 0,
    bytes: 0,
  };
  const moveTo = async (next: VerifyCursor) => {
    cursor = next;
    await putJson(vault, keys.records.verify.cursor(run), cursor);
  };
  const steps = stepsOf(verification, plan);
  while (cursor.step < steps.length) {
    const { step } = cursor;
    for await (const { looks, after } of (steps[step] as Step)(cursor.after)) {
      await settle(
        verification,
        run,
        `${String(step).padStart(6, '0')}-${cursor.after?.split('/').at(-1) ?? ''}`,
        looks,
      );
      const counts = countsWith(cursor, looks);
      await moveTo(after ? { step, after, ...counts } : { step: step + 1, ...counts });
      if (!timeLeft()) break;
    }
    if (!timeLeft()) break;
  }
  return { plan, remaining: steps.length - cursor.step };
}

/** Objects and bytes read so far, including these. Bytes count good and healed objects in each copy. */
function countsWith({ objects, bytes }: VerifyCursor, looks: readonly Look[]) {
  const fresh = looks.filter((look) => !look.counted);
  const good = fresh.filter((look) => findingOf(look)?.outcome !== 'lost');
  const copiesOf = ({ seen }: Look) => Object.values(seen).filter((state) => state !== 'absent').length;
  return {
    objects: objects + fresh.length,
    bytes: good.reduce((sum, look) => sum + look.bytes * copiesOf(look), bytes),
  };
}

/** Writes the findings of these objects, then heals them. `id`: name of the findings document. */
export async function settle(
  { copies, keys }: Pick<Verification, 'copies' | 'keys'>,
  run: string,
  id: string,
  looks: readonly Look[],
): Promise<void> {
  const problems: { look: Look; finding: Finding }[] = [];
  for (const look of looks) {
    const finding = findingOf(look);
    if (finding && (await look.stillWanted())) problems.push({ look, finding });
  }
  if (problems.length === 0) return;
  const key = keys.records.verify.findings(run, id);
  const before = (await findJson(copies.primary, Findings, key)) ?? [];
  const found = problems.map(({ finding }) => finding);
  await putJson(copies.primary, key, mergeFindings(before, found));
  for (const { look, finding } of problems) if (finding.outcome === 'healed') await heal(copies, look);
}

function stepsOf(verification: Verification, plan: VerifyRun): Step[] {
  const { copies, keys, verifier } = verification;
  const ofBackup = (backup: string): Step =>
    async function* () {
      yield { looks: await lookAtPoint(copies, keys, backup, verifier) };
    };
  return [
    ...plan.repositories.flatMap((repository) => stepsOfRepository(verification, plan, repository)),
    ...plan.backups.map(ofBackup),
  ];
}

function stepsOfRepository(
  { copies, keys }: Verification,
  plan: VerifyRun,
  repository: VerifyRepository,
): Step[] {
  const { namespace, snapshots } = repository;
  const root = keys.restic.repository(namespace);
  const listed = repositoryStages([root])
    .flat()
    .map(
      (prefix): Step =>
        (after) =>
          batches(
            objectsBelow(copies, prefix, after, plan),
            (key) => key,
            (key) => lookAtObject(copies, key, repository, root),
          ),
    );
  const promised: Step = (after = '') =>
    batches(
      snapshots.filter(({ id }) => id > after).sort((a, b) => (a.id < b.id ? -1 : 1)),
      ({ id }) => id,
      async (snapshot) => {
        const look = await lookAtSnapshot(copies, keys, namespace, snapshot);
        return findingOf(look) ? look : undefined;
      },
    );
  return [...listed, promised];
}

/** Checks objects in parallel, one batch at a time. The last batch may be empty. */
async function* batches<T>(
  items: AsyncIterable<T> | Iterable<T>,
  keyOf: (item: T) => string,
  look: (item: T) => Promise<Look | undefined>,
): AsyncGenerator<Batch> {
  const lookAtAll = async (batch: readonly T[]) =>
    (await pMap(batch, look, { concurrency: CONCURRENCY })).filter((l) => l !== undefined);
  let batch: T[] = [];
  for await (const item of items) {
    batch.push(item);
    if (batch.length < BATCH) continue;
    yield { looks: await lookAtAll(batch), after: keyOf(item) };
    batch = [];
  }
  yield { looks: await lookAtAll(batch) };
}
