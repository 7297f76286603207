import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { kubeClient } from '../../functions/adapters/kubernetes/client.ts';
import type { KubeClient } from '../../functions/ports/kubernetes.ts';
import { network } from '../../world/base/settings.ts';
import { Authority, writeControlPlaneCertificates } from '../../world/sandbox/certs.ts';
import { debian } from '../../world/tools/debian.ts';
import { kubernetes } from '../../world/tools/go.ts';
import { folderOf } from '../../world/tools/provide.ts';
import { until } from './cluster-api.ts';

const ETCD = 26_379;
const PORT = 7443;
const SERVER = `https://127.0.0.1:${PORT}`;

/** A second cluster in a world's network: etcd, API server and controllers of its own, and no node. */
export class SecondServer {
  readonly client: KubeClient;
  readonly #folder: string;
  readonly #processes: readonly ChildProcess[];

  private constructor(client: KubeClient, folder: string, processes: readonly ChildProcess[]) {
    this.client = client;
    this.#folder = folder;
    this.#processes = processes;
  }

  /** Starts it, and waits until its API server is ready and has a default ServiceAccount. */
  static async start(): Promise<SecondServer> {
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-second-'));
    const pki = join(folder, 'pki');
    mkdirSync(pki);
    const ca = await Authority.create('second');
    await writeControlPlaneCertificates(pki, ca);
    const admin = { commonName: 'admin', organization: 'system:masters', uses: ['client'] } as const;
    const { certificate: cert, key } = await ca.issue(admin);
    const client = kubeClient({ server: SERVER, ca: ca.certificate, cert, key, insecure: false });
    const kubeconfig = join(folder, 'kubeconfig');
    writeFileSync(kubeconfig, kubeconfigOf(ca.certificate, cert, key), { mode: 0o600 });
    const run = (program: string, args: string[]) => {
      const log = openSync(join(folder, 'log'), 'a');
      return spawn(program, args, { stdio: ['ignore', log, log] });
    };
    const control = folderOf(kubernetes);
    const server = new SecondServer(client, folder, [
      run(join(folderOf(debian), 'usr/bin/etcd'), etcdArgs(folder)),
      run(join(control, 'kube-apiserver'), apiServerArgs(pki)),
      run(join(control, 'kube-controller-manager'), controllerArgs(pki, kubeconfig)),
    ]);
    try {
      await until('the second API server is ready', () => server.#isReady(), 90);
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  async stop(): Promise<void> {
    for (const process of this.#processes) process.kill('SIGKILL');
    await this.client.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #isReady(): Promise<boolean> {
    const account = '/api/v1/namespaces/default/serviceaccounts/default';
    const accept = [403, 404, 500, 503];
    const { status } = await this.client.call('GET', account, { accept }).catch(() => ({ status: 503 }));
    return status === 200;
  }
}

const etcdArgs = (folder: string): string[] => [
  ...['--data-dir', join(folder, 'etcd'), '--unsafe-no-fsync', '--log-level', 'error'],
  ...[
    '--listen-client-urls',
    `http://127.0.0.1:${ETCD}`,
    '--advertise-client-urls',
    `http://127.0.0.1:${ETCD}`,
  ],
  ...['--listen-peer-urls', `http://127.0.0.1:${ETCD + 1}`],
  ...['--initial-advertise-peer-urls', `http://127.0.0.1:${ETCD + 1}`],
  ...['--initial-cluster', `default=http://127.0.0.1:${ETCD + 1}`],
];

const apiServerArgs = (pki: string): string[] => [
  `--etcd-servers=http://127.0.0.1:${ETCD}`,
  `--secure-port=${PORT}`,
  `--advertise-address=${network.nodeAddress}`,
  '--allow-privileged',
  '--authorization-mode=Node,RBAC',
  '--anonymous-auth=false',
  `--client-ca-file=${pki}/ca.crt`,
  `--tls-cert-file=${pki}/apiserver.crt`,
  `--tls-private-key-file=${pki}/apiserver.key`,
  '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
  `--service-account-key-file=${pki}/sa.pub`,
  `--service-account-signing-key-file=${pki}/sa.key`,
  `--service-cluster-ip-range=${network.serviceRange}`,
];

const controllerArgs = (pki: string, kubeconfig: string): string[] => [
  `--kubeconfig=${kubeconfig}`,
  '--leader-elect=false',
  '--secure-port=0',
  `--service-account-private-key-file=${pki}/sa.key`,
  `--root-ca-file=${pki}/ca.crt`,
  '--use-service-account-credentials',
  '--pvclaimbinder-sync-period=1s',
];

/** JSON is YAML too. */
function kubeconfigOf(ca: string, cert: string, key: string): string {
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const user = { 'client-certificate-data': base64(cert), 'client-key-data': base64(key) };
  const cluster = { server: SERVER, 'certificate-authority-data': base64(ca) };
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'second', cluster }],
    users: [{ name: 'admin', user }],
    contexts: [{ name: 'second', context: { cluster: 'second', user: 'admin' } }],
    'current-context': 'second',
  });
}
