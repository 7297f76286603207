import type { ResourceType } from '../kubernetes/resources.ts';

/** A list to read: all objects of a type, or those in one namespace. `items`: approximate number. */
export interface ExportUnit {
  readonly type: ResourceType;
  readonly namespace?: string | undefined;
  readonly items: number;
}

/**
 * Splits lists into shards of about `shardItems` objects, largest list first, into the emptiest shard. There is always
 * at least one shard. A list that is larger than a shard gets a shard of its own.
 */
export function shardsOf(units: readonly ExportUnit[], shardItems: number): ExportUnit[][] {
  const total = units.reduce((sum, u) => sum + u.items, 0);
  const count = Math.max(1, Math.ceil(total / shardItems));
  const shards = Array.from({ length: count }, () => ({ items: 0, units: [] as ExportUnit[] }));
  for (const unit of [...units].sort((a, b) => b.items - a.items)) {
    const emptiest = shards.reduce((a, b) => (b.items < a.items ? b : a));
    emptiest.units.push(unit);
    emptiest.items += unit.items;
  }
  return shards.map((s) => s.units).filter((s, i) => s.length > 0 || i === 0);
}
