import pMap from 'p-map';
import type * as z from 'zod/mini';
import { findJson, getJson, putJson } from '../../adapters/s3/documents.ts';
import type { PerCopy } from '../../contract/copies.ts';
import type { VaultKeys } from '../../core/vault/vault-keys.ts';
import {
  CheckOutcome,
  Findings,
  mergeFindings,
  VerifyCursor,
  VerifyReport,
  VerifyRun,
  verifyReport,
} from '../../core/vault/verification.ts';
import type { Vault } from '../../ports/vault.ts';
import { healConfigs, healMissing } from './after-checks.ts';

/** Heals what the restic checks found, and writes the report of a run. An existing report is returned unchanged. */
export async function writeReport(
  copies: PerCopy<Vault>,
  keys: VaultKeys,
  run: string,
  now: Date,
): Promise<VerifyReport> {
  const vault = copies.primary;
  const { verify } = keys.records;
  const written = await findJson(vault, VerifyReport, verify.report(run));
  if (written) return written;
  const checks = await allBelow(vault, verify.jobDir(run), CheckOutcome);
  await healMissing(copies, keys, run, checks);
  const [plan, cursor, findings] = await Promise.all([
    getJson(vault, VerifyRun, verify.run(run)),
    getJson(vault, VerifyCursor, verify.cursor(run)),
    allBelow(vault, verify.findingsDir(run), Findings),
  ]);
  const settled = await healConfigs(copies, mergeFindings([], findings.flat()), checks, keys);
  const report = verifyReport(plan, { cursor, findings: settled, checks, endedAt: now });
  await putJson(vault, verify.report(run), report);
  return report;
}

/** All documents below a prefix, in the order of their keys. */
async function allBelow<T>(vault: Vault, prefix: string, schema: z.core.$ZodType<T>): Promise<T[]> {
  const keys: string[] = [];
  for await (const { key } of vault.list(prefix)) keys.push(key);
  return pMap(keys, (key) => getJson(vault, schema, key), { concurrency: 8 });
}
