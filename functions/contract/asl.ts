import { CATCH, RETRY } from './asl-blocks.ts';
import { EXECUTION_TIMEOUT_SECONDS } from './execution-timeout.ts';

/*
 * Expands the ASL files of the state machines into plain ASL. A file may name a shared Retry or Catch block with a
 * placeholder with a dot (`${Retry.Lambda}`). Placeholders without a dot (`${OpenBackupArn}`) are left to CloudFormation.
 */

type JsonObject = Readonly<Record<string, unknown>>;
/** Where a value is, for error messages. */
interface Position {
  readonly file: string;
  readonly state?: string;
}

const BLOCKS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = { Retry: RETRY, Catch: CATCH };
/** Placeholder of the maximum duration of an execution, which is also the duration of its lease. */
const TIMEOUT = `\${Timeout.Execution}`;
/** The state types that may have Retry and Catch. */
const FALLIBLE = ['Task', 'Parallel', 'Map'];
/** A placeholder that is not a CloudFormation placeholder. */
const NOT_CLOUDFORMATION = /\$\{(?!\w+\})[^}]*\}?/;

/**
 * The text of an ASL file with all shared Retry and Catch blocks and the timeout expanded. Only CloudFormation
 * placeholders remain. Throws an Error that names `file` and state for a placeholder that is unknown or misplaced.
 */
export function expandDefinition(text: string, file: string): string {
  return JSON.stringify(expandGraph(parse(text, file), { file }), null, 2);
}

/** Names of the Map states that run in distributed mode, in an ASL text. */
export function distributedMaps(text: string): string[] {
  const isDistributed = (state: JsonObject) => {
    const processor = state.ItemProcessor;
    const config = isObject(processor) ? processor.ProcessorConfig : undefined;
    return isObject(config) && config.Mode === 'DISTRIBUTED';
  };
  return statesOf(JSON.parse(text))
    .filter(([, state]) => isDistributed(state))
    .map(([name]) => name);
}

function parse(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error(`${file} is not JSON: ${(cause as Error).message}`, { cause });
  }
}

/** A machine, a branch of a Parallel state or the processor of a Map: fields and `States`. */
function expandGraph(graph: unknown, at: Position): unknown {
  if (!isObject(graph)) return graph;
  return mapFields(graph, (value, field) => {
    if (field === 'States' && isObject(value))
      return mapFields(value, (state, name) => expandState(state, { ...at, state: name }));
    if (field === 'TimeoutSeconds' && value === TIMEOUT) return EXECUTION_TIMEOUT_SECONDS;
    return plain(value, field, at);
  });
}

function expandState(state: unknown, at: Position): unknown {
  if (!isObject(state)) return state;
  return mapFields(state, (value, field) => {
    if (Object.hasOwn(BLOCKS, field) && typeof value === 'string') return blockOf(state, field, at);
    if (field === 'Branches' && Array.isArray(value)) return value.map((branch) => expandGraph(branch, at));
    if (field === 'ItemProcessor') return expandGraph(value, at);
    return plain(value, field, at);
  });
}

/** The block for the placeholder in `Retry` or `Catch` of a state. */
function blockOf(state: JsonObject, field: string, at: Position): unknown {
  const blocks = BLOCKS[field] ?? {};
  const placeholders = Object.keys(blocks).map((name) => `\${${field}.${name}}`);
  const found = placeholders.indexOf(String(state[field]));
  if (found < 0)
    throw misplaced(
      at,
      `${field} is "${state[field]}", which is not a shared block. Use ${placeholders.join(' or ')}`,
    );
  if (!FALLIBLE.includes(String(state.Type)))
    throw misplaced(
      at,
      `a ${state.Type} state cannot have ${field}. Only ${FALLIBLE.join(', ')} states can have it`,
    );
  if (field === 'Retry' && !String(state.Resource).endsWith(':::lambda:invoke'))
    throw misplaced(
      at,
      `${state.Retry} is for states that invoke a function. Write out the Retry block of this state`,
    );
  return Object.values(blocks)[found];
}

/** A value in which a shared block is not allowed. */
function plain(value: unknown, field: string, at: Position): unknown {
  const found = NOT_CLOUDFORMATION.exec(JSON.stringify({ [field]: value }))?.[0];
  if (found)
    throw misplaced(
      at,
      `${field} holds ${found}. A shared block is the whole value of Retry or Catch of a state`,
    );
  return value;
}

function misplaced({ file, state }: Position, message: string): Error {
  return new Error(`${file}: ${state === undefined ? '' : `state ${state}: `}${message}`);
}

/** All states of a machine with their names, including those in Parallel and Map states. */
function statesOf(graph: unknown): [string, JsonObject][] {
  if (!isObject(graph) || !isObject(graph.States)) return [];
  return Object.entries(graph.States).flatMap(([name, state]) => {
    if (!isObject(state)) return [];
    const branches = Array.isArray(state.Branches) ? state.Branches : [];
    return [[name, state] as [string, JsonObject], ...[...branches, state.ItemProcessor].flatMap(statesOf)];
  });
}

function mapFields(object: JsonObject, change: (value: unknown, field: string) => unknown): JsonObject {
  return Object.fromEntries(Object.entries(object).map(([field, value]) => [field, change(value, field)]));
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
