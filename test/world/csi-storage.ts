import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse } from 'yaml';
import {
  collectionPath,
  type KubeObject,
  objectPath,
  type ResourceType,
} from '../../functions/core/resources.ts';
import { TYPES } from '../../functions/core/well-known.ts';
import type { KubeClient } from '../../functions/ports/kubernetes.ts';
import { readRecord } from '../../infra/local/record.ts';
import { network } from '../../infra/local/settings.ts';
import { csiTool } from '../../infra/local/tools/csi.ts';
import { provide } from '../../infra/local/tools/provide.ts';
import type { World } from '../../infra/local/world.ts';
import { create, untilServed } from '../support/world.ts';

/** The driver of folders that stands in for a cloud's, and the classes of its storage. */
export const CSI = {
  driver: 'csi.folders.test.holdfast.io',
  storageClass: 'csi-folders',
  snapshotClass: 'csi-folders',
  /** Refuses every snapshot, with these words. */
  refusing: 'csi-refusing',
  words: 'the storage has no room for snapshots',
} as const;

/** Storage that runs. `snapshots`: the folder that holds one folder a snapshot. */
export interface CsiStorage {
  readonly snapshots: string;
  stop(): void;
}

const csiDrivers: ResourceType = {
  group: 'storage.k8s.io',
  version: 'v1',
  resource: 'csidrivers',
  kind: 'CSIDriver',
  namespaced: false,
};

/** Starts CSI storage with snapshots in this world. Its programs are real; the driver behind them is for tests only. */
export async function startCsiStorage(cluster: KubeClient, world: World): Promise<CsiStorage> {
  const tools = await provide(csiTool, () => {});
  for (const file of readdirSync(join(tools, 'crds')))
    await create(
      cluster,
      TYPES.customResourceDefinitions,
      parse(readFileSync(join(tools, 'crds', file), 'utf8')) as KubeObject,
    );
  await untilServed(cluster, TYPES.volumeSnapshots);
  await untilServed(cluster, TYPES.volumeSnapshotClasses);
  for (const [type, object] of classes()) await create(cluster, type, object);
  const folder = join(world.runDir, 'csi');
  mkdirSync(folder, { recursive: true });
  const socket = `/var/lib/kubelet/plugins/${CSI.driver}/csi.sock`;
  const registration = `/var/lib/kubelet/plugins_registry/${CSI.driver}-reg.sock`;
  const children: ChildProcess[] = [];
  const start = (name: string, args: readonly string[]) => {
    const output = openSync(join(world.runDir, 'log', `${name}.log`), 'a');
    // What the driver mounts, the kubelet must see.
    const command = ['-t', String(readRecord(world.name)?.main.pid), '-m', '--', join(tools, name), ...args];
    children.push(spawn('nsenter', command, { stdio: ['ignore', output, output] }));
  };
  const kubeconfig = `--kubeconfig=${process.env.KUBECONFIG}`;
  start('folder-driver', [CSI.driver, network.node, folder, socket, registration]);
  start('snapshot-controller', [kubeconfig]);
  start('csi-snapshotter', [kubeconfig, `--csi-address=${socket}`]);
  start('csi-provisioner', [kubeconfig, `--csi-address=${socket}`, '--extra-create-metadata']);
  const stop = () => {
    for (const child of children) child.kill();
  };
  process.once('exit', stop);
  await untilRegistered(cluster);
  return { snapshots: join(folder, 'snapshots'), stop };
}

function classes(): [ResourceType, KubeObject][] {
  const snapshots = {
    apiVersion: 'snapshot.storage.k8s.io/v1',
    kind: 'VolumeSnapshotClass',
    driver: CSI.driver,
  };
  return [
    [
      csiDrivers,
      {
        apiVersion: 'storage.k8s.io/v1',
        kind: 'CSIDriver',
        metadata: { name: CSI.driver },
        spec: { attachRequired: false, podInfoOnMount: false, fsGroupPolicy: 'File' },
      },
    ],
    [
      TYPES.storageClasses,
      {
        apiVersion: 'storage.k8s.io/v1',
        kind: 'StorageClass',
        metadata: { name: CSI.storageClass },
        provisioner: CSI.driver,
        reclaimPolicy: 'Delete',
        volumeBindingMode: 'WaitForFirstConsumer',
      },
    ],
    [
      TYPES.volumeSnapshotClasses,
      {
        ...snapshots,
        metadata: {
          name: CSI.snapshotClass,
          annotations: { 'snapshot.storage.kubernetes.io/is-default-class': 'true' },
        },
        deletionPolicy: 'Delete',
      },
    ],
    [
      TYPES.volumeSnapshotClasses,
      {
        ...snapshots,
        metadata: { name: CSI.refusing },
        parameters: { refuse: CSI.words },
        deletionPolicy: 'Delete',
      },
    ],
  ];
}

/** The kubelet finds a driver by its socket and names it in the node's CSINode. */
async function untilRegistered(cluster: KubeClient): Promise<void> {
  const path = objectPath({ ...csiDrivers, resource: 'csinodes', kind: 'CSINode' }, network.node);
  for (let tries = 0; tries < 300; tries++) {
    const { body } = await cluster.call('GET', path);
    if (body.includes(CSI.driver)) return;
    await sleep(200);
  }
  throw new Error(`the kubelet has not found ${CSI.driver}`);
}

/** How many objects of a type there are in the cluster. */
export async function countOf(cluster: KubeClient, type: ResourceType): Promise<number> {
  const { body } = await cluster.call('GET', collectionPath(type));
  return (JSON.parse(body.toString('utf8')) as { items: unknown[] }).items.length;
}
