import { spawn } from 'node:child_process';
import {
  cpSync,
  createWriteStream,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';

/** Namespace of the server's own objects. */
const NAMESPACE = 'velero';

/** A place where backups are, as Velero has it. */
interface Location {
  readonly name: string;
  readonly bucket: string;
  readonly prefix: string;
  readonly readOnly: boolean;
}

/** A Velero server outside the cluster, and its command line. */
export interface Velero {
  /** Runs the command line; returns what it printed. */
  run(...args: string[]): Promise<string>;
  kubectl(args: readonly string[], input?: string): Promise<string>;
  addLocation(location: Location): Promise<void>;
  /** What the server and its plugins have used so far: CPU seconds, and the most memory that was seen, in MiB. */
  usage(): { cpu: number; rss: number };
  stop(): Promise<void>;
}

/** Starts the server of the tool folder against the world that this process is in. End it with `stop`. */
export async function startVelero(tools: string): Promise<Velero> {
  const scratch = mkdtempSync(join(tmpdir(), 'holdfast-velero-'));
  const plugins = join(scratch, 'plugins');
  mkdirSync(plugins);
  cpSync(join(tools, 'velero-plugin-for-aws'), join(plugins, 'velero-plugin-for-aws'));
  const credentials = join(scratch, 'credentials');
  writeFileSync(credentials, '[default]\naws_access_key_id = test\naws_secret_access_key = test\n');
  const env = {
    ...process.env,
    AWS_SHARED_CREDENTIALS_FILE: credentials,
    VELERO_NAMESPACE: NAMESPACE,
    HOME: scratch,
  };
  const kubectl: Velero['kubectl'] = async (args, input) =>
    (await execa('kubectl', args, { env, ...(input !== undefined && { input }) })).stdout;
  const run: Velero['run'] = async (...args) =>
    (await execa(join(tools, 'velero'), ['--namespace', NAMESPACE, ...args], { env })).stdout;

  await kubectl(
    ['apply', '--server-side', '-f', '-'],
    await run('install', '--crds-only', '--dry-run', '-o', 'yaml'),
  );
  await kubectl(['apply', '-f', '-'], JSON.stringify(surroundings()));
  const log = createWriteStream(join(scratch, 'server.log'));
  const server = spawn(
    join(tools, 'velero'),
    [
      'server',
      '--namespace',
      NAMESPACE,
      '--kubeconfig',
      process.env.KUBECONFIG ?? '',
      '--plugin-dir',
      plugins,
    ],
    { env, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  server.stdout.pipe(log);
  server.stderr.pipe(log);
  const watch = watchProcess(server.pid ?? 0);
  const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()));

  return {
    run,
    kubectl,
    async addLocation(location) {
      await kubectl(['apply', '-f', '-'], JSON.stringify(locationObject(location)));
      for (let tries = 0; tries < 120; tries++) {
        const phase = await kubectl([
          '-n',
          NAMESPACE,
          'get',
          'bsl',
          location.name,
          '-o',
          'jsonpath={.status.phase}',
        ]);
        if (phase === 'Available') return;
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
      const tail = readFileSync(join(scratch, 'server.log'), 'utf8').slice(-2000);
      throw new Error(`location ${location.name} did not become available:\n${tail}`);
    },
    usage: watch.usage,
    async stop() {
      watch.stop();
      server.kill('SIGTERM');
      await ended;
      rmSync(scratch, { recursive: true, force: true });
    },
  };
}

/** The server looks for its own namespace and Deployment, although it runs elsewhere. */
function surroundings(): object {
  const labels = { app: 'velero' };
  return {
    apiVersion: 'v1',
    kind: 'List',
    items: [
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } },
      {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'velero', namespace: NAMESPACE },
        spec: {
          replicas: 0,
          selector: { matchLabels: labels },
          template: { metadata: { labels }, spec: { containers: [{ name: 'velero', image: 'velero' }] } },
        },
      },
    ],
  };
}

function locationObject({ name, bucket, prefix, readOnly }: Location): object {
  return {
    apiVersion: 'velero.io/v1',
    kind: 'BackupStorageLocation',
    metadata: { name, namespace: NAMESPACE },
    spec: {
      provider: 'aws',
      objectStorage: { bucket, prefix },
      accessMode: readOnly ? 'ReadOnly' : 'ReadWrite',
      backupSyncPeriod: '5s',
      validationFrequency: '5s',
      config: { region: 'eu-west-1', s3ForcePathStyle: 'true', s3Url: process.env.AWS_ENDPOINT_URL ?? '' },
    },
  };
}

/** Ticks of CPU a second in /proc, on every Linux that Node runs on. */
const TICKS = 100;

/** Follows a process and its children through /proc, five times a second. */
function watchProcess(pid: number) {
  const cpu = new Map<number, number>();
  let rss = 0;
  const look = () => {
    const family = [pid, ...childrenOf(pid)];
    let now = 0;
    for (const member of family) {
      try {
        const fields = readFileSync(`/proc/${member}/stat`, 'utf8')
          .replace(/^.*\) /s, '')
          .split(' ');
        cpu.set(member, (Number(fields[11]) + Number(fields[12])) / TICKS);
        now += Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${member}/status`, 'utf8'))?.[1] ?? 0) / 1024;
      } catch {
        // It has just ended; what it used until the last look is counted.
      }
    }
    rss = Math.max(rss, now);
  };
  const timer = setInterval(look, 200);
  return {
    usage: () => {
      look();
      return { cpu: [...cpu.values()].reduce((a, b) => a + b, 0), rss };
    },
    stop: () => clearInterval(timer),
  };
}

function childrenOf(pid: number): number[] {
  try {
    const own = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
      .split(' ')
      .filter(Boolean)
      .map(Number);
    const threads = readdirSync(`/proc/${pid}/task`)
      .filter((t) => t !== String(pid))
      .flatMap((t) =>
        readFileSync(`/proc/${pid}/task/${t}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
      );
    return [...own, ...threads].flatMap((child) => [child, ...childrenOf(child)]);
  } catch {
    return [];
  }
}
