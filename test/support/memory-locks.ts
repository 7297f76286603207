import { HoldfastError } from '../../functions/contract/holdfast-error.ts';
import type { ObjectRetention } from '../../functions/core/retention/object-lock.ts';
import { compareKeys } from '../../functions/core/vault/key-order.ts';
import type {
  LockedBucket,
  StoredVersion,
  VersionMarker,
  VersionPage,
} from '../../functions/ports/locked-bucket.ts';
import { Killed } from './memory-vault.ts';

interface Stored {
  readonly key: string;
  readonly version: string;
  deleted: boolean;
  retention: ObjectRetention | undefined;
}

/** By key, and the newest of a key first. */
const inOrder = (a: Stored, b: Stored): number =>
  compareKeys(a.key, b.key) || (a.version < b.version ? 1 : -1);

/** The versions and locks of a bucket in memory. It refuses to shorten a lock, as S3 does. */
export class MemoryLocks implements LockedBucket {
  readonly bucket = 'memory';
  readonly stored: Stored[];
  readonly pageSize: number;
  /** Whether the bucket has Object Lock. */
  hasLocks = true;
  /** Calls that may still succeed; the next one ends the caller. */
  callsLeft = Number.POSITIVE_INFINITY;
  calls = 0;

  /** `stored`: the versions of another one, to list them in other pages. */
  constructor(pageSize = 1000, stored: Stored[] = []) {
    this.pageSize = pageSize;
    this.stored = stored;
  }

  /** Adds a version, the newest of its key; with `deleted`, one below a delete marker. */
  add(
    key: string,
    until?: Date,
    { mode = 'GOVERNANCE' as ObjectRetention['mode'], deleted = false } = {},
  ): void {
    const version = String(this.stored.length).padStart(6, '0');
    this.mark(key, deleted);
    this.stored.push({ key, version, deleted, retention: until && { mode, until } });
    this.stored.sort(inOrder);
  }
  /** Puts a delete marker on a key, or takes what is newer for the newest. */
  mark(key: string, deleted: boolean): void {
    for (const version of this.stored) if (version.key === key) version.deleted = deleted;
  }
  until(key: string): (Date | undefined)[] {
    return this.stored.filter((v) => v.key === key).map((v) => v.retention?.until);
  }

  private call(): void {
    this.calls++;
    if (this.callsLeft-- <= 0) throw new Killed('at a call');
  }
  private of({ key, version }: StoredVersion): Stored {
    const stored = this.stored.find((v) => v.key === key && v.version === version);
    if (!stored) throw new HoldfastError('VaultUnavailable', `${key} has no version ${version}`);
    return stored;
  }

  async versions(prefix: string, after: VersionMarker | undefined): Promise<VersionPage> {
    this.call();
    const isLater = ({ key, version }: Stored) =>
      !after ||
      key > after.key ||
      (key === after.key && after.version !== undefined && version < after.version);
    const found = this.stored.filter((v) => v.key.startsWith(prefix) && isLater(v));
    const page = found.slice(0, this.pageSize);
    const versions = page.map(({ key, version, deleted }) => ({ key, version, deleted }));
    const last = versions.at(-1);
    return {
      versions,
      next: last && found.length > versions.length ? { key: last.key, version: last.version } : undefined,
    };
  }
  async retention(version: StoredVersion): Promise<ObjectRetention | undefined> {
    this.call();
    return this.of(version).retention;
  }
  async extend(version: StoredVersion, to: ObjectRetention): Promise<void> {
    this.call();
    if (!this.hasLocks) throw new HoldfastError('VaultNotLocked', `bucket ${this.bucket} has no Object Lock`);
    const stored = this.of(version);
    const held = stored.retention;
    if (held && (to.until < held.until || to.mode !== held.mode))
      throw new HoldfastError('VaultUnavailable', `${version.key}: its lock is longer, or of another mode`);
    stored.retention = to;
  }
}
