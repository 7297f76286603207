import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { imageNames, network } from '../base/settings.ts';
import type { Tools } from '../tools/registry.ts';

/** Writes the configuration files of the node's components. */
export function writeConfigs(runDir: string, tools: Tools): void {
  const folder = join(runDir, 'config');
  mkdirSync(join(folder, 'cni'), { recursive: true });
  writeFileSync(join(folder, 'containerd.toml'), containerd(runDir, tools.debian));
  writeFileSync(join(folder, 'cni', '10-bridge.conflist'), JSON.stringify(podNetwork));
  writeFileSync(join(folder, 'kubelet.yaml'), JSON.stringify(kubelet(runDir), null, 2));
  writeFileSync(join(folder, 'kube-proxy.yaml'), JSON.stringify(kubeProxy(runDir), null, 2));
  writeFileSync(join(folder, 'resolv.conf'), '');
}

/** Left out are the plug-ins for file systems that a world does not use; they only print warnings. */
function containerd(runDir: string, debian: string): string {
  const unused = ['btrfs', 'zfs', 'aufs', 'devmapper', 'blockfile'].map((name) => `snapshotter.v1.${name}`);
  const disabled = ['nri.v1.nri', 'internal.v1.opt', ...unused].map((name) => `"io.containerd.${name}"`);
  const cri = 'plugins."io.containerd.grpc.v1.cri"';
  return `version = 2
root = "${runDir}/containerd"
state = "/run/containerd"
disabled_plugins = [${disabled.join(', ')}]
[grpc]
  address = "/run/containerd/containerd.sock"
[${cri}]
  sandbox_image = "${imageNames.pause}"
  # Root of a virtual machine may lack the right to lower its score; containers then must not try.
  restrict_oom_score_adj = true
  [${cri}.containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
  [${cri}.containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
  [${cri}.containerd.runtimes.runc.options]
    BinaryName = "${debian}/usr/sbin/runc"
    SystemdCgroup = false
  [${cri}.cni]
    bin_dir = "${debian}/usr/lib/cni"
    conf_dir = "${runDir}/config/cni"
`;
}

const podNetwork = {
  cniVersion: '1.0.0',
  name: 'pods',
  plugins: [
    {
      type: 'bridge',
      bridge: 'cni0',
      isGateway: true,
      hairpinMode: true,
      ipMasq: false,
      ipam: {
        type: 'host-local',
        dataDir: '/run/cni-ipam',
        ranges: [[{ subnet: network.podRange }]],
        routes: [{ dst: '0.0.0.0/0' }],
      },
    },
  ],
};

function kubelet(runDir: string): unknown {
  const pki = '/etc/kubernetes/pki';
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    cgroupDriver: 'cgroupfs',
    cgroupsPerQOS: true,
    enforceNodeAllocatable: [],
    failSwapOn: false,
    failCgroupV1: false,
    containerRuntimeEndpoint: 'unix:///run/containerd/containerd.sock',
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: `${pki}/ca.crt` },
    },
    authorization: { mode: 'Webhook' },
    tlsCertFile: `${pki}/kubelet.crt`,
    tlsPrivateKeyFile: `${pki}/kubelet.key`,
    makeIPTablesUtilChains: false,
    resolvConf: `${runDir}/config/resolv.conf`,
    volumePluginDir: `${runDir}/kubelet-plugins`,
    podLogsDir: '/var/log/pods',
    // A full disk of the machine must not end the pods of a test.
    evictionHard: {
      'memory.available': '50Mi',
      'nodefs.available': '1%',
      'imagefs.available': '1%',
      'nodefs.inodesFree': '1%',
    },
    imageGCHighThresholdPercent: 100,
    nodeStatusUpdateFrequency: '2s',
    syncFrequency: '5s',
    shutdownGracePeriod: '0s',
    oomScoreAdj: 0,
    clusterDNS: [network.nodeAddress],
    clusterDomain: 'cluster.local',
  };
}

/** conntrack is left alone: its limits belong to the machine. */
function kubeProxy(runDir: string): unknown {
  return {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    mode: 'nftables',
    hostnameOverride: network.node,
    clusterCIDR: network.podRange,
    clientConnection: { kubeconfig: `${runDir}/kubeconfigs/kube-proxy.kubeconfig` },
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
  };
}
