import { createHash, hash } from 'node:crypto';
import { FINGERPRINT_DIGITS, type TypeDigest } from '../../core/backup/changes.ts';
import { noRelated, type Related } from '../../core/backup/related.ts';
import { GrowingBuffer } from '../../core/bytes/growing-buffer.ts';
import type { PageItem } from '../../core/bytes/json-slices.ts';
import { NameList, resourceList } from './name-lists.ts';

/** Counts, names and fingerprints of the objects exported so far. Uses about 20 bytes of memory per object. */
export class Tally {
  items = 0;
  bytes = 0;
  readonly inexact = new Set<string>();
  readonly unreadable = new Set<string>();
  readonly related: Related = noRelated();
  /** `ns/name` of each object, by `apps/v1/Deployment`. */
  private readonly listed = new Map<string, NameList>();
  /** FINGERPRINT_BYTES per object, by `plural.group`. */
  private readonly fingerprints = new Map<string, GrowingBuffer>();

  /** Counts an object. `type.kind` is `apps/v1/Deployment`, `type.groupResource` is `deployments.apps`. */
  note(
    { groupResource, kind }: { readonly groupResource: string; readonly kind: string },
    { namespace, name, raw }: Pick<PageItem, 'namespace' | 'name' | 'raw'>,
  ): void {
    const path = namespace ? `${namespace}/${name}` : name;
    this.items++;
    of(this.listed, kind, newList).add(path);
    of(this.fingerprints, groupResource, newBuffer).append(Buffer.from(half(path) + half(raw), 'hex'));
  }

  /** The tally as JSON. */
  toDocument(): TallyDocument {
    const { items, bytes, related } = this;
    return {
      items,
      bytes,
      inexact: [...this.inexact],
      unreadable: [...this.unreadable],
      related: Object.fromEntries(Object.entries(related).map(([k, set]) => [k, [...(set as Set<string>)]])),
      listed: mapped(this.listed, (names) => names.members().map(base64)),
      fingerprints: mapped(this.fingerprints, (records) => base64(records.content())),
    };
  }

  /** Adds the tally of a shard. */
  add(other: TallyDocument): void {
    this.items += other.items;
    this.bytes += other.bytes;
    for (const type of other.inexact) this.inexact.add(type);
    for (const type of other.unreadable) this.unreadable.add(type);
    for (const [key, names] of Object.entries(other.related))
      for (const name of names) this.related[key as keyof Related].add(name);
    for (const [kind, members] of Object.entries(other.listed))
      of(this.listed, kind, newList).join(members.map(fromBase64));
    for (const [type, records] of Object.entries(other.fingerprints))
      of(this.fingerprints, type, newBuffer).append(fromBase64(records));
  }

  /** Velero's resource list, as gzipped JSON. */
  resourceList(): Buffer {
    return resourceList(this.listed);
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

/** A tally as JSON. */
export interface TallyDocument {
  readonly items: number;
  readonly bytes: number;
  readonly inexact: readonly string[];
  readonly unreadable: readonly string[];
  readonly related: Readonly<Record<string, readonly string[]>>;
  /** Gzip members in base64. */
  readonly listed: Readonly<Record<string, readonly string[]>>;
  /** Base64. */
  readonly fingerprints: Readonly<Record<string, string>>;
}

const FINGERPRINT_BYTES = FINGERPRINT_DIGITS / 2;

/** Sorts records by their bytes. It sorts offsets, so that no object is allocated per record. */
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

/** 64 bits of a digest: enough to distinguish a million names, or two states of one object. */
const half = (what: string | Buffer): string => hash('sha256', what, 'hex').slice(0, FINGERPRINT_DIGITS / 2);

const newList = (): NameList => new NameList();
const newBuffer = (): GrowingBuffer => new GrowingBuffer(256);

function of<T>(map: Map<string, T>, key: string, make: () => T): T {
  const found = map.get(key) ?? make();
  map.set(key, found);
  return found;
}

const mapped = <A, B>(map: ReadonlyMap<string, A>, change: (value: A) => B): Record<string, B> =>
  Object.fromEntries([...map].map(([key, value]) => [key, change(value)]));

const base64 = (bytes: Buffer): string => bytes.toString('base64');
const fromBase64 = (text: string): Buffer => Buffer.from(text, 'base64');
