import { beforeEach, describe, expect, it } from 'vitest';
import type { MadeObject, Slot } from '../../../functions/core/jobs/made-object.ts';
import { parseSlot, slotFile } from '../../../functions/core/jobs/made-object.ts';
import { type KubeObject, objectPath } from '../../../functions/core/kubernetes/resources.ts';
import { TYPES } from '../../../functions/core/kubernetes/well-known.ts';
import { vaultKeys } from '../../../functions/core/vault/vault-keys.ts';
import type { CallOptions, KubeClient } from '../../../functions/ports/kubernetes.ts';
import {
  madeObjects,
  mayRun,
  type Own,
  objectsOf,
  removeAll,
} from '../../../functions/runtime/jobs/made-objects.ts';
import { endStoppedPrunes } from '../../../functions/runtime/jobs/prune-jobs.ts';
import { MemoryCluster } from '../../support/memory-cluster.ts';
import { Killed, MemoryVault } from '../../support/memory-vault.ts';

const DIR = 'runs/paris/daily-20260131020000/';
const SLOT = { kind: 'job', id: 'shop.data', attempt: 1 } as const;
let cluster: MemoryCluster;
let vault: MemoryVault;
beforeEach(() => {
  cluster = new MemoryCluster(new Date('2026-01-31T02:00:00Z'));
  vault = new MemoryVault('primary');
});

const manifest = (name: string): KubeObject => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name, namespace: 'shop' },
  spec: { suspend: true },
});
const made = (client: KubeClient = cluster) => madeObjects({ cluster: client, vault, now: cluster.now }, DIR);
const make = (client?: KubeClient, slot: Slot = SLOT) => made(client).make(slot, 'shop', manifest);
const own = async (client?: KubeClient, slot?: Slot): Promise<Own> => {
  const answer = await make(client, slot);
  if ('refused' in answer) throw new Error(answer.refused);
  return answer.own;
};
const jobs = () => cluster.all(TYPES.jobs);
const document = (): MadeObject =>
  JSON.parse(String(vault.objects.get(`${DIR}${slotFile(SLOT)}`)?.body)) as MadeObject;

/** A cluster whose answer to one kind of call is another one. */
const answering = (
  method: string,
  answer: (path: string, options?: CallOptions) => number | undefined,
  message = 'no more of these',
) =>
  ({
    call: async (m: 'GET', path: string, options?: CallOptions) => {
      const status = m === (method as 'GET') ? answer(path, options) : undefined;
      if (status === undefined) return cluster.call(m, path, options);
      return { status, body: Buffer.from(JSON.stringify({ message })) };
    },
    close: async () => undefined,
  }) as unknown as KubeClient;

