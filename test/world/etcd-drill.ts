import { spawn, spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { jobEnd } from '../../functions/adapters/kubernetes/jobs.ts';
import { listObjects } from '../../functions/adapters/kubernetes/lists.ts';
import { putJson } from '../../functions/adapters/s3/documents.ts';
import {
  controlPlaneJob,
  itemsOf,
  outcomeOf,
} from '../../functions/backup/reconcile-control-plane/control-plane-job.ts';
import { vaultCopies } from '../../functions/contract/copies.ts';
import { masterSecretName } from '../../functions/contract/names.ts';
import {
  type ControlPlaneOutcome,
  controlPlaneRun,
  findControlPlane,
} from '../../functions/core/backup/control-plane.ts';
import type { BackupRecord } from '../../functions/core/backup/record.ts';
import type { ResourceType } from '../../functions/core/kubernetes/resources.ts';
import { TYPES } from '../../functions/core/kubernetes/well-known.ts';
import {
  CREDENTIALS_FILES,
  repositoryPassword,
  sessionFile,
} from '../../functions/core/restic/repository.ts';
import { vaultKeys } from '../../functions/core/vault/vault-keys.ts';
import { account, imageNames, network } from '../../world/base/settings.ts';
import { findWorld } from '../../world/world.ts';
import { OwnJobs } from '../support/own-jobs.ts';
import { CONTROL_PLANE, JOBS, settingsWith } from '../support/selection.ts';
import { connect, create, makeVault, REGION } from '../support/world.ts';

/**
 * Loses etcd and brings it back from the vault, inside a world that is made for it. Prints what it saw as one JSON
 * line. What the machine's functions do is done by their parts; the restore is the command line itself.
 */
const BACKUP = 'nightly-20260101000000';
const MASTER = 'a master secret of this world';
const NAMES = { vault: 'holdfast-vault', cluster: 'drill' };
const CONFIG_MAPS: ResourceType = { ...TYPES.secrets, resource: 'configmaps', kind: 'ConfigMap' };
const s3Endpoint = `http://${network.nodeAddress}:${network.emulatorPort}`;
const keys = vaultKeys(NAMES.cluster);
const run = { backup: BACKUP, plan: 'nightly' };
const settings = settingsWith({
  cluster: NAMES.cluster,
  access: { kind: 'kubeconfig', backupSecret: 'b', restoreSecret: 'r' },
  vault: { name: NAMES.vault, region: REGION, replicaRegion: 'eu-central-1' },
  jobs: { ...JOBS, resticImage: imageNames.restic, s3Endpoint },
  controlPlane: {
    ...CONTROL_PLANE,
    etcdImage: imageNames.etcd,
    endpoints: [`https://${network.nodeAddress}:2379`],
  },
});
const copies = vaultCopies(settings.vault, account.id, settings.jobs);

async function configMaps(): Promise<Record<string, string>> {
  const cluster = connect();
  const all = await listObjects(cluster, CONFIG_MAPS);
  await cluster.close();
  return Object.fromEntries(
    all.map(({ metadata: m }) => [`${m.namespace}/${m.name}`, String(m.resourceVersion)] as const).sort(),
  );
}

const configMap = (name: string) =>
  create(cluster, CONFIG_MAPS, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: 'default' },
    data: { name },
  });

/** Runs the Jobs of the control plane one after the other. */
async function backUp(): Promise<ControlPlaneOutcome[]> {
  const nodes = await listObjects(cluster, TYPES.nodes);
  const { work, problems } = findControlPlane(nodes, [], settings.controlPlane.endpoints);
  if (problems.length > 0) throw new Error(problems.join());
  const session = sessionFile({
    accessKeyId: account.accessKeyId,
    secretAccessKey: account.secretAccessKey,
    sessionToken: 'none',
    expiration: '2099-01-01T00:00:00Z',
  });
  const outcomes: ControlPlaneOutcome[] = [];
  const jobs = new OwnJobs(cluster);
  const all = { ...work, scratch: true };
  for (const id of ['etcd-status', 'etcd', 'etcd-scratch', 'files.node1']) {
    const items = itemsOf(all, keys, { leader: outcomes[0]?.endpoint, taken: outcomes[1] });
    const item = items.find((i) => i.id === id);
    if (!item) throw new Error(`${id}: ${JSON.stringify(outcomes)}`);
    const job = controlPlaneJob({ settings, run, work: all, copy: copies.primary }, item, id === 'etcd');
    await jobs.start(job, {
      password: repositoryPassword(MASTER, item.repository),
      ...CREDENTIALS_FILES,
      'session.json': session,
    });
    for (;;) {
      const seen = await jobs.look(job, 120);
      if (seen.state !== 'running') {
        outcomes.push(outcomeOf(item, await jobEnd(cluster, seen)));
        break;
      }
      await sleep(500);
    }
  }
  await jobs.remove({ run: controlPlaneRun(BACKUP) });
  return outcomes;
}

