import { parse } from 'yaml';

/** Flags that identify an etcd member; `etcdutl snapshot restore` takes the same. */
const FLAGS = ['--name', '--initial-advertise-peer-urls'];

/**
 * Flags for the data directory of a new single-member cluster, from the manifest of kubeadm's static etcd pod. Empty if
 * the manifest lacks one. Other members join later, because restoring a snapshot creates a new cluster.
 */
export function memberFlags(manifest: string): string[] {
  const pod = parse(manifest) as { spec?: { containers?: { command?: string[] }[] } };
  const command = pod.spec?.containers?.[0]?.command ?? [];
  const found = Object.fromEntries(
    FLAGS.map((flag) => [flag, command.find((c) => c.startsWith(`${flag}=`))?.slice(flag.length + 1)]),
  );
  const [name, peers] = FLAGS.map((flag) => found[flag]);
  if (!name || !peers) return [];
  return ['--name', name, '--initial-advertise-peer-urls', peers, '--initial-cluster', `${name}=${peers}`];
}