describe('an object that a run makes', () => {
  it('is made once, under a name that nobody can know beforehand', async () => {
    const first = await own();
    expect(await own()).toEqual(first);
    expect(jobs().map((j) => [j.metadata.name, j.metadata.uid])).toEqual([[first.name, first.uid]]);
    expect(first.name).toMatch(/^holdfast-[0-9a-f]{16}$/);
    expect((await own(cluster, { ...SLOT, attempt: 2 })).name).not.toBe(first.name);
  });

  it('is kept with its uid in the vault, and forgotten when it is removed', async () => {
    const { slot, ...of } = await own();
    expect(document()).toEqual(of);
    expect(await made().remove({ ...of, slot })).toBe(true);
    expect([jobs(), [...vault.objects.keys()]]).toEqual([[], []]);
  });

  it('is made anew when a call was killed before the uid was kept', async () => {
    vault.callsLeft = 3; // looks, writes the name, reads it back
    await expect(make()).rejects.toBeInstanceOf(Killed);
    vault.callsLeft = Number.POSITIVE_INFINITY;
    const [lost] = jobs();
    const { uid } = await own();
    expect(jobs().map((j) => j.metadata.uid)).toEqual([uid]);
    expect(uid).not.toBe(lost?.metadata.uid);
  });

  it('is not what somebody put under its name before the uid was kept', async () => {
    vault.callsLeft = 3;
    await expect(make()).rejects.toBeInstanceOf(Killed);
    vault.callsLeft = Number.POSITIVE_INFINITY;
    const [ours] = jobs();
    cluster.objects.clear();
    cluster.put(TYPES.jobs, { ...manifest(String(ours?.metadata.name)), spec: { forged: true } });
    const { uid } = await own();
    expect(jobs().find((j) => j.metadata.uid === uid)?.spec).toEqual({ suspend: true });
  });

  it('is not made when every name is taken: the outcome says so, and nothing is left', async () => {
    const full = answering('POST', () => 409);
    expect(await make(full)).toEqual({
      refused: expect.stringMatching(
        /^the name shop\/holdfast-[0-9a-f]{16} is taken by a Job that Holdfast did not make$/,
      ),
    });
    expect([...vault.objects.keys()]).toEqual([]);
  });

  it.each([
    [
      403,
      'the cluster rejects its Job: no more of these; apply the output of `holdfast rbac` to the cluster',
    ],
    [422, 'the cluster rejects its Job: no more of these'],
  ])('that the API server refuses with %d costs itself alone', async (status, refused) => {
    expect(await make(answering('POST', () => status))).toEqual({ refused });
    expect([...vault.objects.keys()]).toEqual([]);
  });

  it.each([
    'jobs.batch "x" is forbidden: exceeded quota: none, requested: count/jobs.batch=1, used: 0, limited: 0',
    'admission webhook "policy.example.com" denied the request: no Jobs here',
    'jobs.batch "x" is forbidden: unable to create new content in namespace shop because it is being terminated',
  ])('that admission control refuses is told without a remedy that is none: %s', async (message) => {
    const client = answering('POST', () => 403, message);
    expect(await make(client)).toEqual({ refused: `the cluster rejects its Job: ${message}` });
  });

  it('is made although the answer to its creation was lost, and the client asked again', async () => {
    let lost = true;
    const client = answering('POST', (path, options) => {
      if (!lost) return undefined;
      lost = false;
      void cluster.call('POST', path, options);
      return 409;
    });
    const { uid } = await own(client);
    expect(jobs().map((j) => j.metadata.uid)).toEqual([uid]);
  });

  it('is taken away again when another call has written down one for the same work meanwhile', async () => {
    let first = true;
    const slow = {
      ...answering('GET', () => undefined),
      async call(method: 'POST', path: string, options?: CallOptions) {
        const answer = await cluster.call(method, path, options);
        if (!first) return answer;
        first = false;
        const other = { ...document(), name: 'holdfast-other' };
        vault.objects.set(`${DIR}${slotFile(SLOT)}`, {
          body: Buffer.from(JSON.stringify(other)),
          metadata: {},
        });
        return answer;
      },
    } as unknown as KubeClient;
    const { uid, name } = await own(slow);
    expect(jobs().map((j) => [j.metadata.name, j.metadata.uid])).toEqual([[name, uid]]);
  });

  it('is one for two calls at the same time', async () => {
    await Promise.all([own(), own(), own()]);
    expect(jobs().map((j) => j.metadata.uid)).toEqual([document().uid]);
    expect((await own()).uid).toBe(document().uid);
  });
});

