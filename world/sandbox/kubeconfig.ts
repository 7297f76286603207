import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { network } from '../base/settings.ts';
import type { Authority, Subject } from './certs.ts';

/** Who gets a kubeconfig: the components, the administrator, and the two roles of Holdfast. */
const users: Record<string, { commonName: string; organization?: string }> = {
  admin: { commonName: 'admin', organization: 'system:masters' },
  backup: { commonName: 'holdfast-backup', organization: 'holdfast:backup' },
  restore: { commonName: 'holdfast-restore', organization: 'holdfast:restore' },
  kubelet: { commonName: `system:node:${network.node}`, organization: 'system:nodes' },
  'kube-controller-manager': { commonName: 'system:kube-controller-manager' },
  'kube-scheduler': { commonName: 'system:kube-scheduler' },
  'kube-proxy': { commonName: 'system:kube-proxy' },
};

/** Writes one `<name>.kubeconfig` a user, each complete in itself. */
export async function writeKubeconfigs(folder: string, ca: Authority): Promise<void> {
  for (const [name, user] of Object.entries(users)) {
    const config = await kubeconfig(ca, { ...user, uses: ['client'] });
    writeFileSync(join(folder, `${name}.kubeconfig`), config, { mode: 0o600 });
  }
}

/** JSON is YAML too, and needs no escaping rules. */
async function kubeconfig(ca: Authority, subject: Subject): Promise<string> {
  const identity = await ca.issue(subject);
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: 'holdfast-local',
        cluster: { server: network.apiServer, 'certificate-authority-data': base64(ca.certificate) },
      },
    ],
    users: [
      {
        name: subject.commonName,
        user: {
          'client-certificate-data': base64(identity.certificate),
          'client-key-data': base64(identity.key),
        },
      },
    ],
    contexts: [{ name: 'local', context: { cluster: 'holdfast-local', user: subject.commonName } }],
    'current-context': 'local',
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}
