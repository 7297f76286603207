import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { TYPES } from '../../../functions/core/kubernetes/well-known.ts';
import { madeObjects } from '../../../functions/runtime/jobs/made-objects.ts';
import { type JobRun, reconcileJobs } from '../../../functions/runtime/jobs/reconcile-jobs.ts';
import type { RepositoryAccess, ResticWork } from '../../../functions/runtime/jobs/restic-jobs.ts';
import { passTime } from '../../support/cluster-controllers.ts';
import { MemoryCluster } from '../../support/memory-cluster.ts';
import { MemoryVault } from '../../support/memory-vault.ts';
import { JOBS } from '../../support/selection.ts';

const Outcome = z.object({ ok: z.boolean(), message: z.string() });
type Outcome = z.infer<typeof Outcome>;
const DIR = 'records/paris/run-1/';
const work = (id: string, namespace = 'shop'): ResticWork => ({
  id,
  namespace,
  repository: `restic/paris/${namespace}`,
});

/** A run of Jobs in a cluster and a vault in memory. */
function runOf(over: Partial<JobRun<ResticWork, Outcome>>) {
  const cluster = new MemoryCluster(new Date('2026-01-31T02:00:00Z'));
  const vault = new MemoryVault('primary');
  const minted: string[] = [];
  const look = () =>
    reconcileJobs<ResticWork, Outcome>(
      {
        cluster,
        now: cluster.now,
        jobs: JOBS,
        masterSecret: async () => 'master',
        async session({ run, use, buckets }: RepositoryAccess, repository) {
          minted.push(`${run} may ${use} ${repository} in ${buckets}`);
          return '{}';
        },
      },
      {
        run: 'run-1',
        made: madeObjects({ cluster, vault, now: cluster.now }, 'runs/paris/run-1/'),
        use: 'backup',
        buckets: ['primary'],
        repositories: vault,
        items: async () => [work('a')],
        jobFor: ({ id, namespace }) => ({
          run: 'run-1',
          id,
          namespace,
          settings: JOBS,
          capabilities: [],
          steps: [{ name: 'backup', args: [], repository: 's3:x', region: 'eu-west-3' }],
        }),
        outcomeOf: (_, { exitCode, message = '' }) => ({ ok: exitCode === 0, message }),
        results: {
          vault,
          dir: DIR,
          keyOf: (id) => `${DIR}${id}.json`,
          schema: Outcome,
          failed: (o) => !o.ok,
        },
        ...over,
      },
    );
  const wait = () =>
    passTime(cluster, {
      onStart: () => undefined,
      exitCode: () => 0,
      takesSnapshot: () => true,
      onInit: () => undefined,
    });
  const result = (id: string) => JSON.parse(vault.objects.get(`${DIR}${id}.json`)?.body.toString() ?? 'null');
  const jobs = () => cluster.all(TYPES.jobs).map((j) => j.metadata.annotations?.['holdfast.io/id']);
  return { cluster, vault, minted, look, wait, result, jobs };
}

describe('a look at the Jobs of a run', () => {
  it('starts what a result has just made known', async () => {
    const run = runOf({ items: async () => (run.result('a') ? [work('a'), work('b')] : [work('a')]) });
    await run.look();
    expect(run.jobs()).toEqual(['a']);
    for (let i = 0; i < 3; i++) run.wait();
    const { state } = await run.look();
    expect([run.result('a').ok, run.jobs(), state.waitSeconds]).toEqual([true, ['b'], 3]);
  });

  it('writes why there can be no Job, and counts it as a failure', async () => {
    const run = runOf({ jobFor: () => ({ blocker: 'its pod is gone' }) });
    await run.look();
    const { state } = await run.look();
    expect([run.result('a'), state]).toEqual([
      { ok: false, message: 'its pod is gone' },
      { running: 0, done: 1, failed: 1, waitSeconds: 0 },
    ]);
    expect([run.jobs(), run.minted]).toEqual([[], []]);
  });

  it('gives a Job credentials for its own repository, and none to one that has an identity', async () => {
    const items = [work('a'), work('b', 'blog')];
    const run = runOf({ items: async () => items, hasIdentity: (w) => w.id === 'b' });
    await run.look();
    expect(run.minted).toEqual(['run-1 may backup restic/paris/shop in primary']);
    const files = run.cluster.all(TYPES.secrets).map((s) => Object.keys(s.data as object).sort());
    expect(files).toEqual([['credentials', 'credentials-kubectl', 'password', 'session.json'], ['password']]);
  });

  it('lets one Job at a time make a repository, and all that follow at once', async () => {
    const run = runOf({ items: async () => ['a', 'b', 'c'].map((id) => work(id)) });
    await run.look();
    expect(run.jobs()).toEqual(['a']);
    run.vault.objects.set('restic/paris/shop/config', { body: Buffer.from(''), metadata: {} });
    await run.look();
    expect(run.jobs()).toEqual(['a', 'b', 'c']);
  });

  it('does not run a Job with a Secret that somebody else put under its name', async () => {
    const run = runOf({});
    const { call } = run.cluster;
    run.cluster.call = (method, path, options) => {
      const { metadata } = (options?.body ?? {}) as { metadata?: { name: string; namespace: string } };
      if (method === 'POST' && path.endsWith('/secrets') && metadata)
        run.cluster.put(TYPES.secrets, { metadata, data: { password: 'bWluZQ==' } });
      return call.call(run.cluster, method, path, options);
    };
    await run.look();
    expect(run.result('a').message).toMatch(
      /^the name shop\/holdfast-[0-9a-f]{16} is taken by a Secret that Holdfast did not make$/,
    );
    expect(run.cluster.all(TYPES.jobs).map((j) => j.spec?.suspend)).toEqual([true]);
    await run.look();
    expect(run.jobs()).toEqual([]);
  });
});
