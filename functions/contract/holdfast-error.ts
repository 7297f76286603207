import { ERRORS, type ErrorName } from './errors.ts';

/**
 * An error that a state machine may see. `name` is from the contract, the message names the thing, and `hint`
 * says what a person can do about it.
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

/** The message of whatever was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
