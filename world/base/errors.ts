/** An error of the local test environment: one message, and what to do about it. */
export class WorldError extends Error {
  readonly hint: string;

  constructor(name: string, message: string, hint: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = name;
    this.hint = hint;
  }
}

/** The text shown on a terminal: no stack trace, because the stack says nothing to the reader. */
export function explain(error: unknown): string {
  if (error instanceof WorldError) return `${error.name}: ${error.message}\n  ${error.hint}`;
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

/** Runs a program: its exit code is what `main` returns, or 1 and one clear message. */
export function runMain(main: () => Promise<number>): void {
  main().then(
    (code) => {
      process.exitCode = code;
    },
    (error: unknown) => {
      console.error(explain(error));
      process.exitCode = 1;
    },
  );
}
