import { parseDocument } from 'yaml';

/** A configuration that is right, to be spoilt in one place. */
export const GOOD = `vault:
  region: eu-west-1
  replicaRegion: eu-central-1
clusters:
  - name: prod
    access:
      kind: kubeconfig
      backupSecret: holdfast/prod/backup
      restoreSecret: holdfast/prod/restore
    plans:
      - name: nightly
        namespaces: [shop]
        schedule: "0 2 * * *"
        retention: { keepLast: 7 }
`;

/** The good configuration with one value changed; `undefined` takes it away. */
export function spoilt(path: readonly (string | number)[], value: unknown): string {
  const document = parseDocument(GOOD);
  if (value === undefined) document.deleteIn(path);
  else document.setIn(path, document.createNode(value));
  return document.toString();
}
