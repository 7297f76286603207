import { parseArchived } from '../../adapters/archive/reader.ts';
import { HoldfastError, messageOf } from '../../contract/holdfast-error.ts';
import type { ArchivedName } from '../../core/backup/archive.ts';
import { parseLossless } from '../../core/bytes/lossless-json.ts';
import type { KubeObject } from '../../core/kubernetes/resources.ts';
import { touchesMappedNamespace } from '../../core/restore/namespace-mapping.ts';
import { itemKey, type PlanItem } from '../../core/restore/restore-plan.ts';
import { type Origin, targetOf, transform } from '../../core/restore/transform.ts';
import { answers } from '../api-server.ts';
import { runAdaptive } from './adaptive.ts';
import { waitEstablished } from './established.ts';
import { FEW, lookUp } from './look.ts';
import { LiveOwners } from './owners.ts';
import { findObject, putObject } from './put-object.ts';
import type { Results } from './results.ts';
import { type TargetType, TargetTypes } from './versions.ts';
import type { Ending, Looked, PutContext, Wanted } from './wanted.ts';

/** What items are written with. */
interface WriterContext extends PutContext, Origin {
  readonly results: Results;
  readonly goOn: () => boolean;
  readonly sleep: (ms: number) => Promise<void>;
}

/** An item of one type, and how it is looked up. */
interface TypeContext {
  readonly type: TargetType;
  readonly bodies: ReadonlyMap<string, Buffer>;
}

/** Writes the items of a window into the cluster. It looks before it writes: what is there and equal is not sent. */
export class ItemWriter {
  private readonly context: WriterContext;
  private readonly types: TargetTypes;
  private readonly owners: LiveOwners;

  constructor(context: WriterContext) {
    this.context = context;
    this.types = new TargetTypes(context.cluster);
    this.owners = new LiveOwners(context.cluster, context.options);
  }

  /** Types that were not served, or did not answer, are looked up again. */
  beginPass(): void {
    this.types.forgetUnknown();
    this.context.results.beginPass();
  }

  /** Writes items type by type, in their order, and notes the results. */
  async write(items: readonly PlanItem[], bodies: ReadonlyMap<string, Buffer>): Promise<void> {
    const { cluster, goOn, results, sleep } = this.context;
    for (const name of new Set(items.map((i) => i.groupResource))) {
      if (!goOn()) return;
      const ofType = items.filter((i) => i.groupResource === name);
      await this.writeType(ofType, bodies);
      if (!name.startsWith('customresourcedefinitions.') || !goOn()) continue;
      const made = ofType.filter((i) => results.isWritten(i));
      const left = await waitEstablished(
        cluster,
        made.map((i) => i.name),
        sleep,
      );
      for (const item of made) {
        const why = left.get(item.name);
        if (why !== undefined)
          results.note(item, { result: 'failed', reason: `created, but not established: ${why}` });
      }
    }
  }

  private async writeType(items: readonly PlanItem[], bodies: ReadonlyMap<string, Buffer>): Promise<void> {
    const { cluster, goOn, options, results } = this.context;
    const type = await this.types.of(items[0] as PlanItem);
    const context = { type, bodies };
    const open = items.filter((item) => {
      const blocked = type.creatable
        ? results.blocked(item, type.versions !== undefined)
        : { result: 'skipped' as const, reason: 'the API server does not create objects of this type' };
      if (blocked) results.note(item, blocked);
      return !blocked;
    });
    const places = open.map((item) => ({ item, at: sentAt(targetOf(item, options), type) }));
    const byNamespace = Map.groupBy(places, ({ at }) => at.namespace);
    const isListed = ({ namespace }: ArchivedName) =>
      (byNamespace.get(namespace)?.length ?? 0) > FEW && !results.isNew(namespace);
    const listed = places.filter(({ at }) => isListed(at));
    const { absent, unknown } = await lookUp(cluster, listed, (found) =>
      runAdaptive(found, ({ item, live }) => this.writeItem(item, context, live), goOn),
    );
    const rest: readonly [PlanItem, Looked][] = [
      ...places
        .filter(({ at }) => !isListed(at))
        .map(({ item, at }): [PlanItem, Looked] => [item, results.isNew(at.namespace) ? 'unknown' : 'look']),
      ...absent.map((item): [PlanItem, Looked] => [item, 'absent']),
      ...unknown.map((item): [PlanItem, Looked] => [item, 'unknown']),
    ];
    await runAdaptive(rest, ([item, looked]) => this.writeItem(item, context, looked), goOn);
  }

  private async writeItem(
    item: PlanItem,
    { type, bodies }: TypeContext,
    looked: Looked,
  ): Promise<'done' | 'busy'> {
    const { results } = this.context;
    const blocked = results.blocked(item, type.versions !== undefined);
    const ending = blocked ?? (await this.bring(item, { type, bodies }, looked));
    results.note(item, ending);
    return ending.busy ? 'busy' : 'done';
  }

  private async bring(item: PlanItem, { type, bodies }: TypeContext, looked: Looked): Promise<Ending> {
    const { cluster, results } = this.context;
    try {
      const raw = bodies.get(itemKey(item)) ?? bareNamespace(item);
      if (!raw) return { result: 'failed', reason: 'not in the archive' };
      const wanted = await this.wantedOf(item, raw, type);
      const seen = looked === 'look' ? await findObject(cluster, wanted.at) : looked;
      return await putObject(this.context, wanted, seen);
    } catch (error) {
      if (error instanceof HoldfastError && error.retryable) {
        if (!(await answers(cluster))) throw error;
        // The API server answers, but not for this type.
        results.isUnanswered(item, messageOf(error));
        return { result: 'failed', reason: messageOf(error), passing: 'later' };
      }
      return { result: 'failed', reason: messageOf(error) };
    }
  }

  private async wantedOf(item: PlanItem, raw: Buffer, type: TargetType): Promise<Wanted> {
    const { options } = this.context;
    const archived = parseArchived<KubeObject>({ at: item, raw }, parseLossless);
    const { apiVersion = '', metadata, status } = archived;
    const { name, managedFields } = metadata;
    const movesReferences = touchesMappedNamespace(item, archived, options.namespaceMapping ?? {});
    const object = transform(item, archived, options, this.context);
    const references = await this.owners.of(item);
    if (references.length > 0) object.metadata.ownerReferences = references;
    return {
      at: sentAt(targetOf(item, options), type),
      type,
      object,
      status,
      archived: { apiVersion, metadata: { name, managedFields } },
      movesReferences,
      held: item.action === 'hold' ? (item.reason ?? 'held for approval') : undefined,
      isBare: isBare(item),
    };
  }
}

/** Where an object is sent: in its version if that is served, else in the preferred one. */
function sentAt(at: ArchivedName, { versions }: TargetType): ArchivedName {
  const [preferred = at.version] = versions ?? [];
  return versions === undefined || versions.includes(at.version) ? at : { ...at, version: preferred };
}

/** The Namespace of objects whose archive does not hold it. */
function bareNamespace(item: PlanItem): Buffer | undefined {
  if (!isBare(item)) return undefined;
  return Buffer.from(JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: item.name } }));
}

const isBare = ({ groupResource, bytes }: PlanItem): boolean => groupResource === 'namespaces' && bytes === 0;
