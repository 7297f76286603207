import { describe, expect, it } from 'vitest';
import {
  type ControlPlaneItem,
  controlPlaneJob,
  itemsOf,
} from '../../../../functions/backup/reconcile-control-plane/control-plane-job.ts';
import {
  type ControlPlaneWork,
  etcdOutcome,
  filesOutcome,
  findControlPlane,
  leaderIn,
  scratchOutcome,
  statusOutcome,
} from '../../../../functions/core/backup/control-plane.ts';
import { jobManifest } from '../../../../functions/core/jobs/job-manifest.ts';
import type { ResticJob, ToolStep } from '../../../../functions/core/jobs/job-spec.ts';
import { vaultKeys } from '../../../../functions/core/vault/vault-keys.ts';
import { jobEnd } from '../../../support/builders.ts';
import { resticId } from '../../../support/restic-id.ts';
import { CONTROL_PLANE, copiesOf, settingsWith } from '../../../support/selection.ts';

const node = (name: string, role?: string) => ({
  metadata: { name, labels: role === undefined ? {} : { 'node-role.kubernetes.io/control-plane': role } },
});
const etcdPod = (name: string, url: string) => ({
  metadata: {
    name,
    labels: { component: 'etcd', tier: 'control-plane' },
    annotations: { 'kubeadm.kubernetes.io/etcd.advertise-client-urls': url },
  },
});
const SUMMARY = `{"message_type":"summary","snapshot_id":"${resticId('abc')}","total_files_processed":3,"total_bytes_processed":40}`;

describe('the control plane', () => {
  it('is found by the label of its nodes and the static pods of kubeadm', () => {
    const nodes = [node('cp2', ''), node('cp1', ''), node('worker')];
    const pods = [
      etcdPod('etcd-cp2', 'https://10.0.0.12:2379'),
      etcdPod('etcd-cp1', 'https://10.0.0.11:2379'),
    ];
    expect(findControlPlane(nodes, [...pods, node('coredns')], [])).toEqual({
      work: { nodes: ['cp1', 'cp2'], endpoints: ['https://10.0.0.11:2379', 'https://10.0.0.12:2379'] },
      problems: [],
    });
  });

  it('has the members that are configured, whatever pods there are', () => {
    const found = findControlPlane([node('cp1', '')], [etcdPod('e', 'https://a:2379')], ['https://b:2379']);
    expect(found.work.endpoints).toEqual(['https://b:2379']);
  });

  it.each(['https://10.0.0.11:2379', 'https://cp1.example.org:2379', 'https://[2001:db8::1]:2379'])(
    'has a member at %s',
    (url) => {
      const found = findControlPlane([node('cp1', '')], [etcdPod('e', url)], []);
      expect([found.work.endpoints, found.problems]).toEqual([[url], []]);
    },
  );

  it.each([
    'http://10.0.0.11:2379',
    'https://user:password@a:2379',
    'https://a:2379/path',
    'https://a:2379?x',
    'https://a',
    'https://a:99999',
    'https://-a:2379',
    'https://[::1%25eth0]:2379',
    '--cert=x',
    'https://a:2379\n--cert=x',
    ' https://a:2379',
    'ftp://a:2379',
  ])('has no member at %j, and says so', (url) => {
    const { work, problems } = findControlPlane([node('cp1', '')], [etcdPod('e', url)], []);
    expect(work.endpoints).toEqual([]);
    expect(problems[0]).toMatch(/^control plane: ".*" of kubeadm.* is not the address of an etcd member$/);
  });

  it('that is not to be found is a problem with a remedy', () => {
    expect(findControlPlane([node('worker')], [], []).problems).toEqual([
      'control plane: no node has the label node-role.kubernetes.io/control-plane',
      'control plane: no etcd member was found in kube-system; set controlPlane.endpoints',
    ]);
  });
});

describe('the leader of etcd', () => {
  const status = (endpoint: string, member: string, leader: string) =>
    `{"Endpoint":"${endpoint}","Status":{"header":{"cluster_id":1,"member_id":${member},"revision":9,"raft_term":2},"version":"3.5.16","leader":${leader}}}`;
  const [a, b] = ['9372538179322589801', '9372538179322589802']; // as numbers they are the same
  const MEMBERS = ['https://a:2379', 'https://b:2379'];

  it('is the member whose id every member names', () => {
    const log = `[${status('https://a:2379', a, b)},${status('https://b:2379', b, b)}]`;
    expect(leaderIn(log, MEMBERS)).toBe('https://b:2379');
  });

  it.each([
    'http://b:2379',
    'https://b:2379/',
    'https://b:2379/x',
    'https://c:2379',
    'https://b:2379,https://c:2379',
    '--endpoints=https://c:2379',
    '',
  ])('is one of those that were asked, exactly, and not "%s"', (endpoint) => {
    expect(leaderIn(`[${status(endpoint, b, b)}]`, MEMBERS)).toBeUndefined();
    expect(statusOutcome(MEMBERS, jobEnd({ log: `[${status(endpoint, b, b)}]` })).result).toBe('failed');
  });

  it('has the scheme that is configured for it', () => {
    const log = `[${status('http://a:2379', b, b)}]`;
    expect(leaderIn(log, ['http://a:2379'])).toBe('http://a:2379');
  });

  it('is found although another member does not answer', () => {
    const log = `{"level":"warn","msg":"retrying"}\nFailed to get the status of endpoint https://a:2379 (context deadline exceeded)\n[${status('https://b:2379', b, b)}]\n`;
    expect(statusOutcome(MEMBERS, jobEnd({ exitCode: 1, log }))).toEqual({
      id: 'etcd-status',
      result: 'protected',
      endpoint: 'https://b:2379',
    });
  });

  it.each([
    ['nobody answers', 'Failed to get the status of endpoint'],
    ['the leader does not answer', `[${status('https://a:2379', a, b)}]`],
    ['there is none', `[${status('https://a:2379', a, '0')}]`],
  ])('is unknown when %s', (_, log) => {
    expect(statusOutcome(MEMBERS, jobEnd({ exitCode: 1, log }))).toMatchObject({
      result: 'failed',
      message: expect.stringMatching(/^no etcd leader was found: etcdctl exited with code 1: /),
    });
  });
});

