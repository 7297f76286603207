import { type BackupRef, OpenBackupRequest } from '../../contract/states.ts';
import { clusterKeys, primaryVault, recordKey, withCluster } from '../../runtime/connect.ts';
import { handler as lambdaHandler } from '../../runtime/handler.ts';
import { holderIsGone } from '../../runtime/leases.ts';
import { settings } from '../../runtime/settings.ts';
import { openBackup } from './open.ts';

/** Names the backup, acquires its lease and writes its work list. Idempotent: the same event opens the same backup. */
export const handler = lambdaHandler(
  'open-backup',
  OpenBackupRequest,
  (request, { now }): Promise<BackupRef> =>
    openBackup(
      {
        vault: primaryVault(),
        keys: clusterKeys(),
        settings: settings(),
        now,
        verifier: recordKey(),
        withCluster: (work) => withCluster('backup', now, work),
        isGone: holderIsGone,
      },
      request,
    ),
);
