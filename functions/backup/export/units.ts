import pMap from 'p-map';
import { groupResource } from '../../core/kubernetes/resources.ts';
import { type ExportContext, exportList, type Take, type Unit } from './list.ts';

/** Lists that are read in parallel: enough to keep one connection busy while another page is compressed. */
const CONCURRENCY = 4;

/** Exports lists into the archive. A type that cannot be read is added to the tally and does not stop the export. */
export async function exportUnits(context: ExportContext, units: readonly Unit[]): Promise<void> {
  const inBackup: Take = ({ namespace }) => namespace === undefined || context.namespaces.has(namespace);
  const own: Take = ({ name }) => context.namespaces.has(name);
  await pMap(
    units,
    async (unit) => {
      // Namespaces are exported regardless of their own labels.
      if (groupResource(unit.type) === 'namespaces') return exportList(context, unit, own);
      if (context.selectors.length === 0) return exportList(context, unit, inBackup);
      for (const labelSelector of context.selectors)
        await exportList(context, { ...unit, labelSelector }, inBackup);
    },
    { concurrency: CONCURRENCY },
  );
}