describe('the snapshot of etcd', () => {
  const reports = {
    status: '{"hash":111,"revision":222,"totalKey":333,"totalSize":444,"version":"3.5.0"}\n',
  };

  it('is protected with what etcdutl and restic say of it', () => {
    expect(etcdOutcome('https://a:2379', jobEnd({ log: SUMMARY, reports }))).toEqual({
      id: 'etcd',
      endpoint: 'https://a:2379',
      result: 'protected',
      snapshot: resticId('abc'),
      revision: 222,
      keys: 333,
      bytes: 444,
      hash: 111,
    });
  });

  it.each([
    'Error: invalid',
    '{"hash":1e999,"revision":222,"totalKey":333,"totalSize":444}',
    '{"hash":111,"revision":9007199254740993,"totalKey":333,"totalSize":444}',
    '{"hash":111,"revision":222,"totalKey":-1,"totalSize":444}',
    '{"hash":111,"revision":222,"totalKey":333,"totalSize":"444"}',
    '[{"hash":111,"revision":222,"totalKey":333,"totalSize":444}]',
  ])('is not believed when etcdutl says %s', (said) => {
    expect(etcdOutcome('x', jobEnd({ log: SUMMARY, reports: { status: said } })).result).toBe('failed');
  });

  it.each([1, 3])('is failed when restic exited with code %i', (exitCode) => {
    expect(etcdOutcome('x', jobEnd({ exitCode, step: 'backup', log: SUMMARY, reports })).result).toBe(
      'failed',
    );
  });

  it('names the step that failed, and its last words', () => {
    const failed = jobEnd({ exitCode: 1, step: 'verify', log: 'a\nexpected sha256 [1], got [2]\n' });
    expect(etcdOutcome('x', failed)).toMatchObject({
      result: 'failed',
      message: 'step verify: a expected sha256 [1], got [2]',
    });
  });
});

describe('the scratch server', () => {
  const count = (revision: number, keys: number) =>
    `"ClusterID" : 1\n"Revision" : ${revision}\n"RaftTerm" : 2\n"More" : false\n"Count" : ${keys}\n`;
  const taken = etcdOutcome(
    'https://a:2379',
    jobEnd({
      log: SUMMARY,
      reports: {
        count: count(220, 30),
        status: '{"hash":111,"revision":222,"totalKey":333,"totalSize":444}',
      },
    }),
  );
  const opened = (revision: number, keys: number) =>
    scratchOutcome(taken, jobEnd({ log: count(222, keys), reports: { revision: count(revision, 31) } }));

  it('proves a snapshot that opens at its revision, with as many keys as the leader had', () => {
    expect(opened(222, 30)).toEqual({
      id: 'etcd-scratch',
      result: 'protected',
      revision: 222,
      counted: { revision: 220, keys: 30 },
    });
  });

  it.each([
    [221, 30, 'the snapshot has revision 221, but was taken at revision 222'],
    [222, 29, 'at revision 220 the snapshot has 29 keys, but the leader had 30'],
  ])('at revision %i with %i keys is a failure', (revision, keys, message) => {
    expect(opened(revision, keys)).toEqual({ id: 'etcd-scratch', result: 'failed', message });
  });

  it('that says nothing proves nothing', () => {
    expect(scratchOutcome(taken, jobEnd({ log: 'killed' })).result).toBe('failed');
  });

  it('that does not open the snapshot fails with its step and words', () => {
    expect(scratchOutcome(taken, jobEnd({ exitCode: 1, step: 'restore', log: 'bad hash\n' }))).toMatchObject({
      result: 'failed',
      message: 'step restore: bad hash',
    });
  });
});

