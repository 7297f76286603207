import { COPIES, type CopyName, type VaultCopy } from '../../contract/copies.ts';
import { SYSTEM_NAMESPACE } from '../../contract/names.ts';
import type { JobSettings } from '../../contract/settings.ts';
import type { ResticJob } from '../../core/jobs/job-spec.ts';
import type { JobEnd } from '../../core/kubernetes/job-end.ts';
import { checkWords, missingPacks } from '../../core/restic/log.ts';
import { repositoryIn } from '../../core/restic/repository.ts';
import { checkArgs } from '../../core/restic/restic.ts';
import type { CheckOutcome, VerifyRun } from '../../core/vault/verification.ts';

/** The check of one copy of a repository. */
export interface CheckWork {
  readonly id: string;
  readonly namespace: string;
  readonly copy: CopyName;
  readonly repository: string;
}

/** Both copies of every repository of a run. `exists`: whether a copy has the repository. */
export const checksOf = (
  { repositories }: VerifyRun,
  keyOf: (namespace: string) => string,
  exists: (work: CheckWork) => boolean,
): CheckWork[] =>
  repositories
    .flatMap(({ namespace }) =>
      COPIES.map((copy) => ({ id: `${namespace}.${copy}`, namespace, copy, repository: keyOf(namespace) })),
    )
    .filter(exists);

/** The Job that runs restic check on one copy of a repository. It has no write access, so it takes no lock. */
export function checkJob(
  settings: JobSettings,
  { run, part, parts }: VerifyRun,
  { id, repository }: CheckWork,
  copy: VaultCopy,
): ResticJob {
  const args = checkArgs(part, parts);
  return {
    run,
    id,
    namespace: SYSTEM_NAMESPACE,
    settings,
    steps: [{ name: 'check', ...repositoryIn(copy, repository), args }],
    capabilities: [],
  };
}

/** The outcome of a copy, from the end of its Job. */
export function checkOutcome({ namespace, copy }: CheckWork, end: JobEnd): CheckOutcome {
  const ok = end.exitCode === 0;
  const message = ok ? 'no errors were found' : checkWords(end);
  return { namespace, copy, ok, message, missing: ok ? [] : missingPacks(end.log), seconds: end.seconds };
}
