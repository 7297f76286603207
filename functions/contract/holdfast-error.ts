import { ERRORS, type ErrorName } from './errors.ts';

/**
 * An error that a state machine may receive. `name` is one of ERRORS, the message names the affected thing, and
 * `hint` is the remedy.
 */
export class HoldfastError extends Error {
  readonly hint: string | undefined;

  constructor(name: ErrorName, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(options.hint ? `${message}. ${options.hint}` : message, { cause: options.cause });
    this.name = name;
    this.hint = options.hint;
  }

  get retryable(): boolean {
    return ERRORS[this.name as ErrorName].retryable;
  }
}

/** The message of any thrown value. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
