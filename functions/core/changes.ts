/** One type of an export: how many objects, a digest of all of them, and one sorted fingerprint an object. */
export interface TypeDigest {
  readonly type: string;
  readonly items: number;
  readonly digest: string;
  /** 16 hex digits of the object's namespace and name, then 16 of its bytes. */
  readonly fingerprints: readonly string[];
}

/** What became of the objects between two exports. */
export interface Changes {
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
  /** `plural.group` of the types that are not the same, with the same counts. */
  readonly types: Readonly<Record<string, { added: number; changed: number; removed: number }>>;
}

const NAME_DIGITS = 16;

/** Compares two exports by their fingerprints; types of equal digest are not looked into. */
export function changesBetween(before: readonly TypeDigest[], after: readonly TypeDigest[]): Changes {
  const types: Record<string, { added: number; changed: number; removed: number }> = {};
  const old = new Map(before.map((t) => [t.type, t]));
  const names = new Set([...old.keys(), ...after.map((t) => t.type)]);
  const current = new Map(after.map((t) => [t.type, t]));
  for (const name of [...names].sort()) {
    const [a, b] = [old.get(name), current.get(name)];
    if (a?.digest !== b?.digest) types[name] = difference(a?.fingerprints ?? [], b?.fingerprints ?? []);
  }
  const sum = (key: 'added' | 'changed' | 'removed') => Object.values(types).reduce((n, t) => n + t[key], 0);
  return { added: sum('added'), changed: sum('changed'), removed: sum('removed'), types };
}

/** Merges two sorted lists of fingerprints. */
function difference(before: readonly string[], after: readonly string[]) {
  const counts = { added: 0, changed: 0, removed: 0 };
  let i = 0;
  let j = 0;
  while (i < before.length || j < after.length) {
    const [a, b] = [before[i], after[j]];
    const [nameA, nameB] = [a?.slice(0, NAME_DIGITS), b?.slice(0, NAME_DIGITS)];
    if (nameA === nameB) {
      if (a !== b) counts.changed++;
      i++;
      j++;
    } else if (nameB === undefined || (nameA !== undefined && nameA < nameB)) {
      counts.removed++;
      i++;
    } else {
      counts.added++;
      j++;
    }
  }
  return counts;
}
