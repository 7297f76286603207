import { METRICS } from '../../contract/metrics.ts';
import { type PruneRef, PruneRequest } from '../../contract/states.ts';
import { pruneName } from '../../core/backup/backup-name.ts';
import { repositoryPassword } from '../../core/restic/repository.ts';
import { planNames, retentionNamed, retiredRetentions } from '../../core/retention/policies.ts';
import { clusterKeys, masterSecret, openCopies, recordKey } from '../../runtime/connect.ts';
import { handler as lambdaHandler } from '../../runtime/handler.ts';
import { holderIsGone } from '../../runtime/leases.ts';
import { logger, logRun } from '../../runtime/logging.ts';
import { countErrors } from '../../runtime/metrics.ts';
import { openRepository } from '../../runtime/repositories.ts';
import { settings } from '../../runtime/settings.ts';
import { pruneBackups } from './prune.ts';

/** Time reserved to remove objects after the decision. */
const RESERVE_MS = 300_000;

/** Applies a plan's retention: writes the prune plan, then removes records and objects from both copies. */
export const handler = lambdaHandler(
  'prune-backups',
  PruneRequest,
  async ({ input, startedAt, execution }, { now, remainingMs }): Promise<PruneRef> => {
    const { cluster, prune: limits } = settings();
    const policy = retentionNamed(settings(), input.plan);
    const prune = pruneName(new Date(startedAt), execution);
    logRun({ plan: input.plan, prune });
    const copies = openCopies();
    let secret: Promise<string> | undefined;
    return countErrors('PruneRefused', METRICS.prunesRefused, { Cluster: cluster }, () =>
      pruneBackups(
        {
          copies,
          keys: clusterKeys(),
          cluster,
          verifier: recordKey(),
          async open(copy, repository) {
            secret ??= masterSecret();
            return openRepository(copies[copy], repository, repositoryPassword(await secret, repository));
          },
          timeLeft: () => remainingMs() > RESERVE_MS,
          warn: (text) => logger.warn(text),
        },
        { input, prune, execution, now, isGone: holderIsGone },
        {
          ...policy,
          share: input.allowShare ?? limits.maxShare,
          orphanGraceDays: limits.orphanGraceDays,
          plans: planNames(settings()),
          retired: retiredRetentions(settings(), input.plan),
        },
      ),
    );
  },
);
