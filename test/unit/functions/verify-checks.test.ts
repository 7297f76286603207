import { describe, expect, it } from 'vitest';
import { vaultKeys } from '../../../functions/core/vault/vault-keys.ts';
import type { VerifyRun } from '../../../functions/core/vault/verification.ts';
import {
  type CheckWork,
  checkJob,
  checkOutcome,
  checksOf,
} from '../../../functions/verify/reconcile-verify/check-job.ts';
import { jobEnd } from '../../support/builders.ts';
import { copiesOf, settingsWith } from '../../support/selection.ts';

const keys = vaultKeys('paris');
const repository = (namespace: string) => ({ namespace, neededIn: [], snapshots: [] });
const run: VerifyRun = {
  run: 'verify-1',
  part: 3,
  parts: 7,
  startedAt: '2026-01-01T00:00:00Z',
  backups: [],
  repositories: [repository('shop'), repository('_control-plane')],
};
const settings = settingsWith({ vault: { name: 'v', region: 'eu-west-1', replicaRegion: 'eu-central-1' } });
const { primary, replica } = copiesOf(settings);
const all = checksOf(run, keys.restic.repository, () => true);
const [shop, copy] = all as [CheckWork, CheckWork];
const end = (exitCode: number | undefined, log = '', message?: string) =>
  jobEnd({ exitCode, log, message, seconds: 5 });

describe('the checks of a run', () => {
  it('are of both copies of every repository, each with a name of its own', () => {
    expect(all.map((c) => c.id)).toEqual([
      'shop.primary',
      'shop.replica',
      '_control-plane.primary',
      '_control-plane.replica',
    ]);
  });

  it('leave out a copy that has no such repository: it is not replicated yet', () => {
    const found = checksOf(run, keys.restic.repository, (work) => work.id !== 'shop.replica');
    expect(found.map((c) => c.id)).not.toContain('shop.replica');
    expect(found).toHaveLength(3);
  });

  it('read the part of the run, of their own copy, without a lock, in Holdfast’s namespace', () => {
    const job = checkJob(settings.jobs, run, copy, replica);
    expect(job).toMatchObject({
      run: 'verify-1',
      id: 'shop.replica',
      namespace: 'holdfast',
      capabilities: [],
      steps: [
        {
          repository: 's3:https://s3.replica/v-1-eu-central-1/restic/paris/shop',
          region: 'eu-central-1',
          args: ['check', '--read-data-subset=3/7', '--no-lock', '--json'],
        },
      ],
    });
    expect(checkJob(settings.jobs, run, shop, primary).steps[0]).toMatchObject({
      repository: 's3:https://s3.primary/v-1-eu-west-1/restic/paris/shop',
      region: 'eu-west-1',
    });
  });
});

describe('the outcome of a check', () => {
  it('is good when restic found no errors', () => {
    expect(checkOutcome(shop, end(0))).toEqual({
      namespace: 'shop',
      copy: 'primary',
      ok: true,
      message: 'no errors were found',
      missing: [],
      seconds: 5,
    });
  });
  it('is restic’s words when it did, and those of the cluster when the Job did not run', () => {
    const pack = '12ab'.repeat(16);
    const log = `${JSON.stringify({ message_type: 'error', message: `pack ${pack}: does not exist\n` })}\n`;
    expect(checkOutcome(shop, end(1, log))).toMatchObject({
      ok: false,
      message: expect.stringContaining(`pack ${pack}: does not exist`),
      missing: [pack],
    });
    expect(checkOutcome(shop, end(undefined, '', 'no node has room'))).toMatchObject({
      ok: false,
      message: 'its Job did not run: no node has room',
    });
  });
});
