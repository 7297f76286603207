import { expect, test } from 'vitest';
import { memberFlags } from '../../../cli/etcd-member.ts';

const pod = (...command: string[]) =>
  `apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - name: etcd\n    command:\n${command.map((c) => `    - ${c}\n`).join('')}`;

test('a member is who its static pod says, in a cluster of its own', () => {
  const manifest = pod(
    'etcd',
    '--initial-advertise-peer-urls=https://10.0.0.11:2380',
    '--initial-cluster=cp1=https://10.0.0.11:2380,cp2=https://10.0.0.12:2380',
    '--name=cp1',
  );
  expect(memberFlags(manifest).join(' ')).toBe(
    '--name cp1 --initial-advertise-peer-urls https://10.0.0.11:2380 --initial-cluster cp1=https://10.0.0.11:2380',
  );
});

test('a pod that does not say who it is leaves that to the person', () => {
  expect(memberFlags(pod('etcd', '--name=cp1'))).toEqual([]);
});
