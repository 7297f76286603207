import type * as z from 'zod/mini';
import { RETRYABLE_ERRORS } from './errors.ts';
import type { FailBackupRequest, FailRestoreRequest } from './states.ts';

/*
 * The Retry and Catch blocks that the state machines share. An ASL file names a block with a placeholder, which
 * expandDefinition (asl.ts) replaces: `"Retry": "${Retry.Lambda}"`, `"Catch": "${Catch.FailBackup}"`.
 */

/** One rule of a Retry block in the Amazon States Language. MaxAttempts counts retries, not the first call. */
export interface Retrier {
  readonly ErrorEquals: readonly string[];
  readonly IntervalSeconds: number;
  readonly MaxAttempts: number;
  readonly BackoffRate?: number;
  readonly JitterStrategy?: 'FULL';
}

/** One rule of a Catch block. `Output` is a JSONata template; its value is the input of `Next`. */
export interface Catcher {
  readonly ErrorEquals: readonly string[];
  readonly Output: Readonly<Record<string, string>>;
  readonly Next: string;
}

/*
 * The worst case of one state. Step Functions counts retries per rule, so one state can use all of them:
 * 1 call + 5 + 6 + 2 retries = 14 calls. The waits add up to 155 + 126 + 15 = 296 s. A function runs for 900 s at most,
 * so 14 * 900 s + 296 s = 12,896 s, which is 3 h 35 min. A machine may run for 24 h.
 */

/** Retryable errors of Holdfast. The retries outlast an outage of two minutes. Waits 5 + 10 + 20 + 40 + 80 = 155 s. */
const TRANSIENT = { IntervalSeconds: 5, MaxAttempts: 5, BackoffRate: 2 } as const;

/** Lambda could not start the function or return its result. Waits at most 2 + 4 + 8 + 16 + 32 + 64 = 126 s; jitter shortens them. */
const LAMBDA_SERVICE = {
  IntervalSeconds: 2,
  MaxAttempts: 6,
  BackoffRate: 2,
  JitterStrategy: 'FULL',
} as const;
const LAMBDA_SERVICE_ERRORS = [
  'Lambda.ClientExecutionTimeoutException',
  'Lambda.ServiceException',
  'Lambda.AWSLambdaException',
  'Lambda.SdkClientException',
  'Lambda.TooManyRequestsException',
];

/**
 * The function was killed: it timed out, or its process exited (Runtime.ExitError: out of memory, for example). Each
 * call may have run for the whole timeout, so there are only two retries: 3 * 900 s. Waits 5 + 10 = 15 s; the default
 * BackoffRate of Step Functions is 2.
 */
const KILLED = { IntervalSeconds: 5, MaxAttempts: 2 } as const;
const KILLED_ERRORS = ['States.Timeout', 'Lambda.Unknown', 'Sandbox.Timedout', 'Runtime.ExitError'];

/** Retry blocks by the name in their placeholder. */
export const RETRY = {
  /** For every state that invokes a function. All functions are idempotent. */
  Lambda: [
    { ErrorEquals: RETRYABLE_ERRORS, ...TRANSIENT },
    { ErrorEquals: LAMBDA_SERVICE_ERRORS, ...LAMBDA_SERVICE },
    { ErrorEquals: KILLED_ERRORS, ...KILLED },
  ],
} as const satisfies Readonly<Record<string, readonly Retrier[]>>;

type Template<Input> = Readonly<Record<Exclude<keyof Input, 'error' | 'cause'>, string>>;

/** What each failure-handling state needs in addition to the error, by state name. */
const FAILURE_CONTEXT = {
  FailBackup: { plan: '{% $plan %}', backup: '{% $backup %}' } satisfies Template<
    z.infer<typeof FailBackupRequest>
  >,
  FailRestore: {
    startedAt: '{% $states.context.Execution.StartTime %}',
    execution: '{% $states.context.Execution.Id %}',
  } satisfies Template<z.infer<typeof FailRestoreRequest>>,
  ReplicaNotProven: {},
  PruneFailed: {},
} as const;
type FailureState = keyof typeof FAILURE_CONTEXT;

/** Catches any error and passes its name and cause to one state. */
function catchAll(next: FailureState): readonly Catcher[] {
  const error = { error: '{% $states.errorOutput.Error %}', cause: '{% $states.errorOutput.Cause %}' };
  return [{ ErrorEquals: ['States.ALL'], Output: { ...FAILURE_CONTEXT[next], ...error }, Next: next }];
}

/** Catch blocks by the name in their placeholder, which is the name of their `Next` state. */
export const CATCH = {
  FailBackup: catchAll('FailBackup'),
  FailRestore: catchAll('FailRestore'),
  ReplicaNotProven: catchAll('ReplicaNotProven'),
  PruneFailed: catchAll('PruneFailed'),
} as const satisfies Readonly<Record<FailureState, readonly Catcher[]>>;