describe('the files of a node', () => {
  it('are partial with the names of those that could not be read', () => {
    const log = `{"message_type":"error","error":{"message":"denied"},"item":"/x"}\n${SUMMARY}`;
    expect(filesOutcome('files.cp1', jobEnd({ exitCode: 3, log }))).toEqual({
      id: 'files.cp1',
      result: 'partial',
      snapshot: resticId('abc'),
      files: 3,
      bytes: 40,
      message: 'restic could not read: /x: denied',
    });
  });
});

describe('the Jobs of the control plane', () => {
  const work: ControlPlaneWork = { nodes: ['cp1', 'cp2'], endpoints: ['https://a:2379', 'https://b:2379'] };
  const keys = vaultKeys('paris');
  const settings = settingsWith({ plans: [] });
  const run = { backup: 'daily-1', plan: 'daily' };
  const context = { settings, run, work, copy: copiesOf(settings).primary };
  const jobOf = (item: ControlPlaneItem, over: object = {}): ResticJob =>
    controlPlaneJob(
      { ...context, settings: { ...settings, controlPlane: { ...CONTROL_PLANE, ...over } } },
      item,
      false,
    );
  const item = (id: string) =>
    itemsOf(work, keys, { leader: 'https://b:2379' }).find((i) => i.id === id) as ControlPlaneItem;
  const command = (job: ResticJob, step: number) => (job.steps[step] as ToolStep).command.join(' ');

  it('ask for the snapshot when the leader is known, and not before', () => {
    const ids = (leader?: string) => itemsOf(work, keys, { leader }).map((i) => i.id);
    expect(ids()).toEqual(['etcd-status', 'files.cp1', 'files.cp2']);
    expect(ids('https://b:2379')).toContain('etcd');
  });

  it.each(['http://b:2379', 'https://c:2379'])(
    'never ask for a snapshot of %s, which is no member',
    (leader) => {
      expect(itemsOf(work, keys, { leader }).map((i) => i.id)).not.toContain('etcd');
    },
  );

  it('ask every member, with the certificates of the node', () => {
    expect(command(jobOf(item('etcd-status')), 0)).toBe(
      'etcdctl --command-timeout=10m --cacert /etcd-tls/pki/etcd/ca.crt --cert /etcd-tls/pki/etcd/healthcheck-client.crt --key /etcd-tls/pki/etcd/healthcheck-client.key --endpoints https://a:2379,https://b:2379 endpoint status -w json',
    );
  });

  it('take the certificates of a Secret when there is one', () => {
    const job = jobOf(item('etcd-status'), { tlsSecret: 'etcd-tls' });
    expect(command(job, 0)).toContain('--cert /etcd-tls/tls.crt --key /etcd-tls/tls.key');
    expect(job.folders).toEqual([{ name: 'tls', path: '/etcd-tls', from: { secret: 'etcd-tls' } }]);
  });

  it('save the snapshot from the leader, look into it, restore it, and only then store it', () => {
    const job = jobOf(item('etcd'));
    expect(job.steps.map((s) => s.name)).toEqual(['snapshot', 'status', 'verify', 'backup']);
    expect(command(job, 0)).toContain('--endpoints https://b:2379 snapshot save');
  });

  it('open the stored snapshot in a server, only when the plan asks for it and there is one', () => {
    const taken = {
      id: 'etcd',
      result: 'protected' as const,
      snapshot: resticId('abc'),
      counted: { revision: 7, keys: 3 },
    };
    const ids = (scratch: boolean, known: object) =>
      itemsOf({ ...work, scratch }, keys, known).map((i) => i.id);
    expect(ids(true, { leader: 'https://a:2379' })).not.toContain('etcd-scratch');
    expect(ids(false, { leader: 'https://a:2379', taken })).not.toContain('etcd-scratch');
    const scratch = itemsOf({ ...work, scratch: true }, keys, { taken }).find((i) => i.id === 'etcd-scratch');
    const job = jobOf(scratch as ControlPlaneItem);
    expect(job.steps.map((s) => s.name)).toEqual(['fetch', 'restore', 'server', 'revision', 'keys']);
    expect(command(job, 4)).toBe(
      'etcdctl --command-timeout=10m --endpoints http://127.0.0.1:2379 get  --from-key --count-only -w fields --rev=7',
    );
    const { spec } = jobManifest(job, 1, 'holdfast-x') as unknown as {
      spec: { template: { spec: { hostNetwork?: boolean; initContainers: object[] } } };
    };
    expect(spec.template.spec.hostNetwork).toBeUndefined();
    expect(spec.template.spec.initContainers[2]).toMatchObject({ name: 'server', restartPolicy: 'Always' });
  });

  it('count the keys of the leader before its snapshot, when that is to be compared', () => {
    const job = controlPlaneJob({ ...context, work: { ...work, scratch: true } }, item('etcd'), false);
    expect(job.steps.map((s) => s.name)).toEqual(['count', 'snapshot', 'status', 'verify', 'backup']);
  });

  it('read the files of a node on that node', () => {
    const job = jobOf(item('files.cp2'));
    expect([job.node, job.onControlPlane, job.folders]).toEqual([
      'cp2',
      true,
      [{ name: 'files', path: '/control-plane/nodes/cp2', from: { node: '/etc/kubernetes' } }],
    ]);
  });
});
