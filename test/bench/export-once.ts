import { openVault } from '../../functions/adapters/s3/vault.ts';
import { exportWhole } from '../../functions/backup/export/export.ts';
import { planExport } from '../../functions/backup/export/plan.ts';
import type { Work } from '../../functions/core/backup/record.ts';
import { vaultKeys } from '../../functions/core/vault/vault-keys.ts';
import { selectionOf } from '../support/selection.ts';
import { connect, REGION } from '../support/world.ts';
import { NAMESPACES, namespaceName } from './objects.ts';
import { BUCKET } from './world.ts';

// One export in a process of its own, so that its CPU and memory are the export's. Prints one JSON line.
const [backup = ''] = process.argv.slice(2);
const namespaces = Array.from({ length: NAMESPACES }, (_, i) => namespaceName(i));
const work: Work = {
  plan: 'bench',
  backup,
  startedAt: new Date().toISOString(),
  namespaces,
  wide: true,
  selection: selectionOf(namespaces),
  volumes: [],
  excluded: [],
  unprotected: [],
  problems: [],
};
const cluster = connect();
const vault = openVault(BUCKET, REGION);
const started = performance.now();
const plan = await planExport(cluster, work, Number.MAX_SAFE_INTEGER);
const result = await exportWhole({ cluster, vault, keys: vaultKeys('bench') }, work, plan, started);
const wall = (performance.now() - started) / 1000;
const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
console.log(
  JSON.stringify({
    items: result.items,
    bytes: result.bytes,
    archive_bytes: result.archiveBytes,
    consistency: result.consistency,
    unreadable: result.unreadable,
    wall_s: wall,
    cpu_s: (userCPUTime + systemCPUTime) / 1e6,
    rss_mib: maxRSS / 1024,
  }),
);
await cluster.close();
