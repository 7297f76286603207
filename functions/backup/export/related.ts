import { bindsInto } from '../../core/backup/related.ts';
import { RELATED } from '../../core/backup/selection.ts';
import type { KubeObject, ResourceType } from '../../core/kubernetes/resources.ts';
import { groupResource } from '../../core/kubernetes/resources.ts';
import { type ExportContext, exportList, type Take } from './list.ts';

/**
 * Exports cluster-scoped objects related to the objects in the archive: the volumes of its claims, the definitions of
 * its custom resources, the cluster roles bound to its service accounts, and the classes it references.
 */
export async function exportRelated(context: ExportContext, types: readonly ResourceType[]): Promise<void> {
  const { related } = context.tally;
  const byName =
    (names: ReadonlySet<string>): Take =>
    ({ name }) =>
      names.has(name);
  const bound: Take = (_, parse) => {
    const binding = parse();
    if (!bindsInto(binding, related.accounts)) return false;
    related.roles.add(roleOf(binding));
    return true;
  };
  // Bindings come before roles: they determine which roles are needed.
  const takes: [string, Take, boolean][] = [
    [RELATED.volumes, byName(related.volumes), related.volumes.size > 0],
    [RELATED.definitions, byName(related.definitions), related.definitions.size > 0],
    [RELATED.storageClasses, byName(related.storageClasses), related.storageClasses.size > 0],
    [RELATED.priorityClasses, byName(related.priorityClasses), related.priorityClasses.size > 0],
    [RELATED.ingressClasses, byName(related.ingressClasses), related.ingressClasses.size > 0],
    [RELATED.runtimeClasses, byName(related.runtimeClasses), related.runtimeClasses.size > 0],
    [RELATED.snapshotClasses, byName(related.snapshotClasses), related.snapshotClasses.size > 0],
    [RELATED.bindings, bound, related.accounts.size > 0],
    [RELATED.roles, byName(related.roles), true],
  ];
  for (const [name, take, needed] of takes) {
    const type = types.find((t) => groupResource(t) === name);
    if (type && needed) await exportList(context, { type }, take);
  }
}

const roleOf = (binding: KubeObject): string =>
  (binding.roleRef as { name?: string } | undefined)?.name ?? '';
