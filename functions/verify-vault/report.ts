import pMap from 'p-map';
import { findJson, getJson, putJson } from '../adapters/s3/documents.ts';
import type { Vault } from '../adapters/s3/vault.ts';
import type { VaultKeys } from '../core/vault-keys.ts';
import {
  CheckOutcome,
  Findings,
  mergeFindings,
  VerifyPlace,
  VerifyReport,
  VerifyRun,
  verifyReport,
} from '../core/verification.ts';

/** Writes what a run came to, from what it left behind. A report that is there stays. */
export async function writeReport(
  vault: Vault,
  { records: { verify } }: VaultKeys,
  run: string,
  now: Date,
): Promise<VerifyReport> {
  const written = await findJson(vault, VerifyReport, verify.report(run));
  if (written) return written;
  const all = async <T>(dir: string, read: (key: string) => Promise<T>): Promise<T[]> => {
    const keys: string[] = [];
    for await (const { key } of vault.list(dir)) keys.push(key);
    return pMap(keys, read, { concurrency: 8 });
  };
  const [plan, place, findings, checks] = await Promise.all([
    getJson(vault, VerifyRun, verify.run(run)),
    getJson(vault, VerifyPlace, verify.place(run)),
    all(verify.findingsDir(run), (key) => getJson(vault, Findings, key)),
    all(verify.jobDir(run), (key) => getJson(vault, CheckOutcome, key)),
  ]);
  const report = verifyReport(plan, place, mergeFindings([], findings.flat()), checks, now);
  await putJson(vault, verify.report(run), report);
  return report;
}
