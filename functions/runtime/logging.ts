import { Logger } from '@aws-lambda-powertools/logger';
import * as z from 'zod/mini';

/** Set when a function is bundled: see infra/bundle.ts. Undefined when the sources run unbundled. */
declare const HOLDFAST_VERSION: string | undefined;

/** The log of a function: one JSON object per line, with the fields that docs/architecture.md lists. */
export const logger = new Logger({
  serviceName: 'holdfast',
  persistentKeys: { version: typeof HOLDFAST_VERSION === 'undefined' ? 'source' : HOLDFAST_VERSION },
});

/** Lambda's client context as the state machines set it. */
const ClientContext = z.object({ execution: z.string() });

/** Sets the log fields of one invocation. A function stays warm, so fields of the last invocation are reset. */
export function logInvocation(name: string, clientContext: unknown): void {
  const told = z.safeParse(ClientContext, clientContext);
  logger.resetKeys();
  logger.appendKeys({ function: name, ...(told.success && { execution: told.data.execution }) });
}

/** Fields of a function's input or result that name a run, and their log fields. */
const RUNS = {
  plan: 'plan',
  backup: 'backup',
  restore: 'restore',
  prune: 'prune',
  run: 'verification',
} as const;

/** Adds the run that a function's input or result names to all later log lines. */
export function logRun(named: unknown): void {
  const fields = entriesOf(named).flatMap(([key, value]) => {
    const field = RUNS[key as keyof typeof RUNS];
    return field && typeof value === 'string' ? [[field, value]] : [];
  });
  logger.appendKeys(Object.fromEntries(fields));
}

/** Text fields of a result that are short and safe to log. */
const WORDS: readonly string[] = ['phase', 'outcome', 'reason'];

/** The part of a result that is logged: numbers, booleans and the outcome; no lists, no foreign texts. */
export function loggedResult(result: unknown): Record<string, unknown> {
  const kept = entriesOf(result).filter(
    ([key, value]) => typeof value === 'number' || typeof value === 'boolean' || WORDS.includes(key),
  );
  return Object.fromEntries(kept);
}

const entriesOf = (value: unknown): [string, unknown][] =>
  typeof value === 'object' && value !== null ? Object.entries(value) : [];
