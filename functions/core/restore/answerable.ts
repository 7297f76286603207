import type { KubeObject } from '../kubernetes/resources.ts';
import { type Writer, writersOf } from './ownership.ts';

/** A difference that came after the restore had written the object. */
export interface LaterChange {
  /** As `differences` writes it. */
  readonly path: string;
  /** Who wrote the field last, if the object says. */
  readonly manager?: string;
}

/** Differences of an object that the restore is answerable for, and those that came later. */
export interface Judgement {
  readonly counts: readonly string[];
  readonly later: readonly LaterChange[];
}

/** What the judgement of an object is based on. */
export interface Evidence {
  /** Paths at which the object was not as wanted when it was written. Absent: nobody noted that. */
  readonly differed?: readonly string[];
  /** RFC 3339; fields that others wrote after it are theirs. */
  readonly startedAt?: string;
}

/** The manager of Holdfast's own requests. */
const OURS = 'holdfast';

/**
 * Divides the differences of a live object into those that count and those that others made. A difference counts if the API server
 * did not take the field as wanted, and nobody else has written it since. What was as wanted when it was written has been changed by
 * somebody who may: a controller, an autoscaler, a person.
 */
export function judge(live: KubeObject, paths: readonly string[], evidence: Evidence): Judgement {
  const { differed, startedAt } = evidence;
  const since = laterOf(startedAt, live.metadata.creationTimestamp);
  const counts: string[] = [];
  const later: LaterChange[] = [];
  for (const path of paths) {
    const others = since === undefined ? [] : writersOf(live, path).filter((w) => isSince(w, since));
    const wasSo = differed === undefined || differed.some((before) => overlaps(before, path));
    if (wasSo && others.length === 0) counts.push(path);
    else later.push({ path, ...managerOf(others.length > 0 ? others : writersOf(live, path)) });
  }
  return { counts, later };
}

/**
 * An entry of the moment of the creation is that of the creation itself, in whose name ever it was done. Times are whole
 * seconds in UTC, which sort as texts.
 */
const isSince = ({ manager, time }: Writer, since: string): boolean =>
  manager !== OURS && time !== undefined && time > since;

function laterOf(startedAt: string | undefined, created: unknown): string | undefined {
  if (startedAt === undefined) return undefined;
  const started = `${startedAt.slice(0, 19)}Z`;
  return typeof created === 'string' && created > started ? created : started;
}

function managerOf(writers: readonly Writer[]): Pick<LaterChange, 'manager'> {
  const newest = [...writers].sort((a, b) => ((a.time ?? '') < (b.time ?? '') ? 1 : -1))[0];
  return newest ? { manager: newest.manager } : {};
}

/** Whether two paths are the same, or one is inside the other. */
function overlaps(a: string, b: string): boolean {
  const [outer, inner] = a.length <= b.length ? [a, b] : [b, a];
  return inner === outer || (inner.startsWith(outer) && /^[.[]/.test(inner.slice(outer.length)));
}
