import middy from '@middy/core';
import * as z from 'zod/mini';
import { HoldfastError } from '../contract/holdfast-error.ts';
import { loggedResult, logger, logInvocation, logRun } from './logging.ts';

z.config(z.locales.en()); // zod/mini has no words of its own

/** What a function may know of its invocation. */
export interface Invocation {
  readonly now: Date;
  /** Milliseconds until Lambda ends the function. */
  remainingMs(): number;
}

/** Parses the event at the door: unknown or wrong fields become one InputInvalid that names each of them. */
export function parseInput<T>(schema: z.core.$ZodType<T>, event: unknown): T {
  const parsed = z.safeParse(schema, event);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((i) => `${i.path.join('.') || 'input'}: ${i.message}`);
  throw new HoldfastError('InputInvalid', problems.join('; '), {
    hint: 'Correct the input of the execution and start it again',
  });
}

/** What Lambda tells a function beside the event. */
interface LambdaContext {
  readonly clientContext?: unknown;
  readonly getRemainingTimeInMillis?: () => number;
}

/**
 * A Lambda handler: parse, work, return. Its begin and its end are lines of the log that say whose they are; the event and
 * the result themselves are not logged: they name what is in the cluster, and hold what a person typed.
 */
export function handler<I, O>(
  name: string,
  schema: z.core.$ZodType<I>,
  work: (input: I, invocation: Invocation) => Promise<O>,
) {
  return middy()
    .before(({ context }) => logInvocation(name, (context as LambdaContext).clientContext))
    .after(({ response }) => {
      logRun(response);
      logger.info(`${name} ends`, { result: loggedResult(response) });
    })
    .onError(({ error }) => logger.error(`${name} fails`, error as Error))
    .handler(async (event: unknown, context: LambdaContext): Promise<O> => {
      const input = parseInput(schema, event);
      logRun(input);
      logger.info(`${name} starts`);
      return work(input, {
        now: new Date(),
        remainingMs: () => context.getRemainingTimeInMillis?.() ?? 60_000,
      });
    });
}
