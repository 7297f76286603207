import { createHash, hash } from 'node:crypto';
import { FINGERPRINT_DIGITS, type TypeDigest } from '../../core/changes.ts';
import { GrowingBuffer } from '../../core/growing-buffer.ts';
import { noRelated, type Related } from '../../core/related.ts';

/** What an export has seen so far; of a shard, what it hands to the one that joins. About 60 bytes an object. */
export class Tally {
  items = 0;
  bytes = 0;
  readonly inexact = new Set<string>();
  readonly unreadable = new Set<string>();
  readonly related: Related = noRelated();
  /** Members of Velero's resource list, `"ns/name",` each, by `apps/v1/Deployment`. */
  private readonly listed = new Map<string, GrowingBuffer>();
  /** FINGERPRINT_BYTES an object, by `plural.group`. */
  private readonly fingerprints = new Map<string, GrowingBuffer>();

  note(groupResource: string, kind: string, namespace: string | undefined, name: string, raw: Buffer): void {
    const path = namespace ? `${namespace}/${name}` : name;
    this.items++;
    of(this.listed, kind).append(Buffer.from(`${JSON.stringify(path)},`));
    of(this.fingerprints, groupResource).append(Buffer.from(half(path) + half(raw), 'hex'));
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
      listed: texts(this.listed, 'utf8'),
      fingerprints: texts(this.fingerprints, 'base64'),
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
    for (const [kind, text] of Object.entries(other.listed)) of(this.listed, kind).append(Buffer.from(text));
    for (const [type, text] of Object.entries(other.fingerprints))
      of(this.fingerprints, type).append(Buffer.from(text, 'base64'));
  }

  /** Velero's resource list, `{"apps/v1/Deployment": ["ns/name"]}`, as JSON. */
  resourceList(): Buffer {
    const members = [...this.listed].map(([kind, names]) =>
      Buffer.concat([
        Buffer.from(`${JSON.stringify(kind)}:[`),
        names.content().subarray(0, -1),
        Buffer.from(']'),
      ]),
    );
    const separated = members.flatMap((m, i) => (i === 0 ? [m] : [Buffer.from(','), m]));
    return Buffer.concat([Buffer.from('{'), ...separated, Buffer.from('}')]);
  }

  /** Digest and sorted fingerprints of each type. */
  digests(): TypeDigest[] {
    return [...this.fingerprints]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([type, records]) => {
        const sorted = sortedRecords(records.content());
        const digest = createHash('sha256').update(sorted).digest('hex');
        return {
          type,
          items: sorted.length / FINGERPRINT_BYTES,
          digest,
          fingerprints: sorted.toString('hex'),
        };
      });
  }
}

export interface TallyDocument {
  readonly items: number;
  readonly bytes: number;
  readonly inexact: readonly string[];
  readonly unreadable: readonly string[];
  readonly related: Readonly<Record<string, readonly string[]>>;
  readonly listed: Readonly<Record<string, string>>;
  readonly fingerprints: Readonly<Record<string, string>>;
}

const FINGERPRINT_BYTES = FINGERPRINT_DIGITS / 2;

/** Sorts records by their bytes: their places first, so that a record never becomes an object of its own. */
function sortedRecords(records: Buffer): Buffer {
  const size = FINGERPRINT_BYTES;
  const places = Uint32Array.from({ length: records.length / size }, (_, i) => i * size).sort((a, b) =>
    records.compare(records, b, b + size, a, a + size),
  );
  const sorted = Buffer.allocUnsafeSlow(records.length);
  places.forEach((place, i) => {
    records.copy(sorted, i * size, place, place + size);
  });
  return sorted;
}

/** 64 bits of a digest: enough to tell a million names apart, and two states of one object. */
const half = (what: string | Buffer): string => hash('sha256', what, 'hex').slice(0, FINGERPRINT_DIGITS / 2);

function of(map: Map<string, GrowingBuffer>, key: string): GrowingBuffer {
  const found = map.get(key) ?? new GrowingBuffer(256);
  map.set(key, found);
  return found;
}

const texts = (
  map: ReadonlyMap<string, GrowingBuffer>,
  encoding: 'utf8' | 'base64',
): Record<string, string> =>
  Object.fromEntries([...map].map(([key, buffer]) => [key, buffer.content().toString(encoding)]));
