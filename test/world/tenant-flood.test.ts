import pMap from 'p-map';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { backupName } from '../../functions/core/backup/backup-name.ts';
import { collectionPath, type KubeObject } from '../../functions/core/kubernetes/resources.ts';
import { TYPES } from '../../functions/core/kubernetes/well-known.ts';
import { imageNames } from '../../world/base/settings.ts';
import { annotationsOf, labelsOf, lookAlike, Tenant } from '../support/tenant.ts';
import { EVIL, Farm, MEADOW, ORCHARD } from '../support/tenant-farm.ts';
import type { Passed } from '../support/tenant-proxy.ts';
import { truthOf } from './tenant-truth.ts';

// Hundreds of Jobs and pods with the labels of a run that is to come, in a namespace that is in no plan.
const MANY = 400;
const PARALLEL = 16;
let farm: Farm;
let tenant: Tenant;

beforeAll(async () => {
  farm = await Farm.open('farm-flood');
  tenant = await Tenant.in(EVIL);
  // The next one has something to prune.
  for (let i = 0; i < 2; i++) await farm.backUp('orchard');
});
afterAll(async () => {
  const body = { kind: 'DeleteOptions', apiVersion: 'v1', propagationPolicy: 'Background' };
  for (const type of [TYPES.jobs, TYPES.pods])
    await farm?.api.client.call('DELETE', collectionPath(type, EVIL), { body, accept: [404] });
  await tenant?.close();
  await farm?.close(EVIL);
});

/** The answers that Holdfast gets while something runs. */
async function answersDuring<T>(work: () => Promise<T>): Promise<{ result: T; passed: Passed[] }> {
  const passed: Passed[] = [];
  farm.backups.interposed = { after: async (request) => void passed.push(request) };
  const result = await work();
  farm.backups.interposed = {};
  return { result, passed };
}

/** Jobs that wait, and pods that nothing schedules, as those of a backup and its first prune. */
async function flood(run: string): Promise<void> {
  await pMap(
    Array.from({ length: MANY }, (_, i) => i),
    async (i) => {
      const name = `flood-${i}`;
      const labels = labelsOf(run);
      const annotations = annotationsOf(i % 2 ? `${ORCHARD}.data` : `${ORCHARD}.data-${i}`);
      const job = lookAlike(EVIL, { name, labels, annotations, writes: [['backup', '']] });
      const made = await tenant.api.tryCreate({ ...job, spec: { ...job.spec, suspend: true } });
      const pod = await tenant.api.tryCreate({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name, namespace: EVIL, labels: { ...labels, 'batch.kubernetes.io/job-name': name } },
        spec: {
          schedulingGates: [{ name: 'example.com/never' }],
          containers: [{ name: 'backup', image: imageNames.busybox }],
        },
      });
      if (made.status !== 201 || pod.status !== 201) throw new Error(`${made.message}${pod.message}`);
    },
    { concurrency: PARALLEL },
  );
}

it('a flood of look-alikes is in no answer that a backup and its prune get, and none asks for it', async () => {
  const at = farm.nextInstant();
  await flood(backupName('orchard', at));
  const flooded = await answersDuring(() => farm.backUp('orchard', at));
  const { execution, record } = flooded.result;
  expect([execution.problem, record.phase]).toEqual(['', 'Completed']);
  expect(flooded.passed.length).toBeGreaterThan(50);
  // The export counts the objects of a type by asking for one of them.
  const asked = flooded.passed.filter((p) => p.query.get('limit') !== '1');
  const touched = asked.filter((p) => p.path.includes(`/${EVIL}`) || p.answer.includes('flood-'));
  expect([...new Set(touched.map((p) => `${p.method} ${p.path}`))]).toEqual([]);
});

it('pods that claim to be of a Job cost a namespace of the plan no request each', async () => {
  const inside = await Tenant.in(MEADOW);
  const jobs = `/apis/batch/v1/namespaces/${MEADOW}/jobs`;
  const passed: Passed[] = [];
  const forge = async ({ metadata, spec }: KubeObject, i: number) => {
    const { labels } = (spec as { template: KubeObject }).template.metadata;
    const of = {
      'batch.kubernetes.io/controller-uid': String(metadata.uid),
      'batch.kubernetes.io/job-name': metadata.name,
    };
    const { status } = await inside.api.tryCreate({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: `flood-${i}`, namespace: MEADOW, labels: { ...labels, ...of } },
      spec: {
        schedulingGates: [{ name: 'example.com/never' }],
        containers: [{ name: 'backup', image: imageNames.busybox }],
      },
    });
    return status;
  };
  let forged: number[] = [];
  farm.backups.interposed.after = async (request) => {
    passed.push(request);
    const isFirst = forged.length === 0 && request.method === 'POST' && request.path === jobs;
    if (!isFirst || request.status !== 201) return;
    const job = JSON.parse(request.answer.toString('utf8')) as KubeObject;
    forged = await pMap(
      Array.from({ length: 100 }, (_, i) => i),
      (i) => forge(job, i),
      { concurrency: PARALLEL },
    );
  };
  const ended = await farm.backUp();
  farm.backups.interposed = {};
  await inside.close();
  expect(new Set(forged)).toEqual(new Set([201]));
  const truth = await truthOf(farm, ended);
  expect(truth === 'protected' || truth.length > 20).toBe(true);
  // The controller of Jobs may adopt some of them: then one of these is the pod of the Job, for a look.
  const about = passed.flatMap((p) => /flood-\d+/.exec(`${p.path}${p.query}`)?.[0] ?? []);
  expect(new Set(about).size).toBeLessThan(6);
});

it('no request was lost on its way to the API server', () => {
  expect(farm.backups.problems).toEqual([]);
});
