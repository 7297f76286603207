import { METRICS } from '../../contract/metrics.ts';
import { type PruneRef, PruneRequest } from '../../contract/states.ts';
import { pruneName } from '../../core/backup/backup-name.ts';
import { clusterKeys, openCopies, recordKey } from '../../runtime/connect.ts';
import { handler as lambdaHandler } from '../../runtime/handler.ts';
import { holderIsGone } from '../../runtime/leases.ts';
import { logRun } from '../../runtime/logging.ts';
import { countErrors } from '../../runtime/metrics.ts';
import { planSettings, settings } from '../../runtime/settings.ts';
import { pruneBackups } from './prune.ts';

/** Applies a plan's retention: writes the prune plan, then removes records and objects from both copies. */
export const handler = lambdaHandler(
  'prune-backups',
  PruneRequest,
  async ({ input, startedAt, execution }, { now }): Promise<PruneRef> => {
    const { retention, replicaRetention = retention, timeZone } = planSettings(input.plan);
    const { maxShare, orphanGraceDays } = settings().prune;
    const prune = pruneName(input.plan, new Date(startedAt));
    logRun({ plan: input.plan, prune });
    return countErrors('PruneRefused', METRICS.prunesRefused, { Cluster: settings().cluster }, () =>
      pruneBackups(
        { copies: openCopies(), keys: clusterKeys(), verifier: recordKey() },
        { input, prune, execution, now, isGone: holderIsGone },
        { retention, replicaRetention, timeZone, share: input.allowShare ?? maxShare, orphanGraceDays },
      ),
    );
  },
);
