/** One type of an export: how many objects, a digest of all of them, and the sorted fingerprints of each. */
export interface TypeDigest {
  readonly type: string;
  readonly items: number;
  readonly digest: string;
  /** FINGERPRINT_DIGITS hex digits per object: half of its namespace and name, half of its bytes. Sorted, without separators. */
  readonly fingerprints: string;
}

export const FINGERPRINT_DIGITS = 32;
const NAME_DIGITS = FINGERPRINT_DIGITS / 2;

interface Counts {
  added: number;
  changed: number;
  removed: number;
}

/** Changes of objects between two exports. */
export interface Changes extends Readonly<Counts> {
  /** `plural.group` of the types that changed, with their counts. */
  readonly types: Readonly<Record<string, Counts>>;
}

/** Compares two exports by their fingerprints; types with equal digests are skipped. */
export function changesBetween(before: readonly TypeDigest[], after: readonly TypeDigest[]): Changes {
  const types: Record<string, Counts> = {};
  const old = new Map(before.map((t) => [t.type, t]));
  const current = new Map(after.map((t) => [t.type, t]));
  for (const name of [...new Set([...old.keys(), ...current.keys()])].sort()) {
    const [a, b] = [old.get(name), current.get(name)];
    if (a?.digest !== b?.digest) types[name] = difference(a?.fingerprints ?? '', b?.fingerprints ?? '');
  }
  const sum = (key: keyof Counts) => Object.values(types).reduce((n, t) => n + t[key], 0);
  return { added: sum('added'), changed: sum('changed'), removed: sum('removed'), types };
}

/** Merges two sorted runs of fingerprints. */
function difference(before: string, after: string): Counts {
  const counts = { added: 0, changed: 0, removed: 0 };
  const name = (text: string, at: number) => text.slice(at, at + NAME_DIGITS);
  const bytes = (text: string, at: number) => text.slice(at + NAME_DIGITS, at + FINGERPRINT_DIGITS);
  let i = 0;
  let j = 0;
  while (i < before.length || j < after.length) {
    const [a, b] = [name(before, i), name(after, j)];
    if (a === b && bytes(before, i) !== bytes(after, j)) counts.changed++;
    else if (a !== b && b !== '' && (a === '' || b < a)) counts.added++;
    else if (a !== b) counts.removed++;
    const takesBefore = a === b || b === '' || (a !== '' && a < b);
    const takesAfter = a === b || !takesBefore;
    if (takesBefore) i += FINGERPRINT_DIGITS;
    if (takesAfter) j += FINGERPRINT_DIGITS;
  }
  return counts;
}
