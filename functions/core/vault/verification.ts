import * as z from 'zod/mini';
import { COPIES, CopyName } from '../../contract/copies.ts';
import { Phase } from '../../contract/phase.ts';
import { ResticId } from '../restic/ids.ts';
import type { InventoryObject } from './replication.ts';

/** Which share of the packs a run reads: the n-th of t. Everything else is read by every run. */
export interface Part {
  readonly part: number;
  readonly parts: number;
}

/** The part, from 1, that a pack belongs to: by the first byte of its id, as `restic check --read-data-subset=n/t` chooses. */
export const partOf = (id: string, parts: number): number =>
  (Number.parseInt(id.slice(0, 2), 16) % parts) + 1;

/** Whether a run reads an object of the vault. */
export function isRead(key: string, { part, parts }: Part): boolean {
  const pack = /^restic\/[^/]+\/[^/]+\/data\/(?:[^/]+\/)?([0-9a-f]{64})$/.exec(key)?.[1];
  return pack === undefined || partOf(pack, parts) === part;
}

/** The part after that of the last completed run. Every byte is read within `parts` runs. */
export const nextPart = (parts: number, last: Part | undefined): number =>
  last?.parts === parts ? (last.part % parts) + 1 : 1;

/**
 * `absent`: does not exist and does not need to: the copy is not proven, or has another retention, or restic has moved its
 * data into another pack. `unproven`: exists and differs from the other copy, and it is unknown which one is correct.
 */
export const CopyState = z.enum(['good', 'damaged', 'missing', 'absent', 'unproven']);
export type CopyState = z.infer<typeof CopyState>;

/** State of one object in both copies. */
export const Seen = z.object({ primary: CopyState, replica: CopyState });
export type Seen = z.infer<typeof Seen>;

/** The copies in which an object is to be healed, or whether it is lost. */
export function judge(seen: Seen): { readonly heal: readonly CopyName[]; readonly lost: boolean } {
  const bad = COPIES.filter((copy) => seen[copy] === 'damaged' || seen[copy] === 'missing');
  const has = (state: CopyState) => COPIES.some((copy) => seen[copy] === state);
  return { heal: has('good') ? bad : [], lost: bad.length > 0 && !has('good') && !has('unproven') };
}

/** An object with a problem, and the outcome. */
export const Finding = z.object({
  key: z.string(),
  ...Seen.shape,
  /** `unproven`: the copies differ, and it is unknown which one is correct. */
  outcome: z.enum(['healed', 'lost', 'unproven']),
  /** Recovery points that need it, if known. For a pack or an index only the repository is known. */
  recoveryPoints: z.array(z.string()),
  repository: z.optional(z.string()),
});
export type Finding = z.infer<typeof Finding>;

/** Findings of one step, written before anything is healed, because a resumed run would not find them again. */
export const Findings = z.array(Finding);

/** Merges findings by key. The later finding of an object replaces the earlier one. */
export const mergeFindings = (before: readonly Finding[], now: readonly Finding[]): Finding[] => [
  ...new Map([...before, ...now].map((f) => [f.key, f])).values(),
];

/** A repository as a run finds it. */
const VerifyRepository = z.object({
  namespace: z.string(),
  /** Copies that must have it: where recovery points need it, in the replica proven ones. */
  neededIn: z.array(CopyName),
  snapshots: z.array(z.object({ id: ResticId, backup: z.string() })),
});
export type VerifyRepository = z.infer<typeof VerifyRepository>;

/** run.json: what a run verifies, written once when it begins. */
export const VerifyRun = z.object({
  run: z.string(),
  part: z.int(),
  parts: z.int(),
  startedAt: z.string(),
  backups: z.array(z.string()),
  repositories: z.array(VerifyRepository),
});
export type VerifyRun = z.infer<typeof VerifyRun>;

/** place.json: checkpoint of a run. Everything before it is verified and healed. */
export const VerifyCursor = z.object({
  step: z.int(),
  /** Key within the step. */
  after: z.optional(z.string()),
  objects: z.int(),
  bytes: z.int(),
});
export type VerifyCursor = z.infer<typeof VerifyCursor>;

