import { createHash } from 'node:crypto';
import { HoldfastError } from '../core/errors.ts';
import type { Version } from '../core/inventory.ts';
import { contentHash, type InventoryObject, type Pair } from '../core/replication.ts';
import type { Vault } from '../ports/vault.ts';

/** Object metadata of a copy: the ETag of what it is a copy of. */
const SOURCE_ETAG = 'holdfast-source-etag';

/** Makes sure of single copies. Whoever wrote what is there: it counts when its bytes are what they should be. */
export class Copies {
  copied = 0;
  /** Copies that had to be read. */
  read = 0;
  /** Objects that are left to S3, which is still to bring them. */
  awaited = 0;
  private readonly primary: Vault;
  private readonly replica: Vault;
  private readonly promised: ReadonlyMap<string, string>;
  private readonly awaits: boolean;

  /** `promised`: sha256 of objects that a signed record names. `awaits`: whether to leave to S3 what it is at. */
  constructor(primary: Vault, replica: Vault, promised: ReadonlyMap<string, string>, awaits: boolean) {
    this.primary = primary;
    this.replica = replica;
    this.promised = promised;
    this.awaits = awaits;
  }

  /** Proves the copy that is there, or puts a right one in its place; undefined: S3 is to bring it. */
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
   * Our own copies came into being with the right digest and say what they were made of. Of what S3's replication
   * brought, the metadata are its origin's: S3's sha256 of it counts, or else what is read.
   */
  private async isRight({ key, etag }: InventoryObject): Promise<boolean> {
    const { metadata, sha256, byReplication } = await this.replica.about(key);
    if (!byReplication && metadata[SOURCE_ETAG] === etag) return true;
    const promised = this.promiseOf(key) ?? (await digestOf(this.primary, key));
    if (sha256 === undefined) this.read++;
    return (sha256 ?? (await digestOf(this.replica, key))) === promised;
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
          `${key} in ${this.primary.bucket} has sha256 ${sha256}, promised was ${promised}`,
          { hint: 'The replica keeps its older copies; run the plan again' },
        );
      },
    });
  }
}

async function digestOf(vault: Vault, key: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of await vault.stream(key)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
