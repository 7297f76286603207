import { createHash, hash } from 'node:crypto';
import type { TypeDigest } from '../../core/changes.ts';
import { noRelated, type Related } from '../../core/related.ts';

/** What an export has seen so far; of a shard, what it hands to the one that joins. */
export class Tally {
  items = 0;
  bytes = 0;
  readonly inexact = new Set<string>();
  readonly unreadable = new Set<string>();
  readonly related: Related = noRelated();
  /** Velero's resource list: `apps/v1/Deployment` -> `ns/name`. */
  readonly list = new Map<string, string[]>();
  /** By type, one fingerprint an object: 16 hex digits of its name, 16 of its bytes. */
  readonly fingerprints = new Map<string, string[]>();

  note(groupResource: string, kind: string, namespace: string | undefined, name: string, raw: Buffer): void {
    const path = namespace ? `${namespace}/${name}` : name;
    this.items++;
    push(this.list, kind, path);
    push(this.fingerprints, groupResource, half(path) + half(raw));
  }

  /** Everything as JSON. */
  toDocument(): TallyDocument {
    const { items, bytes, related } = this;
    return {
      items,
      bytes,
      inexact: [...this.inexact],
      unreadable: [...this.unreadable],
      related: Object.fromEntries(Object.entries(related).map(([k, set]) => [k, [...(set as Set<string>)]])),
      list: Object.fromEntries(this.list),
      fingerprints: Object.fromEntries(this.fingerprints),
    };
  }

  /** Adds what a shard has seen. */
  add(other: TallyDocument): void {
    this.items += other.items;
    this.bytes += other.bytes;
    for (const type of other.inexact) this.inexact.add(type);
    for (const type of other.unreadable) this.unreadable.add(type);
    for (const [key, names] of Object.entries(other.related))
      for (const name of names) this.related[key as keyof Related].add(name);
    for (const [kind, paths] of Object.entries(other.list)) for (const p of paths) push(this.list, kind, p);
    for (const [type, marks] of Object.entries(other.fingerprints))
      for (const m of marks) push(this.fingerprints, type, m);
  }

  /** Digest and sorted fingerprints of each type. */
  digests(): TypeDigest[] {
    return [...this.fingerprints]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([type, marks]) => {
        const sorted = marks.sort();
        const digest = createHash('sha256');
        for (const mark of sorted) digest.update(mark);
        return { type, items: sorted.length, digest: digest.digest('hex'), fingerprints: sorted };
      });
  }
}

export interface TallyDocument {
  readonly items: number;
  readonly bytes: number;
  readonly inexact: readonly string[];
  readonly unreadable: readonly string[];
  readonly related: Readonly<Record<string, readonly string[]>>;
  readonly list: Readonly<Record<string, readonly string[]>>;
  readonly fingerprints: Readonly<Record<string, readonly string[]>>;
}

const half = (of: string | Buffer): string => hash('sha256', of, 'hex').slice(0, 16);

function push(map: Map<string, string[]>, key: string, value: string): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}
