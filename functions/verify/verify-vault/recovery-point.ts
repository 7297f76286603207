import { createHash } from 'node:crypto';
import pMap from 'p-map';
import { COPIES, type CopyName, type PerCopy } from '../../contract/copies.ts';
import type { BackupRecord } from '../../core/backup/record.ts';
import type { VaultKeys } from '../../core/vault/vault-keys.ts';
import type { CopyState } from '../../core/vault/verification.ts';
import type { Verifier } from '../../ports/signing-key.ts';
import type { Vault } from '../../ports/vault.ts';
import { verifiedRecord } from '../../runtime/signed-records.ts';
import { type Look, lookAt } from './look.ts';

const CONCURRENCY = 4;

/** A record in one copy. */
interface RecordCopy {
  readonly state: CopyState | 'unsigned';
  readonly record?: BackupRecord;
  readonly sha256?: string;
  readonly bytes?: number;
}

/** A recovery point in both copies. */
export interface FoundPoint {
  readonly copies: PerCopy<RecordCopy>;
  /** The record of a copy with a valid signature; else an unsigned one. */
  readonly record: BackupRecord | undefined;
  readonly signed: boolean;
  /** The replica has been proven. */
  readonly proven: boolean;
}

async function recordIn(vault: Vault, key: string, verifier: Verifier): Promise<RecordCopy> {
  const found = await vault.find(key);
  if (!found) return { state: 'absent' };
  try {
    const { record, signed } = await verifiedRecord(vault, key, found.body, verifier);
    const sha256 = createHash('sha256').update(found.body).digest('hex');
    return { state: signed ? 'good' : 'unsigned', record, sha256, bytes: found.body.length };
  } catch (error) {
    if (['RecordForged', 'RecoveryPointDamaged'].includes((error as Error).name)) return { state: 'damaged' };
    throw error;
  }
}

/** Reads a recovery point's records and says whether its replica is proven. */
export async function findPoint(
  { primary, replica }: PerCopy<Vault>,
  keys: VaultKeys,
  backup: string,
  verifier: Verifier,
): Promise<FoundPoint> {
  const [record, proof] = [keys.records.record(backup), keys.records.replica(backup)];
  const [left, right, here, there] = await Promise.all([
    recordIn(primary, record, verifier),
    recordIn(replica, record, verifier),
    primary.exists(proof),
    replica.exists(proof),
  ]);
  const best =
    [left, right].find((r) => r.state === 'good') ?? [left, right].find((r) => r.state === 'unsigned');
  return {
    copies: { primary: left, replica: right },
    record: best?.record,
    signed: best?.state === 'good',
    proven: here || there,
  };
}

/** Checks every object that a record names, then the record itself, which is healed last. */
export async function lookAtPoint(
  copies: PerCopy<Vault>,
  keys: VaultKeys,
  backup: string,
  verifier: Verifier,
): Promise<Look[]> {
  const point = await findPoint(copies, keys, backup, verifier);
  const has = (copy: CopyName) => point.copies[copy].state !== 'absent';
  if (!COPIES.some(has)) return []; // pruned since the run began
  const expected = {
    primary: has('primary'),
    replica: has('replica') ? true : point.proven && has('primary'),
  };
  const of = {
    recoveryPoints: [backup],
    stillWanted: async () =>
      (await Promise.all(COPIES.map((copy) => copies[copy].exists(keys.records.record(backup))))).some(
        Boolean,
      ),
  };
  const objects = await pMap(
    point.record?.objects ?? [], // as commit-backup lists them: what refers to something comes after it
    async ({ key, sha256 }) => ({
      // Without a signature nobody can be believed: compared, but not written.
      ...(await lookAt(copies, key, sha256, expected)),
      ...of,
      ...(!point.signed && { sha256: undefined }),
    }),
    { concurrency: CONCURRENCY },
  );
  return [...objects, { ...lookAtRecord(keys.records.record(backup), point, expected), ...of }];
}

/** A record is good if it is signed. An unsigned one is damaged if the other copy is signed, else unproven. */
function lookAtRecord(
  key: string,
  { copies, signed }: FoundPoint,
  expected: Record<CopyName, boolean>,
): Pick<Look, 'key' | 'sha256' | 'seen' | 'bytes'> {
  const stateOf = (copy: CopyName): CopyState => {
    const { state } = copies[copy];
    if (state === 'absent') return expected[copy] ? 'missing' : 'absent';
    if (state === 'unsigned') return signed ? 'damaged' : 'unproven';
    return state;
  };
  const best = COPIES.map((copy) => copies[copy]).find((c) => c.state === (signed ? 'good' : 'unsigned'));
  return {
    key,
    sha256: signed ? best?.sha256 : undefined,
    seen: { primary: stateOf('primary'), replica: stateOf('replica') },
    bytes: best?.bytes ?? 0,
  };
}