/** Result of `restic check` for one copy of a repository. */
export const CheckOutcome = z.object({
  namespace: z.string(),
  copy: CopyName,
  ok: z.boolean(),
  message: z.string(),
  /** Packs that the index refers to and that do not exist. */
  missing: z.array(ResticId),
  seconds: z.number(),
});
export type CheckOutcome = z.infer<typeof CheckOutcome>;

/** report.json, written last. */
export const VerifyReport = z.object({
  run: z.string(),
  part: z.int(),
  parts: z.int(),
  startedAt: z.string(),
  endedAt: z.string(),
  seconds: z.number(),
  /** Completed: all objects that were read are good now. Failed: an object is lost. */
  phase: Phase,
  reasons: z.array(z.string()),
  recoveryPoints: z.int(),
  repositories: z.int(),
  objects: z.int(),
  /** Good bytes in both copies together. */
  bytes: z.int(),
  damaged: z.int(),
  healed: z.int(),
  lost: z.int(),
  findings: z.array(Finding),
  checks: z.array(CheckOutcome),
});
export type VerifyReport = z.infer<typeof VerifyReport>;

/** What a verification read and found, of which its report is made. */
export interface VerifyReportContext {
  readonly cursor: VerifyCursor;
  readonly findings: readonly Finding[];
  readonly checks: readonly CheckOutcome[];
  readonly endedAt: Date;
}

/** The report of a run. */
export function verifyReport(
  { run, part, parts, startedAt, backups, repositories }: VerifyRun,
  { cursor: { objects, bytes }, findings, checks, endedAt }: VerifyReportContext,
): VerifyReport {
  const count = (outcome: Finding['outcome']) => findings.filter((f) => f.outcome === outcome).length;
  const reasons = [
    ...findings.flatMap((f) => (f.outcome === 'healed' ? [] : [reasonOf(f, checks)])),
    ...checks
      .filter((c) => !c.ok)
      .map((c) => `restic check of ${c.namespace} in the ${c.copy}: ${c.message}`),
  ];
  const lost = count('lost');
  return {
    run,
    part,
    parts,
    startedAt,
    endedAt: endedAt.toISOString(),
    seconds: (endedAt.getTime() - Date.parse(startedAt)) / 1000,
    phase: lost > 0 ? 'Failed' : reasons.length > 0 ? 'PartiallyFailed' : 'Completed',
    reasons,
    recoveryPoints: backups.length,
    repositories: repositories.length,
    objects,
    bytes,
    damaged: findings.length,
    healed: count('healed'),
    lost,
    findings: [...findings],
    checks: [...checks],
  };
}

function reasonOf(f: Finding, checks: readonly CheckOutcome[]): string {
  const of = f.recoveryPoints.length > 0 ? ` of ${f.recoveryPoints.join(', ')}` : '';
  const namespace = f.repository?.split('/').at(-1);
  // The copies are pruned separately: the other copy may have the data of a pack in other packs.
  const whole = checks.find((c) => c.ok && c.namespace === namespace && f.outcome === 'lost');
  const but = whole ? `, but restic finds the repository complete in the ${whole.copy}` : '';
  return `${f.key}${of}: ${f.primary} in the primary, ${f.replica} in the replica: ${f.outcome}${but}`;
}

/** The keys of two listings, both in the order of keys, each once. */
export async function* inEither(
  primary: AsyncIterable<InventoryObject>,
  replica: AsyncIterable<InventoryObject>,
): AsyncGenerator<string> {
  const sides = [primary[Symbol.asyncIterator](), replica[Symbol.asyncIterator]()];
  let next = await Promise.all(sides.map((side) => side.next()));
  for (;;) {
    const [key] = next.flatMap((n) => (n.done ? [] : [n.value.key])).sort();
    if (key === undefined) return;
    yield key;
    next = await Promise.all(
      next.map((n, i) => (!n.done && n.value.key === key ? (sides[i] as (typeof sides)[0]).next() : n)),
    );
  }
}