describe('an object that somebody removes or replaces', () => {
  const replace = ({ name, namespace }: Own) => {
    cluster.objects.delete(objectPath(TYPES.jobs, name, namespace));
    return cluster.put(TYPES.jobs, manifest(name));
  };

  it('is not live any more', async () => {
    const job = await own();
    expect((await made().live(job))?.metadata.uid).toBe(job.uid);
    replace(job);
    expect(await made().live(job)).toBeUndefined();
  });

  it('is not live while it is being deleted', async () => {
    const job = await own();
    const live = cluster.objects.get(objectPath(TYPES.jobs, job.name, job.namespace)) as KubeObject;
    live.metadata.deletionTimestamp = '2026-01-31T02:00:00Z';
    expect(await made().live(job)).toBeUndefined();
  });

  it('is forgotten, and the other one stays', async () => {
    const job = await own();
    const path = replace(job);
    expect(await made().remove(job)).toBe(true);
    expect([cluster.objects.has(path), [...vault.objects.keys()]]).toEqual([true, []]);
  });
});

describe('what a run has in the cluster', () => {
  it('is what the vault says, whatever labels objects have', async () => {
    const job = await own();
    const labels = { 'holdfast.io/run': 'daily-20260131020000', 'holdfast.io/attempt': '1' };
    for (let i = 0; i < 50; i++)
      cluster.put(TYPES.jobs, {
        ...manifest(`forged-${i}`),
        metadata: { name: `forged-${i}`, namespace: 'evil', labels },
      });
    const before = cluster.calls;
    expect((await objectsOf(made(), ['job'])).map((o) => o.uid)).toEqual([job.uid]);
    expect(cluster.calls).toBe(before);
  });

  it('is removed as a whole, also what was begun by a call that was killed', async () => {
    await own();
    await own(cluster, { kind: 'claim', id: 'shop.data' });
    vault.callsLeft = 3;
    await expect(make(cluster, { ...SLOT, attempt: 2 })).rejects.toBeInstanceOf(Killed);
    vault.callsLeft = Number.POSITIVE_INFINITY;
    cluster.put(TYPES.jobs, manifest('of-somebody-else'));
    expect(await removeAll(made())).toBe(0);
    expect(jobs().map((j) => j.metadata.name)).toEqual(['of-somebody-else']);
    expect([...vault.objects.keys()]).toEqual([]);
  });

  it('may run until its deadline has passed', async () => {
    await own();
    const at = (seconds: number) => new Date(cluster.now.getTime() + seconds * 1000);
    const may = (seconds: number) => mayRun({ vault, now: at(seconds) }, DIR, 3600);
    expect([await may(0), await may(3600), await may(3600 + 15 * 60 + 1)]).toEqual([true, true, false]);
    await removeAll(made());
    expect(await may(0)).toBe(false);
  });
});

it('the Jobs of prunes that were stopped are ended, and those of the one that is running go on', async () => {
  const keys = vaultKeys('paris');
  const [running, stopped] = ['prune-20260131020000-aaaaaa', 'prune-20260131010000-bbbbbb'] as const;
  const backup = 'daily-20260131020000';
  const context = { cluster, vault, now: cluster.now };
  for (const run of [running, stopped, backup])
    await madeObjects(context, keys.runs.dir(run)).make(SLOT, 'holdfast', (name) => ({
      metadata: { name, namespace: 'holdfast', labels: { run } },
    }));
  expect(await endStoppedPrunes(context, keys, running)).toBe(0);
  expect(jobs().map((j) => j.metadata.labels?.run)).toEqual([running, backup]);
});

describe('the file of a slot', () => {
  it.each<[Slot, string]>([
    [SLOT, 'job.1.shop.data.json'],
    [{ kind: 'job', id: '1.x', attempt: 12 }, 'job.12.1.x.json'],
    [{ kind: 'snapshot', id: 'shop.data' }, 'snapshot.shop.data.json'],
    [{ kind: 'claim', id: 'a.b_c' }, 'claim.a.b_c.json'],
  ])('of %j is %s', (slot, file) => {
    expect([slotFile(slot), parseSlot(file)]).toEqual([file, slot]);
  });

  it.each(['job.0.x.json', 'job.x.json', 'pod.x.json', 'job.1.x', '__proto__.json', ''])(
    'is not %s',
    (file) => {
      expect(parseSlot(file)).toBeUndefined();
    },
  );
});
