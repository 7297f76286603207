import { createHash, hash } from 'node:crypto';
import { FINGERPRINT_DIGITS, type TypeDigest } from '../../core/backup/changes.ts';
import { noRelated, type Related } from '../../core/backup/related.ts';
import { DigestSet } from '../../core/bytes/digest-set.ts';
import { GrowingBuffer } from '../../core/bytes/growing-buffer.ts';
import type { PageItem } from '../../core/bytes/json-slices.ts';
import { NameList, resourceList } from './name-lists.ts';

/** What makes an object unfit for an archive. */
export type Flaw =
  | 'another object of the list has the same name'
  | 'it has no name'
  | 'it has no namespace'
  | 'it has a namespace, but its type is of the cluster'
  | 'its name cannot be the name of an object'
  | 'it is larger than any API server accepts'
  | 'it is not JSON';

/** Objects of a type that were left out for one flaw. `first`: the name of one of them. */
export interface LeftOutObjects {
  readonly type: string;
  readonly flaw: Flaw;
  readonly items: number;
  readonly first: string;
}

/** Counts, names and fingerprints of the objects exported so far. Uses about 70 bytes of memory per object. */
export class Tally {
  items = 0;
  bytes = 0;
  /** Objects that a label selector matched. */
  selected = 0;
  /** Namespaces whose Namespace was exported, and those of them that are being deleted. */
  readonly namespaces = new Set<string>();
  readonly terminating = new Set<string>();
  readonly inexact = new Set<string>();
  readonly unreadable = new Set<string>();
  readonly related: Related = noRelated();
  /** `ns/name` of each object, by `apps/v1/Deployment`. */
  private readonly listed = new Map<string, NameList>();
  /** FINGERPRINT_BYTES per object, by `plural.group`. */
  private readonly fingerprints = new Map<string, GrowingBuffer>();
  /** Names that were claimed, by `plural.group`. Not part of the document: no two shards read the same objects. */
  private readonly claimed = new Map<string, DigestSet>();
  private readonly flawed = new Map<string, LeftOutObjects>();

  /** Reserves a name of a type for one object; false if the archive has one of this name. */
  claim(groupResource: string, name: ObjectName): boolean {
    return of(this.claimed, groupResource, newSet).add(digestOf(name));
  }

  /** Counts an object that is left out. */
  leaveOut(type: string, flaw: Flaw, name: ObjectName): void {
    const key = `${type} ${flaw}`;
    const { items, first } = this.flawed.get(key) ?? { items: 0, first: pathOf(name).slice(0, 100) };
    this.flawed.set(key, { type, flaw, items: items + 1, first });
  }

  leftOut(): LeftOutObjects[] {
    return [...this.flawed.values()];
  }

  /** Counts an object. `type.kind` is `apps/v1/Deployment`, `type.groupResource` is `deployments.apps`. */
  note(
    { groupResource, kind }: { readonly groupResource: string; readonly kind: string },
    { namespace, name, raw }: Pick<PageItem, 'namespace' | 'name' | 'raw'>,
  ): void {
    const path = pathOf({ namespace, name });
    this.items++;
    of(this.listed, kind, newList).add(path);
    of(this.fingerprints, groupResource, newBuffer).append(Buffer.from(half(path) + half(raw), 'hex'));
  }

  /** The tally as JSON. */
  toDocument(): TallyDocument {
    const { items, bytes, selected, related } = this;
    return {
      items,
      bytes,
      selected,
      namespaces: [...this.namespaces],
      terminating: [...this.terminating],
      leftOut: this.leftOut(),
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
    this.selected += other.selected;
    for (const name of other.namespaces) this.namespaces.add(name);
    for (const name of other.terminating) this.terminating.add(name);
    for (const left of other.leftOut) {
      const key = `${left.type} ${left.flaw}`;
      this.flawed.set(key, { ...left, items: left.items + (this.flawed.get(key)?.items ?? 0) });
    }
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
  readonly selected: number;
  readonly namespaces: readonly string[];
  readonly terminating: readonly string[];
  readonly leftOut: readonly LeftOutObjects[];
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

/** Name of an object within its type. */
export type ObjectName = Pick<PageItem, 'namespace' | 'name'>;

const pathOf = ({ namespace, name }: ObjectName): string => (namespace ? `${namespace}/${name}` : name);

/** Digest of an object's name within its type. */
export const digestOf = (name: ObjectName): Buffer => hash('sha256', pathOf(name), 'buffer');

const newSet = (): DigestSet => new DigestSet();
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