interface Process {
  readonly pid: number;
  readonly argv: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

const zeroSeparated = (file: string): string[] => readFileSync(file, 'utf8').split('\0').slice(0, -1);

/** A process of this world, and of no other, by its name: how it was started. */
function processOf(name: string): Process {
  const network = readlinkSync('/proc/self/ns/net');
  for (const pid of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      const argv = zeroSeparated(`/proc/${pid}/cmdline`);
      if (argv[0] !== name || readlinkSync(`/proc/${pid}/ns/net`) !== network) continue;
      const env = Object.fromEntries(zeroSeparated(`/proc/${pid}/environ`).map((e) => e.split(/=(.*)/s, 2)));
      return { pid: Number(pid), argv, env };
    } catch {
      // it has ended meanwhile
    }
  }
  throw new Error(`no process ${name}`);
}

/** Starts a process as it was, beside one that still runs: with its mounts, and to die with the world. */
function startAgain({ argv, env }: Process, beside: Process, log: string): void {
  const out = openSync(log, 'a');
  const args = ['--target', String(beside.pid), '--mount', '--pid', '--net', '--uts', '--', ...argv];
  spawn('nsenter', args, { detached: true, env, stdio: ['ignore', out, out] }).unref();
}

async function untilReady(): Promise<void> {
  for (let tries = 0; ; tries++) {
    const api = connect();
    try {
      await api.call('GET', '/readyz');
      return;
    } catch (error) {
      if (tries > 60) throw error;
      await sleep(1000);
    } finally {
      await api.close();
    }
  }
}

const world = findWorld(process.env.HOLDFAST_WORLD ?? '');
if (!world) throw new Error('HOLDFAST_WORLD names no world that is up');
/** What is /var/lib/etcd in the world. */
const data = join(world.runDir, 'etcd');
const scratch = mkdtempSync(join(tmpdir(), 'holdfast-drill-'));
let cluster = connect();
const vault = await makeVault(copies.primary.bucket);
await new SecretsManagerClient({ region: REGION }).send(
  new CreateSecretCommand({ Name: masterSecretName(NAMES.cluster), SecretString: MASTER }),
);
await create(cluster, TYPES.namespaces, {
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name: 'holdfast', labels: { 'pod-security.kubernetes.io/enforce': 'privileged' } },
});
for (let i = 0; i < 20; i++) await configMap(`before-${i}`);
const before = await configMaps();
const outcomes = await backUp();
const record: BackupRecord = {
  version: 1,
  cluster: NAMES.cluster,
  plan: run.plan,
  backup: BACKUP,
  phase: 'Completed',
  reasons: [],
  startedAt: new Date().toISOString(),
  completedAt: new Date().toISOString(),
  namespaces: [],
  volumes: [],
  controlPlane: outcomes,
  excluded: [],
  unprotected: [],
  objects: [],
};
await putJson(vault, keys.records.record(BACKUP), record);

// What happened after the snapshot is lost with etcd.
for (let i = 0; i < 10; i++)
  await cluster.call('DELETE', `/api/v1/namespaces/default/configmaps/before-${i}`);
await configMap('after');
await cluster.close();
const [etcd, apiServer, containerd] = ['etcd', 'kube-apiserver', 'containerd'].map(processOf) as [
  Process,
  Process,
  Process,
];
for (const { pid } of [apiServer, etcd]) process.kill(pid, 'SIGKILL');
for (const entry of readdirSync(data)) rmSync(join(data, entry), { recursive: true });

const config = join(scratch, 'holdfast.yaml');
writeFileSync(
  config,
  JSON.stringify({
    vault: { name: NAMES.vault, region: REGION, replicaRegion: 'eu-central-1' },
    clusters: [
      {
        name: NAMES.cluster,
        access: settings.access,
        jobs: { s3Endpoint },
        plans: [
          { name: 'nightly', namespaces: ['default'], schedule: 'rate(1 day)', retention: { keepLast: 1 } },
        ],
      },
    ],
  }),
);
const flag = (name: string) => etcd.argv[etcd.argv.indexOf(name) + 1] as string;
const member = ['--name', '--initial-cluster', '--initial-advertise-peer-urls'].flatMap((f) => [f, flag(f)]);
const cli = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));
const command = ['--config', config, 'control-plane', 'restore', '--to', join(scratch, 'restored')];
const restored = spawnSync(process.execPath, [cli, ...command, '--', ...member], { encoding: 'utf8' });
if (restored.status !== 0) throw new Error(restored.stderr + restored.stdout);
cpSync(join(scratch, 'restored', 'etcd'), data, { recursive: true });
startAgain(etcd, containerd, join(scratch, 'etcd.log'));
startAgain(apiServer, containerd, join(scratch, 'kube-apiserver.log'));
await untilReady();
cluster = connect();
const after = await configMaps();
const certificate = 'pki/etcd/ca.crt';
const same =
  readFileSync(join(scratch, 'restored', 'nodes', 'node1', certificate), 'utf8') ===
  readFileSync(join(world.runDir, 'kubernetes', certificate), 'utf8');
await cluster.close();
console.log(JSON.stringify({ outcomes, before, after, said: restored.stdout, sameCertificate: same }));
rmSync(scratch, { recursive: true, force: true });
