import middy from '@middy/core';
import * as z from 'zod/mini';
import { HoldfastError } from '../contract/holdfast-error.ts';
import { loggedResult, logger, logInvocation, logRun } from './logging.ts';

z.config(z.locales.en()); // zod/mini has no messages by default

/** The clock of an invocation. */
export interface Invocation {
  readonly now: Date;
  /** Milliseconds until Lambda ends the function. */
  remainingMs(): number;
}

/**
 * Parses the event.
 *
 * @throws HoldfastError InputInvalid that names each unknown or invalid field.
 */
export function parseInput<T>(schema: z.core.$ZodType<T>, event: unknown): T {
  const parsed = z.safeParse(schema, event);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((i) => `${i.path.join('.') || 'input'}: ${i.message}`);
  throw new HoldfastError('InputInvalid', problems.join('; '), {
    hint: 'Correct the input and start the execution again',
  });
}

/** The part of Lambda's context that functions use. */
interface LambdaContext {
  readonly clientContext?: unknown;
  readonly getRemainingTimeInMillis?: () => number;
}

/**
 * A Lambda handler: parses the event, calls `work` and logs the start and the end. The event and the result are not
 * logged, because they contain names from the cluster and user input.
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
