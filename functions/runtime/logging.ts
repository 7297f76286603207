import { Logger } from '@aws-lambda-powertools/logger';
import * as z from 'zod/mini';

/** Put in when a function is bundled: see infra/bundle.ts. Sources that run as they are have none. */
declare const HOLDFAST_VERSION: string | undefined;

/** The log of a function: one JSON object a line, each with what docs/architecture.md lists. */
export const logger = new Logger({
  serviceName: 'holdfast',
  persistentKeys: { version: typeof HOLDFAST_VERSION === 'undefined' ? 'source' : HOLDFAST_VERSION },
});

/** What a state machine tells a function beside its input, as Lambda's client context. */
const ClientContext = z.object({ execution: z.string() });

/** Begins the lines of one invocation. A function stays warm: nothing of the last one may remain. */
export function logInvocation(name: string, clientContext: unknown): void {
  const told = z.safeParse(ClientContext, clientContext);
  logger.resetKeys();
  logger.appendKeys({ function: name, ...(told.success && { execution: told.data.execution }) });
}

/** What a run may be called in a function's input or result, and how it is called in the log. */
const RUNS = {
  plan: 'plan',
  backup: 'backup',
  restore: 'restore',
  prune: 'prune',
  run: 'verification',
} as const;

/** Lines from here on say which run they are of, as far as a function's input or result names it. */
export function logRun(named: unknown): void {
  const fields = entriesOf(named).flatMap(([key, value]) => {
    const field = RUNS[key as keyof typeof RUNS];
    return field && typeof value === 'string' ? [[field, value]] : [];
  });
  logger.appendKeys(Object.fromEntries(fields));
}

/** Words of a result that are safe to log and short. */
const WORDS: readonly string[] = ['phase', 'outcome', 'reason'];

/** What the log says of a result: counts and how it ended; no lists, no texts of others. */
export function loggedResult(result: unknown): Record<string, unknown> {
  const kept = entriesOf(result).filter(
    ([key, value]) => typeof value === 'number' || typeof value === 'boolean' || WORDS.includes(key),
  );
  return Object.fromEntries(kept);
}

const entriesOf = (value: unknown): [string, unknown][] =>
  typeof value === 'object' && value !== null ? Object.entries(value) : [];
