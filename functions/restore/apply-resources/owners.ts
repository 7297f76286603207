import type { RestoreOptions } from '../../contract/restore-options.ts';
import type { ArchivedName } from '../../core/backup/archive.ts';
import { apiVersion, type KubeObject, objectPath } from '../../core/kubernetes/resources.ts';
import { keyParts, type PlanItem, typeOfItem } from '../../core/restore/restore-plan.ts';
import { targetOf } from '../../core/restore/transform.ts';
import type { KubeClient } from '../../ports/kubernetes.ts';
import { runAdaptive } from './adaptive.ts';
import { REFUSALS } from './failures.ts';

/** A reference to an owner, as in `metadata.ownerReferences`. */
interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: true;
  readonly blockOwnerDeletion?: true;
}

type Owner = NonNullable<PlanItem['owners']>[number];

/** Looks up the live owners of restored objects. An owner that was found is not asked for again. */
export class LiveOwners {
  private readonly cluster: KubeClient;
  private readonly options: RestoreOptions;
  private readonly found = new Map<string, Omit<OwnerReference, 'controller' | 'blockOwnerDeletion'>>();

  constructor(cluster: KubeClient, options: RestoreOptions) {
    this.cluster = cluster;
    this.options = options;
  }

  /**
   * References to those owners of an item that are in the cluster now, with their present uids. An owner in another namespace
   * is none: the garbage collector would remove the object.
   */
  async of({ owners = [], namespace }: Pick<PlanItem, 'owners' | 'namespace'>): Promise<OwnerReference[]> {
    const near = owners.filter(({ key }) => [undefined, namespace].includes(keyParts(key).namespace));
    const all = await Promise.all(near.map((owner) => this.reference(owner)));
    return all.filter((reference) => reference !== undefined);
  }

  private async reference({ key, controller }: Owner): Promise<OwnerReference | undefined> {
    const known = this.found.get(key) ?? (await this.look(key));
    return known && { ...known, ...(controller && { controller: true, blockOwnerDeletion: true }) };
  }

  private async look(key: string) {
    const at = targetOf(keyParts(key), this.options);
    const type = typeOfItem(at);
    const { status, body } = await this.cluster.call('GET', objectPath(type, at.name, at.namespace), {
      accept: REFUSALS,
    });
    if (status >= 400) return undefined;
    const { kind, metadata } = JSON.parse(body.toString('utf8')) as KubeObject;
    if (!kind || !metadata.uid || metadata.deletionTimestamp) return undefined;
    const owner = { apiVersion: apiVersion(type), kind, name: metadata.name, uid: metadata.uid };
    this.found.set(key, owner);
    return owner;
  }
}

/** How owned objects are given their owners. */
interface AdoptContext {
  readonly options: RestoreOptions;
  /** Whether there is time to start another object. */
  readonly goOn: () => boolean;
}

/**
 * Gives objects that were created before their owners their references. An object that has owners, because somebody adopted it
 * meanwhile, is left alone. Returns how many there was no time for.
 */
export async function adoptAll(
  cluster: KubeClient,
  items: readonly PlanItem[],
  { options, goOn }: AdoptContext,
): Promise<number> {
  const owners = new LiveOwners(cluster, options);
  let done = 0;
  const work = async (item: PlanItem) => {
    await adopt(cluster, targetOf(item, options), await owners.of(item));
    done++;
    return 'done' as const;
  };
  await runAdaptive(items, work, goOn);
  return items.length - done;
}

async function adopt(
  cluster: KubeClient,
  at: ArchivedName,
  ownerReferences: readonly OwnerReference[],
): Promise<void> {
  if (ownerReferences.length === 0) return;
  const path = objectPath(typeOfItem(at), at.name, at.namespace);
  const { status, body } = await cluster.call('GET', path, { accept: REFUSALS });
  if (status >= 400) return;
  const { metadata } = JSON.parse(body.toString('utf8')) as KubeObject;
  const { resourceVersion } = metadata;
  if ((metadata.ownerReferences ?? []).length > 0) return;
  // A refusal costs only the reference: the object is there, and its operator may adopt it.
  await cluster.call('PATCH', path, {
    body: { metadata: { ownerReferences, ...(resourceVersion !== undefined && { resourceVersion }) } },
    contentType: 'application/merge-patch+json',
    accept: REFUSALS,
  });
}
