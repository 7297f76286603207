import { messageOf } from '../../contract/holdfast-error.ts';
import type { RestoreOptions } from '../../contract/restore-options.ts';
import type { ArchivedName } from '../backup/archive.ts';
import { fieldsOf, recordsIn, textOf } from '../bytes/json-value.ts';
import type { KubeObject } from '../kubernetes/resources.ts';
import { examine, leadsTo } from './dangerous.ts';
import { addressesOf } from './dangerous-network.ts';
import type { Pending } from './dangerous-rbac.ts';
import { type Owner, ownersOf } from './made-again.ts';
import { defaultRoleReason, isGeneratedToken, isOfApiServer, neverReason } from './not-restored.ts';
import { aliasesOf, placeOf, referencesOf } from './references.ts';
import type { Scope, Standing } from './restore-options.ts';
import type { RoleGrants } from './role-grants.ts';

/** What a plan keeps of an archived object: everything that its decision needs, and not the object. */
export interface Draft {
  readonly at: ArchivedName;
  /** Size of the object in the archive. */
  readonly bytes: number;
  readonly standing: Standing;
  readonly uid?: string;
  readonly owners: readonly Owner[];
  /** Why it is never restored. */
  readonly skip?: string;
  /** Why it is held for approval, or because it cannot be examined. */
  readonly held?: string;
  /** Of a role: what it grants. Of a role or a binding: what is decided when all roles are known. */
  readonly role?: RoleGrants;
  readonly pending?: Pending;
  /** Of endpoints that somebody made: where they lead. Of the API server's own: its addresses. */
  readonly addresses?: readonly string[];
  /** Whether it is a Namespace that was being deleted. */
  readonly isEnding?: true;
  /** Of a Secret that looks like a generated token: its account decides. */
  readonly account?: string;
  /** Of a service account: the places of the Secrets that it lists. */
  readonly secrets?: readonly string[];
  /** Of a claim: its volume. */
  readonly volume?: string;
  /** Places of the objects that it needs, and further places of its own. Only in a partial restore. */
  readonly needs?: readonly string[];
  readonly aliases?: readonly string[];
}

/** An object as the archive holds it. */
export interface Archived {
  readonly at: ArchivedName;
  readonly bytes: number;
}

/**
 * The draft of an object. Every rule that reads the object is applied here: it is not kept afterwards. An object that
 * cannot be examined is held, and costs nobody else.
 */
export function draftOf(entry: Archived, value: unknown, scope: Scope, options: RestoreOptions): Draft {
  try {
    return examined(entry, asObject(entry.at, value), scope, options);
  } catch (error) {
    const standing = scope.standingOf(entry.at, { metadata: { name: entry.at.name } });
    return { ...entry, standing, owners: [], held: `it cannot be examined: ${messageOf(error)}` };
  }
}

function asObject({ name, namespace }: ArchivedName, value: unknown): KubeObject {
  const object = fieldsOf(value);
  if (object !== value) throw new TypeError('it is not a JSON object');
  if (fieldsOf(object.metadata) !== object.metadata) throw new TypeError('its metadata is not an object');
  const { name: own, namespace: home } = fieldsOf(object.metadata);
  // The place in the archive decides, for example what is held: an object must not be another one than it says.
  if ((own !== undefined && own !== name) || (textOf(home) !== undefined && home !== namespace))
    throw new TypeError(`its metadata names ${String(home)}/${String(own)}`);
  return object as KubeObject;
}

function examined({ at, bytes }: Archived, object: KubeObject, scope: Scope, options: RestoreOptions): Draft {
  const standing = scope.standingOf(at, object);
  const uid = textOf(object.metadata.uid);
  const owners = ownersOf(at.groupResource, object);
  const skip = neverReason(at, object) ?? ephemeralReason(at, owners) ?? notUpdated(at, object, options);
  const { held, role, pending } = examine(at, object, options);
  return {
    at,
    bytes,
    standing,
    owners,
    ...(uid && { uid }),
    ...(skip && { skip }),
    ...(role && { role }),
    ...(standing !== 'out' && {
      ...(held && { held }),
      ...(pending && { pending }),
    }),
    ...ofType(at, object),
    ...networkOf(at, object, skip === undefined ? options : undefined),
    ...(scope.isPartial && standing !== 'out' && relations(at, object)),
  };
}

/** The claim of an ephemeral volume is nothing without its pod, and would keep a later pod of the same name from starting. */
function ephemeralReason({ groupResource }: ArchivedName, owners: readonly Owner[]): string | undefined {
  return groupResource === 'persistentvolumeclaims' && owners.some((o) => o.maker)
    ? 'the claim of an ephemeral volume, which its pod makes'
    : undefined;
}

/** Under `update`, the default roles of another version would replace those of this API server. */
const notUpdated = (at: ArchivedName, object: KubeObject, options: RestoreOptions): string | undefined =>
  options.existingResources === 'update' ? defaultRoleReason(at, object) : undefined;

/** `options`: those of the restore; undefined if the object is not restored. */
function networkOf(
  at: ArchivedName,
  object: KubeObject,
  options: RestoreOptions | undefined,
): Partial<Draft> | undefined {
  const own = isOfApiServer(at) ? addressesOf(at.groupResource, object) : [];
  const addresses = own.length > 0 || !options ? own : leadsTo(at, object, options);
  return addresses.length > 0 ? { addresses } : undefined;
}

/** What the decision about another object needs of one. */
function ofType(at: ArchivedName, object: KubeObject): Partial<Draft> | undefined {
  const { groupResource, namespace, name } = at;
  if (groupResource === 'namespaces') {
    const isEnding = object.metadata.deletionTimestamp != null;
    return isEnding ? { isEnding } : undefined;
  }
  if (groupResource === 'persistentvolumeclaims') {
    const volume = textOf(fieldsOf(object.spec).volumeName);
    return volume ? { volume } : undefined;
  }
  if (groupResource === 'secrets' && isGeneratedToken(object) === undefined) {
    const account = fieldsOf(object.metadata.annotations)['kubernetes.io/service-account.name'];
    return { account: placeOf('serviceaccounts', namespace, String(account)) };
  }
  if (groupResource !== 'serviceaccounts') return undefined;
  const secrets = recordsIn(object.secrets).map((s) => String(s.name));
  const tokens = secrets.filter((s) => s.startsWith(`${name}-token-`));
  return tokens.length > 0 ? { secrets: tokens.map((s) => placeOf('secrets', namespace, s)) } : undefined;
}

function relations(at: ArchivedName, object: KubeObject): Partial<Draft> {
  const [needs, aliases] = [referencesOf(at, object), aliasesOf(at, object)];
  return { ...(needs.length > 0 && { needs }), ...(aliases.length > 0 && { aliases }) };
}
