import { expect, test } from 'vitest';
import { manifestsFor } from '../../../cli/rbac.ts';
import { parseConfig } from '../../../infra/config/load.ts';
import type { ClusterConfig } from '../../../infra/config/schema.ts';

const config = parseConfig(
  `
vault: { region: eu-west-1, replicaRegion: eu-central-1 }
clusters:
  - name: prod
    access: { kind: kubeconfig, backupSecret: a, restoreSecret: b }
    jobs: { s3Endpoint: "http://10.0.0.1:9000", replicaS3Endpoint: "https://s3.example" }
    controlPlane: { endpoints: ["https://10.0.0.2:12379"] }
    plans: [{ name: nightly, namespaces: [shop], schedule: "0 2 * * *", retention: { keepLast: 7 } }]
`,
  'holdfast.yaml',
);
const [cluster] = config.clusters as [ClusterConfig];

/** TCP ports to which pods in Holdfast's namespace may connect, beside DNS. */
function portsIn(manifests: object): number[] {
  const { items } = manifests as {
    items: { kind: string; spec: { egress: { ports: { port: number }[] }[] } }[];
  };
  const policy = items.find((item) => item.kind === 'NetworkPolicy');
  return policy?.spec.egress[1]?.ports.map(({ port }) => port) ?? [];
}

test('pods in the namespace of Holdfast reach the endpoints of S3 and etcd that holdfast.yaml names', () => {
  expect(portsIn(manifestsFor({}, { config, cluster }))).toEqual([443, 2379, 9000, 12379]);
});

test('without a holdfast.yaml they reach the usual ports', () => {
  expect(portsIn(manifestsFor({}))).toEqual([443, 2379]);
});
