import type { RestoreOptions } from '../../contract/restore-options.ts';
import type { ArchivedName } from '../../core/backup/archive.ts';
import { itemKey, type PlanItem } from '../../core/restore/restore-plan.ts';
import { targetOf } from '../../core/restore/transform.ts';
import { type AppliedItem, keyOfApplied } from '../documents.ts';
import { type Passing, waitsForPods } from './failures.ts';
import type { Ending } from './wanted.ts';

/** Paths of one object that a result names. */
const MOST_PATHS = 20;

/** Claims are filled between the stages, and nothing else can be created before these. They are not left to the second stage. */
const NEEDED_FIRST = /^(namespaces|persistentvolumeclaims|persistentvolumes)$|^customresourcedefinitions\./;

const DEFINITIONS = 'customresourcedefinitions.apiextensions.k8s.io';

/** The results of a stage, and what follows from them for items that are still open. */
export class Results {
  private readonly options: RestoreOptions;
  private readonly byKey: Map<string, AppliedItem>;
  private readonly passing = new Map<string, Exclude<Passing, undefined>>();
  /** Results of the restore's Namespaces and definitions, by name. */
  private readonly namespaces = new Map<string, AppliedItem>();
  private readonly definitions = new Map<string, AppliedItem>();
  private readonly unanswered = new Map<string, string>();

  /** `before`: results of earlier calls of the stage. `earlier`: results of the stage before. */
  constructor(options: RestoreOptions, before: readonly AppliedItem[], earlier: readonly AppliedItem[]) {
    this.options = options;
    this.byKey = new Map(before.map((applied) => [keyOfApplied(applied), applied]));
    for (const applied of [...earlier, ...before]) this.keep(applied);
  }

  has(item: PlanItem): boolean {
    return this.byKey.has(itemKey(item));
  }

  /** Whether this restore wrote an item. */
  isWritten(item: PlanItem): boolean {
    const result = this.byKey.get(itemKey(item))?.result;
    return result === 'created' || result === 'updated';
  }

  /** Notes the result of an item. */
  note(item: PlanItem, ending: Ending): void {
    const to = targetOf(item, this.options);
    const { groupResource, namespace, name } = to;
    const version = ending.version ?? to.version;
    const isElsewhere = name !== item.name || namespace !== item.namespace || version !== item.version;
    const applied: AppliedItem = {
      groupResource,
      version,
      ...(namespace !== undefined && { namespace }),
      name,
      ...(isElsewhere && { from: itemKey(item) }),
      result: ending.result,
      ...(ending.reason && { reason: ending.reason }),
      ...(ending.uid && { uid: ending.uid }),
      ...(ending.differs?.length && { differs: ending.differs.slice(0, MOST_PATHS) }),
    };
    if (ending.passing) this.passing.set(itemKey(item), ending.passing);
    else this.passing.delete(itemKey(item));
    this.byKey.set(itemKey(item), applied);
    this.keep(applied);
  }

  private keep(applied: AppliedItem): void {
    if (applied.groupResource === 'namespaces') this.namespaces.set(applied.name, applied);
    if (applied.groupResource === DEFINITIONS) this.definitions.set(applied.name, applied);
  }

  /** Whether this restore created a namespace: nothing was in it before. */
  isNew(namespace: string | undefined): boolean {
    return namespace !== undefined && this.namespaces.get(namespace)?.result === 'created';
  }

  /** The result of an item that cannot be created, because its namespace or definition is not there. No call is made for it. */
  blocked(item: PlanItem, isServed: boolean): Ending | undefined {
    const { namespace } = targetOf(item, this.options);
    const home = namespace === undefined ? undefined : this.namespaces.get(namespace);
    if (home?.result === 'failed') return this.after(home, `namespace ${namespace}: ${home.reason}`);
    const silent = this.unanswered.get(item.groupResource);
    if (silent !== undefined) return { result: 'failed', reason: silent, passing: 'later' };
    const definition = this.definitions.get(item.groupResource);
    if (isServed || (definition?.result !== 'failed' && definition?.result !== 'held')) return undefined;
    return this.after(definition, `its definition ${definition.result}: ${definition.reason}`);
  }

  private after(cause: AppliedItem, reason: string): Ending {
    const passing = this.passing.get(keyOfApplied(cause));
    return { result: 'failed', reason, ...(passing && { passing }) };
  }

  /** Types whose API did not answer are tried again. */
  beginPass(): void {
    this.unanswered.clear();
  }

  /** Notes that the API of a type does not answer, while the API server does. Its other objects are not tried in this pass. */
  isUnanswered({ groupResource }: ArchivedName, reason: string): void {
    this.unanswered.set(groupResource, reason);
  }

  /** Items to try again: those that may pass `soon` too, or only those that may pass `later`. */
  open(items: readonly PlanItem[], which: 'all' | 'later'): PlanItem[] {
    return items.filter((item) => {
      const passing = this.passing.get(itemKey(item));
      return passing !== undefined && (which === 'all' || passing === 'later');
    });
  }

  /** Leaves items that wait for pods to the second stage, which starts pods. */
  defer(items: readonly PlanItem[]): void {
    for (const item of this.open(items, 'later')) {
      const key = itemKey(item);
      const applied = this.byKey.get(key);
      if (!applied || NEEDED_FIRST.test(item.groupResource) || !waitsForPods(applied.reason ?? '')) continue;
      this.byKey.set(key, { ...applied, again: true });
      this.passing.delete(key);
    }
  }

  /** Forgets results that may still change: the next call tries these items again. */
  reopen(): void {
    for (const key of this.passing.keys()) this.byKey.delete(key);
  }

  /** The results in the order of the items. */
  of(items: readonly PlanItem[]): AppliedItem[] {
    return items.flatMap((item) => this.byKey.get(itemKey(item)) ?? []);
  }
}
