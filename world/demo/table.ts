import type { Execution } from './aws.ts';
import { demo, demoCopies } from './config.ts';
import type { DoneBackup } from './stages.ts';

const bytes = (n: number): string =>
  n < 1024 ** 2 ? `${(n / 1024).toFixed(1)} KiB` : `${(n / 1024 ** 2).toFixed(1)} MiB`;
const seconds = (n: number): string => `${n.toFixed(1)} s`;

/** The table at the end of the demo. */
export function summaryTable(
  done: DoneBackup,
  restore: Execution,
  files: number,
  differing: readonly string[],
): string {
  const { record, replica, execution, replicationSeconds } = done;
  const volumeBytes = record.volumes.reduce((sum, v) => sum + (v.bytes ?? 0), 0);
  const volumeFiles = record.volumes.reduce((sum, v) => sum + (v.files ?? 0), 0);
  const resources = record.resources;
  const rows: [string, string][] = [
    ['backup', `${record.backup} (${record.phase})`],
    [
      'objects',
      `${resources?.items ?? 0} items, ${bytes(resources?.bytes ?? 0)}, archive ${bytes(resources?.archiveBytes ?? 0)}, consistency ${resources?.consistency}`,
    ],
    ['volumes', `${record.volumes.length} volume(s), ${volumeFiles} files, ${bytes(volumeBytes)}`],
    ['copy 1', `s3://${demoCopies.primary.bucket} in ${demo.region}`],
    ['copy 2', `s3://${replica.bucket} in ${replica.region}, ${replica.objects} objects proven`],
    ['backup took', `${seconds(execution.seconds)} in all, replication ${seconds(replicationSeconds)} of it`],
    [
      'restore took',
      `${seconds(restore.seconds)}, ${restore.output.created} objects, ${restore.output.volumes} volume(s)`,
    ],
    ['compared', `${files} facts of files (sha256, mode, owner), every object of the manifest`],
    [
      'differs',
      differing.length === 0
        ? 'nothing'
        : `${differing.length}: ${differing.slice(0, 20).join('\n               ')}`,
    ],
  ];
  return rows.map(([name, value]) => `  ${name.padEnd(13)}${value}`).join('\n');
}
