import { BUILT_IN, EVERYTHING, OF_HOLDFAST, OF_KUBERNETES, type Power } from './dangerous-powers.ts';
import { type RoleGrants, takesIn } from './role-grants.ts';

/** The roles of a recovery point. */
export interface Roles {
  /**
   * What a role lets its holders do, with what it takes in from others; undefined if it is not known. A role of Kubernetes or
   * Holdfast grants what the cluster's own of that name does, whatever the recovery point says. `target`: its place in the
   * cluster, if it is another one.
   */
  powersOf(place: string, target?: string): readonly Power[] | undefined;
  /** What the role of the recovery point itself would grant. */
  archivedPowersOf(place: string): readonly Power[];
  /** Whether a role grants no more than the election of a leader. */
  isElection(place: string): boolean;
}

/** More pairs of a role and one that takes in others are not looked at: each such role counts as one that grants everything. */
const MOST_PAIRS = 250_000;

const BOOTSTRAP = ['kubernetes.io/bootstrapping', 'rbac-defaults'] as const;
const aggregate = (role: string) => [`rbac.authorization.k8s.io/aggregate-to-${role}`, 'true'] as const;
/** Labels of roles that every cluster has, with what they grant. */
const DEFAULTS: readonly { labels: ReadonlyMap<string, string>; powers: readonly Power[] }[] = [
  { labels: new Map([BOOTSTRAP]), powers: [EVERYTHING] },
  { labels: new Map([BOOTSTRAP, aggregate('admin')]), powers: BUILT_IN.get('admin') ?? [] },
  { labels: new Map([BOOTSTRAP, aggregate('edit')]), powers: BUILT_IN.get('edit') ?? [] },
];

/** What roles grant, by their place. */
export type Grants = ReadonlyMap<string, RoleGrants>;

/**
 * The roles of a recovery point. `live`: those that the cluster has. A restore leaves a role of the cluster as it is, so that a
 * binding gives what either of the two grants.
 */
export function rolesOf(grants: Grants, live: Grants = new Map()): Roles {
  const dangerous = [...grants.values()].filter((g) => g.labels && (g.powers.length > 0 || g.takesIn));
  const aggregated = [...grants.values()].filter((g) => g.takesIn).length;
  const isTooMuch = dangerous.length * aggregated > MOST_PAIRS;
  const known = new Map<RoleGrants, readonly Power[]>();

  function whole(role: RoleGrants): readonly Power[] {
    if (!role.takesIn) return role.powers;
    if (isTooMuch) return [EVERYTHING];
    const found = known.get(role);
    if (found) return found;
    known.set(role, role.powers);
    const selectors = role.takesIn;
    const isIn = ({ labels = new Map<string, string>() }: Pick<RoleGrants, 'labels'>) =>
      selectors.some((selector) => takesIn(selector, labels));
    const all = new Set([
      ...role.powers,
      ...DEFAULTS.filter(isIn).flatMap(({ powers }) => powers),
      ...dangerous.filter(isIn).flatMap(whole),
    ]);
    known.set(role, [...all]);
    return [...all];
  }

  const archived = (place: string) => {
    const role = grants.get(place);
    return role && whole(role);
  };
  return {
    powersOf: (place, target = place) => {
      const [own, there] = [archived(place), live.get(target)?.powers];
      return builtIn(place) ?? (own || there ? [...(own ?? []), ...(there ?? [])] : undefined);
    },
    archivedPowersOf: (place) => archived(place) ?? [],
    isElection: (place) => OWN_READERS.has(place) || (grants.get(place)?.isElection ?? false),
  };
}

/** Roles of kube-system that extensions of the API server are bound to: a public CA. */
const OWN_READERS: ReadonlySet<string> = new Set([
  'roles.rbac.authorization.k8s.io/kube-system/extension-apiserver-authentication-reader',
]);

/** What a role of Kubernetes or Holdfast grants, whatever the recovery point says: the cluster has its own of that name. */
function builtIn(place: string): readonly Power[] | undefined {
  const name = /^clusterroles\.rbac\.authorization\.k8s\.io\/\/(.*)$/s.exec(place)?.[1];
  if (name === undefined) return undefined;
  if (name.startsWith('holdfast-')) return [OF_HOLDFAST];
  return BUILT_IN.get(name) ?? (name.startsWith('system:') ? [OF_KUBERNETES] : undefined);
}
