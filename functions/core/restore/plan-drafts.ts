import { type Grants, type Roles, rolesOf } from './archived-roles.ts';
import { heldEndpoints, heldOf } from './dangerous.ts';
import type { Draft } from './drafts.ts';
import { isOfApiServer, TOKEN } from './not-restored.ts';
import { placeOf } from './references.ts';
import type { Scope } from './restore-options.ts';
import { itemKey, type PlanItem, restoreOrder } from './restore-plan.ts';
import type { RoleGrants } from './role-grants.ts';

/** What happens to an object, and why. `madeBy`: the object from which built-in controllers make it again. */
interface Decision {
  readonly action: PlanItem['action'];
  readonly reason?: string;
  readonly madeBy?: Draft;
}

/** The recovery point as far as decisions need it. */
interface Point {
  readonly selected: ReadonlySet<Draft>;
  readonly byUid: ReadonlyMap<string, Draft>;
  /** Namespaces that were being deleted. */
  readonly ending: ReadonlySet<string>;
  /** Places of service accounts, and of the generated tokens that they list. */
  readonly accounts: ReadonlySet<string>;
  readonly tokens: ReadonlySet<string>;
  readonly roles: Roles;
  /** Addresses of the API servers of both clusters. */
  readonly apiServers: ReadonlySet<string>;
  /** Decisions about owners. */
  readonly known: Map<Draft, Decision>;
}

/** What a plan has to know of the cluster that is restored into. */
export interface ClusterFacts {
  /** What its roles grant, by their place. */
  readonly roles: Grants;
  /** Addresses of its API server, as `addressKey` has them. */
  readonly apiServers: ReadonlySet<string>;
}
const NOTHING: ClusterFacts = { roles: new Map(), apiServers: new Set() };

/**
 * The items of a plan, in no order, from the drafts of all objects of a recovery point: the objects that the scope has, what
 * they need, and Namespaces that the recovery point does not hold. `cluster`: the one that is restored into; absent: a new
 * one.
 */
export function planDrafts(
  drafts: readonly Draft[],
  scope: Scope,
  cluster: ClusterFacts = NOTHING,
): PlanItem[] {
  const point = pointOf(drafts, cluster);
  const items: PlanItem[] = [];
  for (const draft of point.selected) items.push(itemOf(draft, point));
  return scope.hasNamespaces ? items.concat(missingNamespaces(drafts, items)) : items;
}

function pointOf(drafts: readonly Draft[], cluster: ClusterFacts): Point {
  const byUid = new Map<string, Draft>();
  const grants = new Map<string, RoleGrants>();
  const apiServers = new Set(cluster.apiServers);
  const [ending, accounts, tokens] = [new Set<string>(), new Set<string>(), new Set<string>()];
  for (const draft of drafts) {
    if (draft.uid) byUid.set(draft.uid, draft);
    if (draft.addresses && isOfApiServer(draft.at)) for (const a of draft.addresses) apiServers.add(a);
    if (draft.role) grants.set(placeOfDraft(draft), draft.role);
    if (draft.isEnding) ending.add(draft.at.name);
    if (draft.at.groupResource === 'serviceaccounts') accounts.add(placeOfDraft(draft));
    for (const token of draft.secrets ?? []) tokens.add(token);
  }
  const roles = rolesOf(grants, cluster.roles);
  return {
    selected: selectedOf(drafts),
    byUid,
    ending,
    accounts,
    tokens,
    roles,
    apiServers,
    known: new Map(),
  };
}

const placeOfDraft = ({ at }: Draft): string => placeOf(at.groupResource, at.namespace, at.name);

/** Objects that were asked for, and in turn what they need. */
function selectedOf(drafts: readonly Draft[]): Set<Draft> {
  const selected = new Set<Draft>();
  const waiting = new Map<string, Draft[]>();
  for (const draft of drafts) {
    if (draft.standing === 'asked') selected.add(draft);
    if (draft.standing !== 'needed') continue;
    for (const place of [placeOfDraft(draft), ...(draft.aliases ?? [])]) {
      const others = waiting.get(place);
      if (others) others.push(draft);
      else waiting.set(place, [draft]);
    }
  }
  // A Set visits what is added to it while it is iterated.
  if (waiting.size > 0)
    for (const draft of selected)
      for (const place of needsOf(draft)) for (const needed of waiting.get(place) ?? []) selected.add(needed);
  return selected;
}

