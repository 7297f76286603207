import type { BackupRecord, ReplicaProof } from '../../functions/core/backup/record.ts';
import { vaultKeys } from '../../functions/core/vault/vault-keys.ts';
import { type Aws, type Execution, readJson } from './aws.ts';
import { demo, demoCopies } from './config.ts';

/** A backup as the vault knows it afterwards. */
export interface DoneBackup {
  readonly execution: Execution;
  readonly record: BackupRecord;
  readonly replica: ReplicaProof;
  readonly replicationSeconds: number;
}

/** Waits for an execution that the schedule has started, not a person: its input holds the scheduled time. */
export async function waitForSchedule(aws: Aws, since: Date, timeoutSeconds: number): Promise<Execution> {
  const deadline = Date.now() + timeoutSeconds * 1000;
  for (;;) {
    const scheduled = (await aws.executions('backup')).find(
      (e) => Date.parse(String(e.input.scheduledTime)) >= since.getTime(),
    );
    if (scheduled) return scheduled;
    if (Date.now() > deadline) throw new Error(`no backup was scheduled within ${timeoutSeconds} s`);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

/** Waits for a backup execution's end and reads what it left in the vault. */
export async function finishBackup(
  aws: Aws,
  arn: string,
  onState: (state: string) => void,
): Promise<DoneBackup> {
  const execution = await aws.wait(arn, onState);
  if (execution.status !== 'SUCCEEDED') throw new Error(`the backup ended as ${execution.problem}`);
  const backup = String(execution.output.backup);
  const keys = vaultKeys(demo.cluster);
  const record = await readJson<BackupRecord>(
    demo.region,
    demoCopies.primary.bucket,
    keys.records.record(backup),
  );
  const replica = await readJson<ReplicaProof>(
    demo.replicaRegion,
    demoCopies.replica.bucket,
    keys.records.replica(backup),
  );
  const replication = (await aws.executions('replicate')).find((e) => e.input.backup === backup);
  return { execution, record, replica, replicationSeconds: replication?.seconds ?? 0 };
}

/** Runs the restore machine with what a person would type into the console. */
export async function runRestore(
  aws: Aws,
  input: object,
  onState: (state: string) => void,
): Promise<Execution> {
  const execution = await aws.wait(await aws.start('restore', input), onState, 900);
  if (execution.status !== 'SUCCEEDED') throw new Error(`the restore ended as ${execution.problem}`);
  return execution;
}
