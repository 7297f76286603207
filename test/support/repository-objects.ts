import { createHash } from 'node:crypto';
import { vaultKeys } from '../../functions/core/vault/vault-keys.ts';
import { recordOf } from './builders.ts';
import { resticId } from './restic-id.ts';

/* A recovery point of cluster `paris`, with one repository, as texts by key. */

export const keys = vaultKeys('paris');
export const BACKUP = 'daily-20260101000000';
export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
export const repository = keys.restic.repository('shop');
/** Key and text of an object that is named by its sha256. `kind`: `data`, `index`, `keys` or `snapshots`. */
export const inRepository = (kind: string, text: string): [string, string] => [
  `${repository}/${kind === 'data' ? `data/${sha256(text).slice(0, 2)}` : kind}/${sha256(text)}`,
  text,
];
export const archive = keys.velero.archive(BACKUP);

/** The record that names them: the archive, and a snapshot of one volume. */
export const record = recordOf(BACKUP, {
  volumes: [{ id: 'shop.data', namespace: 'shop', result: 'protected', snapshot: resticId('s') }],
  objects: [{ key: archive, bytes: 7, sha256: sha256('archive') }],
});
