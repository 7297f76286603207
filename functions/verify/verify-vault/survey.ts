import pMap from 'p-map';
import { findJson } from '../../adapters/s3/documents.ts';
import { COPIES, type CopyName, type PerCopy } from '../../contract/copies.ts';
import { parseBackupName } from '../../core/backup/backup-name.ts';
import { snapshotsIn } from '../../core/backup/record.ts';
import type { VaultKeys } from '../../core/vault/vault-keys.ts';
import {
  nextPart,
  type Part,
  VerifyReport,
  type VerifyRepository,
  type VerifyRun,
} from '../../core/vault/verification.ts';
import type { Verifier } from '../../ports/signing-key.ts';
import type { Vault } from '../../ports/vault.ts';
import { findPoint } from './recovery-point.ts';

const CONCURRENCY = 8;
/** Number of earlier runs that are searched for a report. Some may not have completed. */
const LOOK_BACK = 50;

const emptyRepository = (namespace: string): VerifyRepository => ({ namespace, neededIn: [], snapshots: [] });

/** What a run verifies: the recovery points that exist now, and the repositories with the snapshots they must have. */
export async function survey(
  copies: PerCopy<Vault>,
  keys: VaultKeys,
  verifier: Verifier,
): Promise<Pick<VerifyRun, 'backups' | 'repositories'>> {
  const inBoth = async (root: string) =>
    [...new Set((await Promise.all(COPIES.map((copy) => copies[copy].folders(root)))).flat())].sort();
  const repositories = new Map<string, VerifyRepository>(
    (await inBoth(keys.restic.root)).map((namespace) => [namespace, emptyRepository(namespace)]),
  );
  const names = (await inBoth(keys.records.root)).filter((name) => parseBackupName(name));
  const backups: string[] = [];
  const points = await pMap(names, (backup) => findPoint(copies, keys, backup, verifier), {
    concurrency: CONCURRENCY,
  });
  for (const [i, point] of points.entries()) {
    const backup = names[i] as string;
    const { primary, replica } = point.copies;
    if (primary.state === 'absent' && replica.state === 'absent') continue; // not committed
    backups.push(backup);
    const needed: CopyName[] = [
      ...(primary.state === 'absent' ? [] : ['primary' as const]),
      ...(point.proven ? ['replica' as const] : []),
    ];
    for (const { namespace, snapshot } of point.record ? snapshotsIn(point.record) : []) {
      const before = repositories.get(namespace) ?? emptyRepository(namespace);
      repositories.set(namespace, {
        namespace,
        neededIn: COPIES.filter((copy) => before.neededIn.includes(copy) || needed.includes(copy)),
        snapshots: [...before.snapshots, { id: snapshot, backup }],
      });
    }
  }
  return { backups, repositories: [...repositories.values()] };
}

/** The next part to read: the one after that of the newest completed run. */
export async function partOfRun(
  copies: PerCopy<Vault>,
  keys: VaultKeys,
  run: string,
  parts: number,
): Promise<Part> {
  const before = (await copies.primary.folders(keys.records.verify.root)).filter((name) => name < run);
  for (const name of before.sort().reverse().slice(0, LOOK_BACK)) {
    const report = await findJson(copies.primary, VerifyReport, keys.records.verify.report(name));
    if (report?.parts === parts) return { part: nextPart(parts, report), parts };
  }
  return { part: nextPart(parts, undefined), parts };
}
