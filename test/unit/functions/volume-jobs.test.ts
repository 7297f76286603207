import { describe, expect, it } from 'vitest';
import {
  backupJob,
  identityOf,
  volumeOutcome,
} from '../../../functions/backup/reconcile-volumes/volume-job.ts';
import { jobManifest } from '../../../functions/core/jobs/job-manifest.ts';
import type { ResticStep } from '../../../functions/core/jobs/job-spec.ts';
import type { Dump } from '../../../functions/core/volumes/dumps.ts';
import { STRATEGIES } from '../../../functions/core/volumes/strategies.ts';
import type { Location, VolumeWork } from '../../../functions/core/volumes/strategy.ts';
import {
  filesToRestore,
  type RestoreWork,
  restoredOutcome,
  restoreJob,
  volumesToFill,
} from '../../../functions/restore/reconcile-restore-volumes/volume-job.ts';
import { jobEnd, workOf } from '../../support/builders.ts';
import { resticId } from '../../support/restic-id.ts';
import { copiesOf, JOBS, settingsWith } from '../../support/selection.ts';

const volume = {
  id: 'shop.pgdata',
  namespace: 'shop',
  pvc: 'pgdata',
  volumeName: 'pv-1',
  reclaimPolicy: 'Retain',
  pod: 'db-0',
  node: 'n1',
  repository: 'restic/paris/shop',
  strategy: 'mount',
} as const;
const of = { id: 'shop.pgdata', namespace: 'shop', pvc: 'pgdata', seconds: 5 };
const settings = settingsWith();
const { primary } = copiesOf(settings);
const work = workOf({ volumes: [volume] });
const SUMMARY = JSON.stringify({
  message_type: 'summary',
  snapshot_id: resticId('abc'),
  total_files_processed: 3,
  total_bytes_processed: 40,
});
const UNREADABLE = JSON.stringify({ message_type: 'error', error: { message: 'denied' }, item: '/x' });
const end = (exitCode: number | undefined, log = '', message?: string) =>
  jobEnd({ exitCode, log, message, seconds: 5 });

/** A volume that a restore fills. */
const filling: RestoreWork = {
  ...of,
  repository: volume.repository,
  into: 'shop',
  snapshot: resticId('abc'),
  result: 'protected',
};

/** What a strategy says just before a Job, where the cluster shows the data at a place. */
const prepare = (v: VolumeWork, location: Location, hook: { failed?: string } = {}, attempt = 1) =>
  STRATEGIES[v.strategy].prepare(
    v,
    { attempt, begun: undefined },
    {
      hooks: { before: async () => hook.failed },
      locations: { holder: async () => location.holder, dump: async () => location.dump },
      snapshots: {
        look: async () => new Map(),
        claimFor: async () => ({ claim: 'its-claim' }),
        clean: async () => undefined,
      },
    },
  );

describe('the identity in AWS of a Job', () => {
  const s = { ...settings, jobs: { ...JOBS, backupServiceAccount: 'holdfast-backup' } };

  it.each([
    ['mount', 'holdfast-backup'],
    ['snapshot', 'holdfast-backup'],
    ['node', undefined],
    ['command', undefined],
  ] as const)('that reads by %s is that of the account %s', (strategy, account) => {
    expect(identityOf(s, { ...volume, strategy })).toBe(account);
    expect(identityOf(settings, { ...volume, strategy })).toBeUndefined();
  });

  it('is in its pod', () => {
    expect(backupJob({ settings: s, work, copy: primary }, volume, { init: false }).identity).toBe(
      'holdfast-backup',
    );
  });
});

describe('the outcome of a volume', () => {
  const whose = { ...of, volumeName: 'pv-1', reclaimPolicy: 'Retain' };

  it('is protected for exit code 0 and a snapshot', () => {
    expect(volumeOutcome(volume, end(0, SUMMARY))).toEqual({
      ...whose,
      result: 'protected',
      snapshot: resticId('abc'),
      files: 3,
      bytes: 40,
    });
  });

  it('is partial for exit code 3, and names what could not be read', () => {
    expect(volumeOutcome(volume, end(3, `${UNREADABLE}\n${SUMMARY}`))).toEqual({
      ...whose,
      result: 'partial',
      snapshot: resticId('abc'),
      files: 3,
      bytes: 40,
      message: 'restic could not read: /x: denied',
    });
  });

  it('is partial for exit code 3 also when no file is named', () => {
    expect(volumeOutcome(volume, end(3, SUMMARY)).message).toBe('restic could not read: some files');
  });

  it('is failed for exit code 1, even with a summary', () => {
    expect(volumeOutcome(volume, end(1, `Fatal: disk full\n${SUMMARY}`))).toMatchObject({ result: 'failed' });
  });

  it('is failed without a snapshot, in the words of restic', () => {
    expect(volumeOutcome(volume, end(1, 'Fatal: disk full'))).toEqual({
      ...whose,
      result: 'failed',
      message: 'restic exited with code 1: Fatal: disk full',
    });
  });

  it.each([0, 3])('is failed for exit code %i when the log has no summary', (code) => {
    expect(volumeOutcome(volume, end(code, 'cut off')).result).toBe('failed');
  });

  it('is failed when the container never ran, in the words of Kubernetes', () => {
    expect(volumeOutcome(volume, end(undefined, '', 'DeadlineExceeded')).message).toBe(
      'its Job did not run: DeadlineExceeded',
    );
  });

  it('is failed when the reason why the container never ran is unknown', () => {
    expect(volumeOutcome(volume, end(undefined)).message).toBe('its Job did not run');
  });
});

