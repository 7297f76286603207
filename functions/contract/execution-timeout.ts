/** How long an execution of any machine may take, and so how long a lease that it takes may be held: a day. */
export const EXECUTION_TIMEOUT_SECONDS = 24 * 3600;

const PLACEHOLDER = /"\$\{ExecutionTimeoutSeconds\}"/g;

/** An ASL text with the timeout in the place of its placeholder: CloudFormation could only put text there. */
export const withExecutionTimeout = (asl: string): string =>
  asl.replace(PLACEHOLDER, String(EXECUTION_TIMEOUT_SECONDS));
