import { readArchive } from '../../functions/adapters/archive/reader.ts';
import { openVault } from '../../functions/adapters/s3/vault.ts';
import { scopeOf } from '../../functions/core/restore/restore-options.ts';
import { itemKey } from '../../functions/core/restore/restore-plan.ts';
import { vaultKeys } from '../../functions/core/vault/vault-keys.ts';
import { applyItems } from '../../functions/restore/apply-resources/apply.ts';
import { planArchive } from '../../functions/restore/plan-restore/plan.ts';
import { connect, REGION } from '../support/world.ts';
import { NAMESPACES, namespaceName } from './objects.ts';
import { BUCKET } from './world.ts';

// One restore into other namespaces, in a process of its own: plan, then apply. Prints one JSON line.
const [backup = '', into = 'copy'] = process.argv.slice(2);
const namespaces = Array.from({ length: NAMESPACES }, (_, i) => namespaceName(i));
const options = {
  namespaceMapping: Object.fromEntries(namespaces.map((n) => [n, n.replace('bench', into)])),
};
const cluster = connect();
const vault = openVault(BUCKET, REGION);
const key = vaultKeys('bench').velero.archive(backup);
const started = performance.now();
const { items, archiveSha256 } = await planArchive(
  await vault.stream(key),
  undefined,
  scopeOf(options, namespaces),
  options,
);
const wanted = new Set(items.filter((i) => i.action === 'create').map(itemKey));
const bodies = new Map<string, Buffer>();
await readArchive(await vault.stream(key), archiveSha256, ({ at, raw }) => {
  if (wanted.has(itemKey(at))) bodies.set(itemKey(at), raw);
});
const applied = await applyItems(cluster, items, async () => bodies, {
  backup,
  restore: `restore-${into}`,
  options,
  before: [],
  goOn: () => true,
});
const wall = (performance.now() - started) / 1000;
const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
const created = applied.filter((a) => a.result === 'created').length;
console.log(
  JSON.stringify({
    items: created,
    failed: applied.filter((a) => a.result === 'failed').length,
    items_per_s: created / wall,
    wall_s: wall,
    cpu_s: (userCPUTime + systemCPUTime) / 1e6,
    rss_mib: maxRSS / 1024,
  }),
);
await cluster.close();
