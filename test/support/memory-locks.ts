import type { Retention } from '../../functions/core/object-lock.ts';
import type {
  LockedBucket,
  StoredVersion,
  VersionMarker,
  VersionPage,
} from '../../functions/ports/locked-bucket.ts';
import { Killed } from './memory-vault.ts';

interface Stored extends StoredVersion {
  retention: Retention | undefined;
}

/** The versions and locks of a bucket in memory. It refuses to shorten a lock, as S3 does. */
export class MemoryLocks implements LockedBucket {
  readonly bucket = 'memory';
  readonly stored: Stored[] = [];
  readonly pageSize: number;
  /** Calls that may still succeed; the next one ends the caller. */
  callsLeft = Number.POSITIVE_INFINITY;
  calls = 0;

  constructor(pageSize = 1000) {
    this.pageSize = pageSize;
  }

  /** Adds a version; the one that is added last is the newest. */
  add(key: string, until?: Date, { mode = 'GOVERNANCE' as Retention['mode'], deleted = false } = {}): void {
    const version = String(this.stored.length).padStart(6, '0');
    this.stored.push({ key, version, deleted, retention: until && { mode, until } });
    this.stored.sort((a, b) => (a.key === b.key ? (a.version < b.version ? 1 : -1) : a.key < b.key ? -1 : 1));
  }
  until(key: string): (Date | undefined)[] {
    return this.stored.filter((v) => v.key === key).map((v) => v.retention?.until);
  }

  private call(): void {
    this.calls++;
    if (this.callsLeft-- <= 0) throw new Killed('at a call');
  }
  private of({ key, version }: StoredVersion): Stored {
    return this.stored.find((v) => v.key === key && v.version === version) as Stored;
  }

  async versions(prefix: string, after: VersionMarker | undefined): Promise<VersionPage> {
    this.call();
    const isLater = ({ key, version }: Stored) =>
      !after ||
      key > after.key ||
      (key === after.key && after.version !== undefined && version < after.version);
    const found = this.stored.filter((v) => v.key.startsWith(prefix) && isLater(v));
    const versions = found.slice(0, this.pageSize);
    const last = versions.at(-1);
    return {
      versions,
      next: last && found.length > versions.length ? { key: last.key, version: last.version } : undefined,
    };
  }
  async retention(version: StoredVersion): Promise<Retention | undefined> {
    this.call();
    return this.of(version).retention;
  }
  async extend(version: StoredVersion, to: Retention): Promise<void> {
    this.call();
    const stored = this.of(version);
    const held = stored.retention;
    if (held && (to.until < held.until || to.mode !== held.mode)) throw new Error('AccessDenied');
    stored.retention = to;
  }
}
