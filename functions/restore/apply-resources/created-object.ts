import type { RestoreOptions } from '../../contract/restore-options.ts';
import type { ArchivedName } from '../../core/backup/archive.ts';
import { namesType } from '../../core/kubernetes/patterns.ts';
import { type KubeObject, objectPath } from '../../core/kubernetes/resources.ts';
import { differencesIn } from '../../core/restore/compare.ts';
import { type FieldManagers, fieldManagersOf } from '../../core/restore/field-managers.ts';
import { typeOfItem } from '../../core/restore/restore-plan.ts';
import { messageIn, REFUSALS } from './failures.ts';
import type { Ending, PutContext, Wanted } from './wanted.ts';

/** Whether a restore was asked to restore the status of a type. */
export const restoresStatus = (options: RestoreOptions, at: ArchivedName): boolean =>
  namesType(options.restoreStatus ?? [], typeOfItem(at));

/** Compares a created object with what was wanted, and writes what a create cannot: the field managers and the status. */
export async function finishCreated(
  context: PutContext,
  { at, type, object, status, archived }: Wanted,
  live: KubeObject,
): Promise<Ending> {
  const differs = differencesIn(at, object, { ...live, ...typeMeta(object) });
  const notes = await writeManagers(context, at, fieldManagersOf(archived));
  const wantsStatus = status !== undefined && restoresStatus(context.options, at);
  const refused = wantsStatus && type.hasStatus ? await writeStatus(context, at, status) : undefined;
  if (refused) {
    notes.push(`without its status: ${refused}`);
    differs.push('status');
  }
  return {
    result: 'created',
    version: at.version,
    ...(at.groupResource === 'persistentvolumeclaims' && { uid: live.metadata.uid }),
    ...(differs.length > 0 && { differs }),
    ...(notes.length > 0 && { reason: notes.join('; ') }),
  };
}

/** Restores `managedFields`, which a create does not take. The object is whole without them, so a refusal is only noted. */
async function writeManagers(
  { cluster }: PutContext,
  at: ArchivedName,
  { restored }: FieldManagers,
): Promise<string[]> {
  if (!restored) return [];
  const answer = await cluster.call('PATCH', objectPath(typeOfItem(at), at.name, at.namespace), {
    body: { metadata: { managedFields: restored } },
    contentType: 'application/merge-patch+json',
    accept: REFUSALS,
  });
  return answer.status < 400 ? [] : [`without its field managers: ${messageIn(answer)}`];
}

async function writeStatus(
  { cluster }: PutContext,
  at: ArchivedName,
  status: KubeObject['status'],
): Promise<string | undefined> {
  const answer = await cluster.call('PATCH', `${objectPath(typeOfItem(at), at.name, at.namespace)}/status`, {
    body: { status },
    contentType: 'application/merge-patch+json',
    accept: REFUSALS,
  });
  return answer.status < 400 ? undefined : messageIn(answer);
}

/** `apiVersion` and `kind`, which items of lists do not have. */
export const typeMeta = ({ apiVersion, kind }: KubeObject): Pick<KubeObject, 'apiVersion' | 'kind'> => ({
  ...(apiVersion !== undefined && { apiVersion }),
  ...(kind !== undefined && { kind }),
});
