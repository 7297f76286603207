/**
 * TEST ONLY. A storage driver of folders for the local test environment: it makes hostPath volumes for claims of
 * one storage class and removes them when they are released. It stands in for a real driver, which cannot
 * be built from the Go module proxy. Started by sandbox/init.sh; configured by environment.
 */
import { chmodSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { KubeApi } from './kube-api.ts';
import { claimList, claimsToServe, volumeFor, volumeList, volumeName, volumesToRemove } from './volumes.ts';

const pollMilliseconds = 500;
const { KUBECONFIG = '', VOLUMES = '', NODE_NAME = '' } = process.env;
const api = new KubeApi(readFileSync(KUBECONFIG, 'utf8'));

// It retries without limit: the API server can be unavailable for a moment. The driver ends with its world.
for (;;) {
  await poll().catch((error: unknown) => console.error(new Date().toISOString(), error));
  await sleep(pollMilliseconds);
}

async function poll(): Promise<void> {
  const claims = claimList.parse(await api.get('/api/v1/persistentvolumeclaims')).items;
  const volumes = volumeList.parse(await api.get('/api/v1/persistentvolumes')).items;
  const present = new Set(volumes.map((volume) => volume.metadata.name));
  for (const claim of claimsToServe(claims, NODE_NAME)) {
    if (present.has(volumeName(claim))) continue;
    const folder = join(VOLUMES, volumeName(claim));
    mkdirSync(folder, { recursive: true });
    // Any user of any image can write, regardless of the umask.
    chmodSync(folder, 0o777);
    await api.create('/api/v1/persistentvolumes', volumeFor(claim, VOLUMES, NODE_NAME));
    console.log('made', volumeName(claim), 'for', `${claim.metadata.namespace}/${claim.metadata.name}`);
  }
  for (const { metadata } of volumesToRemove(volumes)) {
    rmSync(join(VOLUMES, metadata.name), { recursive: true, force: true });
    await api.remove(`/api/v1/persistentvolumes/${metadata.name}`);
    console.log('removed', metadata.name);
  }
}
