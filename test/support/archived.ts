import type { ArchivedName } from '../../functions/core/backup/archive.ts';
import type { KubeObject } from '../../functions/core/kubernetes/resources.ts';

/** Where an object of an archive is. */
export const at = (
  groupResource: string,
  name = 'x',
  namespace: string | undefined = 'shop',
): ArchivedName => ({ groupResource, version: 'v1', namespace, name });

/** An object of a kind, named x, with what else is said. */
export const objectOf = (kind: string, body: object = {}, metadata: object = {}): KubeObject => ({
  kind,
  metadata: { name: 'x', ...metadata },
  ...body,
});