describe('a Job that is not root', () => {
  const job = backupJob({ settings, work, copy: primary }, { ...volume, runAsUser: 999 }, { init: false });
  const { spec } = jobManifest(job, 1, 'holdfast-x') as unknown as {
    spec: { template: { spec: { containers: { securityContext: object }[]; volumes: object[] } } };
  };
  const pod = spec.template.spec;

  it('is what the Pod Security level restricted asks for', () => {
    expect(pod.containers[0]?.securityContext).toMatchObject({
      runAsUser: 999,
      runAsNonRoot: true,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(job.capabilities).toEqual([]);
  });
  it('can read its password', () => {
    expect(pod.volumes[0]).toMatchObject({ projected: { defaultMode: 0o444 } });
  });
});

describe('the Job of a dump', () => {
  const dump: VolumeWork = {
    id: 'shop._db',
    namespace: 'shop',
    dump: { workload: 'db', file: 'shop.sql' },
    pod: 'db-1',
    strategy: 'command',
    repository: volume.repository,
  };
  const found: Dump = { work: { ...dump, pod: 'db-2' }, container: 'postgres', command: ['pg_dump', 'shop'] };
  const job = backupJob({ settings, work, copy: primary }, dump, { init: false, location: { dump: found } });

  it('copies restic into the kubectl image, and runs the command in the pod that exists now', () => {
    expect(job.steps.map((s) => [s.name, 'command' in s ? s.command : s.within])).toEqual([
      ['restic', ['cp', '/usr/bin/restic', '/tools/restic']],
      ['backup', { image: 'registry.k8s.io/kubectl:v1.34.4', restic: '/tools/restic' }],
    ]);
    const { args } = job.steps[1] as ResticStep;
    expect(args.slice(args.indexOf('--') + 1).join(' ')).toBe(
      'kubectl exec --namespace=shop --container=postgres db-2 -- pg_dump shop',
    );
  });

  it('leaves it to restic to tell a complete dump from an interrupted one', () => {
    const { args } = job.steps[1] as ResticStep;
    expect(args.join(' ')).toMatch(
      /^backup .*--stdin-filename \/dumps\/shop\/db\/shop.sql --stdin-from-command .*-- kubectl exec /,
    );
  });

  it('has the rights of the namespace’s account for commands, and sees no volume', () => {
    expect([job.namespace, job.serviceAccount, job.mount]).toEqual(['shop', 'holdfast-command', undefined]);
  });

  it('can be made only while a pod runs that has the command', async () => {
    expect(await prepare(dump, {})).toEqual({ blocker: 'no pod of db is running that has its command' });
    expect(await prepare(dump, { dump: found })).toEqual({ location: { dump: found } });
  });
});

describe('the Job of a volume', () => {
  const holder = { node: 'n1', podUid: 'uid-1' };

  it('reads the claim on its node, with the primary repository', () => {
    const job = backupJob({ settings, work, copy: primary }, volume, { init: false, location: { holder } });
    expect(job).toMatchObject({
      node: 'n1',
      mount: { pvc: 'pgdata', path: '/data/shop/pgdata', readOnly: true },
      steps: [
        {
          name: 'backup',
          repository: 's3:https://s3.primary/holdfast-vault-1-eu-west-3/restic/paris/shop',
          region: 'eu-west-3',
        },
      ],
    });
  });

  it('makes the repository first when it opens the gate', () => {
    const steps = backupJob({ settings, work, copy: primary }, volume, { init: true }).steps;
    expect(steps.map((s) => [s.name, 'repository' in s && s.repository])).toEqual([
      ['init', 's3:https://s3.primary/holdfast-vault-1-eu-west-3/restic/paris/shop'],
      ['backup', 's3:https://s3.primary/holdfast-vault-1-eu-west-3/restic/paris/shop'],
    ]);
  });

  it('looks for the lock of a killed Job when it is tried again', () => {
    const again = backupJob({ settings, work, copy: primary }, volume, { init: false, attempt: 2 });
    expect(again.steps.map((s) => s.name)).toEqual(['unlock', 'backup']);
  });

  it('runs where the volume is now, not where it was when the backup was opened', () => {
    const moved = backupJob({ settings, work, copy: primary }, volume, {
      init: false,
      location: { holder: { ...holder, node: 'n2' } },
    });
    const free = backupJob({ settings, work, copy: primary }, volume, { init: false });
    expect([moved.node, free.node]).toEqual(['n2', undefined]);
  });

  const onNode = { ...volume, strategy: 'node', folder: 'kubernetes.io~csi/pv-1/mount' } as const;

  it('reads the folder of the pod on its node, from the namespace of Holdfast', () => {
    const job = backupJob({ settings, work, copy: primary }, onNode, { init: false, location: { holder } });
    expect([job.namespace, job.node, job.mount]).toEqual([
      'holdfast',
      'n1',
      {
        folder: '/var/lib/kubelet/pods/uid-1/volumes/kubernetes.io~csi/pv-1/mount',
        path: '/data/shop/pgdata',
        readOnly: true,
      },
    ]);
  });

  it('reads the folder of a hostPath volume itself, which no kubelet mounts', () => {
    const job = backupJob(
      { settings, work, copy: primary },
      { ...onNode, folder: '/srv/a' },
      {
        init: false,
        location: { holder },
      },
    );
    expect(job.mount).toMatchObject({ folder: '/srv/a' });
  });

  it('mounts the claim when no pod holds it any more', () => {
    const job = backupJob({ settings, work, copy: primary }, onNode, { init: false });
    expect([job.namespace, job.mount]).toEqual([
      'shop',
      { pvc: 'pgdata', path: '/data/shop/pgdata', readOnly: true },
    ]);
  });

  it('mounts the claim of its snapshot at the path of the volume, wherever there is room', () => {
    const job = backupJob(
      { settings, work, copy: primary },
      { ...volume, strategy: 'snapshot' },
      { init: false, location: { claim: 'its-claim' } },
    );
    expect([job.namespace, job.node, job.mount]).toEqual([
      'shop',
      undefined,
      { pvc: 'its-claim', temporary: true, path: '/data/shop/pgdata', readOnly: true },
    ]);
  });

  it('reads an emptyDir from the folder of its pod', () => {
    const cache: VolumeWork = {
      id: 'shop.web-0_cache',
      namespace: 'shop',
      podVolume: { pod: 'web-0', volume: 'cache' },
      strategy: 'node',
      folder: 'kubernetes.io~empty-dir/cache',
      repository: volume.repository,
    };
    const job = backupJob({ settings, work, copy: primary }, cache, { init: false, location: { holder } });
    expect([job.namespace, job.mount]).toEqual([
      'holdfast',
      {
        folder: '/var/lib/kubelet/pods/uid-1/volumes/kubernetes.io~empty-dir/cache',
        path: '/pod-volumes/shop/web-0/cache',
        readOnly: true,
      },
    ]);
  });

  it('cannot read an emptyDir whose pod is gone, and mounts a claim whose pod is', async () => {
    const cache = { ...onNode, podVolume: { pod: 'web-0', volume: 'cache' } };
    expect(await prepare(cache, {})).toEqual({ blocker: 'its pod web-0 is gone, and its emptyDirs with it' });
    expect(await prepare(onNode, {})).toEqual({ location: { holder: undefined } });
    expect(await prepare(cache, { holder })).toEqual({ location: { holder } });
  });

  it('does not read what a pre hook failed for, and asks for the hook before the first attempt alone', async () => {
    for (const v of [volume, onNode, { ...volume, strategy: 'command' } as const]) {
      const hook = { failed: 'the pre hook failed' };
      expect(await prepare(v, { holder }, hook)).toEqual({ blocker: 'the pre hook failed' });
      expect(await prepare(v, { holder }, hook, 2)).not.toEqual({ blocker: 'the pre hook failed' });
    }
  });

  it('may read every file and nothing more', () => {
    expect(
      backupJob({ settings, work, copy: primary }, volume, { init: false, location: { holder } })
        .capabilities,
    ).toEqual(['DAC_READ_SEARCH']);
  });

  it.each([
    ['primary', 's3:https://s3.primary/holdfast-vault-1-eu-west-3/restic/paris/shop', 'eu-west-3'],
    ['replica', 's3:https://s3.replica/holdfast-vault-1-eu-north-1/restic/paris/shop', 'eu-north-1'],
  ] as const)('reads the %s when the restore does', (from, repository, region) => {
    const job = restoreJob({ settings: JOBS, restore: 'restore-1', from: copiesOf(settings)[from] }, filling);
    expect(job.steps).toMatchObject([{ repository, region }]);
    expect(job.mount?.readOnly).toBe(false);
  });
});

describe('a volume is filled', () => {
  const backedUp = { ...of, result: 'protected', snapshot: resticId('abc') } as const;
  const repositoryOf = (namespace: string) => `restic/paris/${namespace}`;
  const at = { groupResource: 'persistentvolumeclaims', version: 'v1', namespace: 'shop', name: 'pgdata' };
  const fill = (result: string, over: object = {}, v: object = {}) =>
    volumesToFill(
      [{ ...backedUp, ...v }],
      [{ ...at, result, ...over } as Parameters<typeof volumesToFill>[1][number]],
      { repositoryOf },
    );

  it('when this restore created its claim', () => {
    expect(fill('created')).toEqual([{ ...backedUp, repository: 'restic/paris/shop', into: 'shop' }]);
  });

  it('only in the claim that it created, which has its uid', () => {
    expect(fill('created', { uid: 'u-1' })[0]?.uid).toBe('u-1');
  });

  it.each(['skipped', 'failed', 'exists'])(
    'never when its claim was %s: it holds somebody’s data',
    (result) => {
      expect(fill(result)).toEqual([]);
    },
  );

  it('never for an object of the same name that is no claim', () => {
    expect(fill('created', { groupResource: 'secrets' })).toEqual([]);
  });

  it('never for the claim of another namespace', () => {
    expect(fill('created', { namespace: 'other' })).toEqual([]);
  });

  it('in the namespace that its own is mapped to, from its own repository', () => {
    const claim = { ...at, namespace: 'copy', result: 'created' } as const;
    expect(volumesToFill([backedUp], [claim], { repositoryOf, mapping: { shop: 'copy' } })).toEqual([
      { ...backedUp, repository: 'restic/paris/shop', into: 'copy' },
    ]);
  });

  it('never without a snapshot', () => {
    expect(fill('created', {}, { snapshot: undefined })).toEqual([]);
  });
});

describe('files of a volume', () => {
  const backedUp = { ...of, result: 'protected', snapshot: resticId('abc') } as const;
  const files = { volume: 'shop/pgdata', include: ['/base/1', '/conf'] };
  const wanted = (over: { to?: string } = {}) =>
    filesToRestore([backedUp], { ...files, ...over }, 'restore-1', {
      repositoryOf: (n) => `restic/paris/${n}`,
    })[0] as RestoreWork;
  const job = (work: RestoreWork) =>
    restoreJob({ settings: JOBS, restore: 'restore-1', from: primary }, work, { node: 'n2', podUid: 'u' });

  it('come into a folder of their own, on the node that holds the claim', () => {
    expect(job(wanted())).toMatchObject({ node: 'n2', mount: { pvc: 'pgdata', readOnly: false } });
    expect(job(wanted()).steps).toMatchObject([
      {
        args: [
          ...['restore', '--target', '/data/shop/pgdata/holdfast-restore-1', '--verify', '--no-lock'],
          ...['--sparse', '--json', '--include', '/base/1', '--include', '/conf'],
          ...['--', `${resticId('abc')}:/data/shop/pgdata`],
        ],
      },
    ]);
  });

  it.each([
    ['/rescued', '/data/shop/pgdata/rescued'],
    ['/', '/data/shop/pgdata'],
  ])('come to %s when a person says so', (to, target) => {
    const [step] = job(wanted({ to })).steps;
    expect(step).toMatchObject({ args: expect.arrayContaining(['--target', target]) });
  });

  it('that are not in the snapshot are a failure, not an empty success', () => {
    const none = JSON.stringify({ message_type: 'summary', files_restored: 0 });
    expect(restoredOutcome(wanted(), end(0, none))).toMatchObject({
      result: 'failed',
      message: 'nothing in the snapshot matches /base/1, /conf',
    });
  });
});

describe('the outcome of a filled volume', () => {
  const restored = JSON.stringify({ message_type: 'summary', files_restored: 3, bytes_restored: 40 });

  it('is protected for exit code 0', () => {
    expect(restoredOutcome(filling, end(0, restored))).toEqual({
      ...of,
      snapshot: resticId('abc'),
      result: 'protected',
      files: 3,
      bytes: 40,
    });
  });

  it.each([1, 3])('is failed for exit code %i', (code) => {
    expect(restoredOutcome(filling, end(code, `Fatal: no\n${restored}`)).result).toBe('failed');
  });

  it('is failed when the container never ran', () => {
    expect(restoredOutcome(filling, end(undefined, '', 'evicted'))).toMatchObject({
      result: 'failed',
      message: 'its Job did not run: evicted',
    });
  });
});
