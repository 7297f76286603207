import { createJson, getJson } from '../../adapters/s3/documents.ts';
import { METRICS } from '../../contract/metrics.ts';
import { VerifyRequest, type VerifyState } from '../../contract/states.ts';
import { verificationName } from '../../core/backup/backup-name.ts';
import { type VerifyReport, VerifyRun } from '../../core/vault/verification.ts';
import type { Verifier } from '../../ports/signing-key.ts';
import { clusterKeys, openCopies, recordKey } from '../../runtime/connect.ts';
import { handler as lambdaHandler } from '../../runtime/handler.ts';
import { logRun } from '../../runtime/logging.ts';
import { emitMetric } from '../../runtime/metrics.ts';
import { settings } from '../../runtime/settings.ts';
import { writeReport } from './report.ts';
import { partOfRun, survey } from './survey.ts';
import { verifyVault } from './verify.ts';

/** Time reserved to finish a batch of objects before Lambda ends the function. */
const RESERVE_MS = 180_000;

/** Opens a verification of both copies of the vault, resumes it as far as time allows, or writes its report. */
export const handler = lambdaHandler(
  'verify-vault',
  VerifyRequest,
  async (request, { now, remainingMs }): Promise<VerifyState> => {
    const copies = openCopies();
    const keys = clusterKeys();
    let publicKey: Promise<Buffer> | undefined; // requested once per call
    const verifier: Verifier = { publicKey: () => (publicKey ??= recordKey().publicKey()) };
    if (request.stage === 'open') {
      const run = verificationName(new Date(request.startedAt), request.execution);
      logRun({ run });
      const parts = request.input.parts ?? settings().verification.parts;
      const of = await partOfRun(copies, keys, run, parts);
      const found = { run, ...of, startedAt: request.startedAt, ...(await survey(copies, keys, verifier)) };
      await createJson(copies.primary, keys.records.verify.run(run), found);
      return stateOf(await getJson(copies.primary, VerifyRun, keys.records.verify.run(run)), 1);
    }
    if (request.stage === 'report') {
      const report = await writeReport(copies, keys, request.run, now);
      emitMetrics(report);
      const { startedAt: _, endedAt: __, reasons, findings: ___, checks, ...counts } = report;
      return { ...counts, reasons: reasons.length, checks: checks.length, remaining: 0 };
    }
    const goOn = () => remainingMs() > RESERVE_MS;
    const { plan, remaining } = await verifyVault({ copies, keys, verifier, timeLeft: goOn }, request.run);
    return stateOf(plan, remaining);
  },
);

const stateOf = ({ run, part, parts, backups }: VerifyRun, remaining: number): VerifyState => ({
  run,
  part,
  parts,
  recoveryPoints: backups.length,
  remaining,
});

function emitMetrics({ bytes, damaged, healed, lost }: VerifyReport): void {
  const of = { Cluster: settings().cluster };
  emitMetric(METRICS.bytesVerified, { value: bytes, unit: 'Bytes' }, of);
  emitMetric(METRICS.objectsDamaged, { value: damaged, unit: 'Count' }, of);
  emitMetric(METRICS.objectsHealed, { value: healed, unit: 'Count' }, of);
  emitMetric(METRICS.objectsLost, { value: lost, unit: 'Count' }, of);
}
