import { HoldfastError } from '../../contract/holdfast-error.ts';
import type { Version } from '../../core/vault/inventory.ts';
import { contentHash, type InventoryObject, type Pair } from '../../core/vault/replication.ts';
import type { Vault } from '../../ports/vault.ts';

/** Object metadata of a copy: the ETag of its source. */
const SOURCE_ETAG = 'holdfast-source-etag';

/** Proves or makes copies of single objects. A copy counts if its bytes are right, regardless of who wrote it. */
export class Replicator {
  copied = 0;
  /** Copies that had to be read. */
  read = 0;
  /** Objects that S3's own replication is still to copy. */
  awaited = 0;
  private readonly primary: Vault;
  private readonly replica: Vault;
  private readonly promised: ReadonlyMap<string, string>;
  private readonly awaits: boolean;

  /** `promised`: sha256 of objects that a signed record names. `awaits`: whether to wait for S3's own replication. */
  constructor(primary: Vault, replica: Vault, promised: ReadonlyMap<string, string>, awaits: boolean) {
    this.primary = primary;
    this.replica = replica;
    this.promised = promised;
    this.awaits = awaits;
  }

  /** Proves the existing copy, or replaces it with a right one; undefined: S3 is still to copy it. */
  async bring({ object, copy }: Pair): Promise<Version | undefined> {
    if (this.awaits && copy === undefined && (await this.primary.about(object.key)).underWay) {
      this.awaited++;
      return undefined;
    }
    if (copy?.bytes === object.bytes && (await this.isRight(object))) return copy;
    const etag = await this.copy(object);
    this.copied++;
    return { key: object.key, bytes: object.bytes, etag };
  }

  private promiseOf = (key: string): string | undefined => contentHash(key) ?? this.promised.get(key);

  /**
   * Copies made by Holdfast were checked on upload and name the ETag of their source. A copy made by S3's replication has
   * the metadata of its source: it is proven by the sha256 that S3 stores, or by reading it.
   */
  private async isRight({ key, etag }: InventoryObject): Promise<boolean> {
    const { metadata, sha256, byReplication } = await this.replica.about(key);
    if (!byReplication && metadata[SOURCE_ETAG] === etag) return true;
    const promised = this.promiseOf(key) ?? (await this.primary.digest(key))?.sha256;
    if (sha256 === undefined) this.read++;
    const found = sha256 ?? (await this.replica.digest(key))?.sha256;
    return found !== undefined && found === promised;
  }

  private async copy({ key, bytes, etag }: InventoryObject): Promise<string> {
    const promised = this.promiseOf(key);
    return this.replica.upload(key, await this.primary.stream(key), {
      bytes,
      metadata: { [SOURCE_ETAG]: etag },
      check: (sha256) => {
        if (promised === undefined || promised === sha256) return;
        throw new HoldfastError(
          'RecoveryPointDamaged',
          `${key} in ${this.primary.bucket} has sha256 ${sha256}, expected ${promised}`,
          { hint: 'Run the plan again. The replica keeps its older recovery points' },
        );
      },
    });
  }
}