function needsOf({ at, skip, volume, needs = [] }: Draft): readonly string[] {
  if (skip !== undefined) return [];
  const { groupResource, namespace } = at;
  return [
    ...needs,
    ...(namespace === undefined ? [] : [placeOf('namespaces', undefined, namespace)]),
    ...(groupResource.includes('.')
      ? [placeOf('customresourcedefinitions.apiextensions.k8s.io', undefined, groupResource)]
      : []),
    ...(volume === undefined ? [] : [placeOf('persistentvolumes', undefined, volume)]),
  ];
}

function itemOf(draft: Draft, point: Point): PlanItem {
  const { at, bytes } = draft;
  const { action, reason, madeBy } = decide(draft, point);
  const owners = action === 'skip' ? [] : liveOwners(draft, point);
  return {
    ...at,
    ...restoreOrder(at.groupResource),
    action,
    bytes,
    ...(reason && { reason }),
    ...(owners.length > 0 && { owners }),
    ...(madeBy && { madeBy: itemKey(madeBy.at) }),
  };
}

function liveOwners({ at, owners }: Draft, { byUid }: Point): NonNullable<PlanItem['owners']> {
  return owners.flatMap(({ uid, controller }) => {
    const owner = byUid.get(uid)?.at;
    const canOwn = owner && (owner.namespace === undefined || owner.namespace === at.namespace);
    return canOwn ? [{ key: itemKey(owner), controller }] : [];
  });
}

function decide(draft: Draft, point: Point): Decision {
  const { at, skip } = draft;
  if (at.namespace !== undefined && point.ending.has(at.namespace))
    return { action: 'skip', reason: skip ?? 'its namespace was being deleted when it was backed up' };
  const made = madeAgain(draft, point);
  if (made) return made;
  if (skip !== undefined) return { action: 'skip', reason: skip };
  if (isGenerated(draft, point)) return { action: 'skip', reason: TOKEN };
  const held = heldIn(draft, point);
  return held === undefined ? { action: 'create' } : { action: 'hold', reason: held };
}

/** Why an object is held, with what the rest of the recovery point says of it. */
function heldIn({ at, held, pending, addresses }: Draft, { roles, apiServers }: Point): string | undefined {
  if (held !== undefined) return held;
  return pending ? heldOf(at, pending, roles) : addresses && heldEndpoints(at, addresses, apiServers);
}

/**
 * The decision about an object that a built-in controller makes from its owner: it is left to it if the owner has an item to
 * create or to approve, or is itself made again. Undefined if the owner is not selected: nothing makes it then.
 */
function madeAgain({ at, skip, owners }: Draft, point: Point): Decision | undefined {
  const reference = owners.find((o) => o.maker !== undefined);
  const owner = reference && point.byUid.get(reference.uid);
  if (!owner || owner.at.groupResource !== reference.maker || owner.at.namespace !== at.namespace)
    return undefined;
  if (skip !== undefined && at.groupResource !== 'persistentvolumeclaims') return undefined;
  const fate = fateOf(owner, point);
  const made = `created by ${reference.kind}/${owner.at.name}`;
  // A held owner may be in the cluster already: then its children are there. If not, the report says that they are missing.
  if (fate.madeBy) return { action: 'skip', reason: made, madeBy: fate.madeBy };
  if (!point.selected.has(owner)) return undefined;
  if (fate.action !== 'skip') return { action: 'skip', reason: made, madeBy: owner };
  return { action: 'skip', reason: `${made}, which is not restored: ${fate.reason}` };
}

function fateOf(owner: Draft, point: Point): Decision {
  const fate = point.known.get(owner) ?? decide(owner, point);
  point.known.set(owner, fate);
  return fate;
}

/** Whether a Secret is a generated token: its account lists it, or is not in the recovery point. */
function isGenerated(draft: Draft, { accounts, tokens }: Point): boolean {
  if (draft.account === undefined) return false;
  return !accounts.has(draft.account) || tokens.has(placeOfDraft(draft));
}

/** Namespaces of objects to create that the recovery point does not hold, as a backup of some types may lack them. */
function missingNamespaces(drafts: readonly Draft[], items: readonly PlanItem[]): PlanItem[] {
  const missing = new Set<string>();
  for (const { action, namespace } of items)
    if (action === 'create' && namespace !== undefined) missing.add(namespace);
  for (const { at } of drafts) if (at.groupResource === 'namespaces') missing.delete(at.name);
  return [...missing].map((name) => ({
    groupResource: 'namespaces',
    version: 'v1',
    namespace: undefined,
    name,
    ...restoreOrder('namespaces'),
    action: 'create',
    bytes: 0,
    reason: 'not in the recovery point: created without labels',
  }));
}
