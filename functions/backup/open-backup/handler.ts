import { type BackupRef, OpenBackupRequest } from '../../contract/states.ts';
import { keys, primaryVault, withCluster } from '../../runtime/connect.ts';
import { handler as lambda } from '../../runtime/handler.ts';
import { holderIsGone } from '../../runtime/leases.ts';
import { settings } from '../../runtime/settings.ts';
import { openBackup } from './open.ts';

/** Names the backup, takes its lease and writes its work list. The same event twice is the same backup. */
export const handler = lambda(
  'open-backup',
  OpenBackupRequest,
  (request, { now }): Promise<BackupRef> =>
    openBackup(
      {
        vault: primaryVault(),
        keys: keys(),
        settings: settings(),
        now,
        withCluster: (work) => withCluster('backup', now, work),
        isGone: holderIsGone,
      },
      request,
    ),
);
