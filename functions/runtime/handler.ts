import { Logger } from '@aws-lambda-powertools/logger';
import middy from '@middy/core';
import * as z from 'zod/mini';
import { HoldfastError } from '../contract/holdfast-error.ts';

z.config(z.locales.en()); // zod/mini has no words of its own

export const logger = new Logger({ serviceName: 'holdfast' });

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

/** A Lambda handler: parse, work, return; the end of each is one line of JSON in the log. */
export function handler<I, O>(
  name: string,
  schema: z.core.$ZodType<I>,
  work: (input: I, invocation: Invocation) => Promise<O>,
) {
  return middy()
    .before(({ event }) => logger.info(`${name} starts`, { event: event as Record<string, unknown> }))
    .after(({ response }) => logger.info(`${name} ends`, { response: response as Record<string, unknown> }))
    .onError(({ error }) => logger.error(`${name} fails`, error as Error))
    .handler(async (event: unknown, context: { getRemainingTimeInMillis?: () => number }): Promise<O> => {
      const input = parseInput(schema, event);
      return work(input, {
        now: new Date(),
        remainingMs: () => context.getRemainingTimeInMillis?.() ?? 60_000,
      });
    });
}
