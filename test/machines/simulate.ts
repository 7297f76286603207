import jsonata from 'jsonata';
import { arnPlaceholder, FUNCTION_NAMES } from '../../functions/contract/functions.ts';
import type { Machine } from '../../functions/contract/names.ts';
import { definitionOf } from './definition.ts';

/** An error that a prepared task throws; machines match on its name. */
export class TaskError extends Error {
  override readonly name: string;
  constructor(name: string, cause = 'because') {
    super(cause);
    this.name = name;
  }
}

/** Answers of tasks by function name or by machine (`machine:replicate`), and `items` of a Map's list. What has none throws. */
export type Answers = Readonly<Record<string, (input: never) => unknown>>;

/** How a simulated execution ended, and what it did on the way. */
export interface Simulated {
  readonly status: 'SUCCEEDED' | 'FAILED';
  readonly output: unknown;
  readonly error?: unknown;
  readonly cause?: unknown;
  /** Names of the states in the order they were entered. */
  readonly path: string[];
  /** Every task: what was called, with which payload. */
  readonly calls: { readonly task: string; readonly input: unknown }[];
  /** Seconds of every wait, of retries too: the longest that jitter allows. */
  readonly waits: number[];
}

interface State {
  Type: 'Task' | 'Choice' | 'Wait' | 'Pass' | 'Parallel' | 'Map' | 'Succeed' | 'Fail';
  Next?: string;
  Resource?: string;
  Arguments?: Record<string, unknown>;
  Output?: unknown;
  Assign?: Record<string, unknown>;
  Choices?: { Condition: string; Next: string }[];
  Default?: string;
  Seconds?: unknown;
  Branches?: Graph[];
  ItemProcessor?: Graph;
  ItemSelector?: unknown;
  ItemReader?: { Arguments: unknown };
  Retry?: { ErrorEquals: string[]; MaxAttempts?: number; IntervalSeconds?: number; BackoffRate?: number }[];
  Catch?: { ErrorEquals: string[]; Next: string; Output?: unknown }[];
  Error?: unknown;
  Cause?: unknown;
}
interface Graph {
  StartAt: string;
  States: Record<string, State>;
}

class Failed extends Error {
  readonly error: unknown;
  readonly why: unknown;
  constructor(error: unknown, why: unknown) {
    super(String(error));
    this.error = error;
    this.why = why;
  }
}

const CONTEXT = {
  Execution: { Id: 'arn:aws:states:::execution', Name: 'execution', StartTime: '2026-01-31T02:00:00Z' },
};
/** More steps than any of our machines takes in a test: a loop that does not end is a failure. */
const MAX_STEPS = 500;

/** Runs a machine of state-machines/ with prepared tasks. Time does not pass. */
export async function simulate(machine: Machine, input: unknown, answers: Answers): Promise<Simulated> {
  const run = new Run(answers);
  try {
    const output = await run.graph(JSON.parse(definitionOf(machine)) as Graph, input);
    return { ...run.seen, status: 'SUCCEEDED', output };
  } catch (thrown) {
    return { ...run.seen, status: 'FAILED', output: undefined, ...thrownAs(thrown) };
  }
}

class Run {
  readonly seen = {
    path: [] as string[],
    calls: [] as { task: string; input: unknown }[],
    waits: [] as number[],
  };
  private readonly variables: Record<string, unknown> = {};
  private readonly answers: Answers;

  constructor(answers: Answers) {
    this.answers = answers;
  }

  async graph({ StartAt, States }: Graph, input: unknown): Promise<unknown> {
    let name = StartAt;
    let value = input;
    for (;;) {
      if (this.seen.path.push(name) > MAX_STEPS) throw new Error(`no end: ${this.seen.path.slice(-6)}`);
      const state = States[name];
      if (!state) throw new Error(`there is no state ${name}`);
      const { next, output } = await this.step(state, value);
      if (next === undefined) return output;
      [name, value] = [next, output];
    }
  }

  private async step(state: State, input: unknown): Promise<{ next: string | undefined; output: unknown }> {
    try {
      return await this.attempt(state, input);
    } catch (thrown) {
      const { error, cause } = thrownAs(thrown);
      const caught = state.Catch?.find((c) => matches(c.ErrorEquals, error));
      if (!caught || state.Type === 'Fail') throw thrown;
      const states = { input, context: CONTEXT, errorOutput: { Error: error, Cause: cause } };
      const output =
        caught.Output === undefined ? states.errorOutput : await this.value(caught.Output, states);
      return { next: caught.Next, output };
    }
  }

  private async attempt(state: State, input: unknown) {
    const failures = new Map<unknown, number>();
    for (;;) {
      try {
        return await this.once(state, input);
      } catch (thrown) {
        const retry = state.Retry?.find((r) => matches(r.ErrorEquals, thrownAs(thrown).error));
        const count = (failures.get(retry) ?? 0) + 1;
        if (!retry || count > (retry.MaxAttempts ?? 3)) throw thrown;
        failures.set(retry, count);
        this.seen.waits.push((retry.IntervalSeconds ?? 1) * (retry.BackoffRate ?? 2) ** (count - 1));
      }
    }
  }

  private async once(state: State, input: unknown): Promise<{ next: string | undefined; output: unknown }> {
    const states = { input, context: CONTEXT };
    if (state.Type === 'Fail')
      throw new Failed(await this.value(state.Error, states), await this.value(state.Cause, states));
    if (state.Type === 'Choice') {
      for (const { Condition, Next } of state.Choices ?? [])
        if (await this.value(Condition, states)) return { next: Next, output: input };
      if (!state.Default) throw new Failed('States.NoChoiceMatched', '');
      return { next: state.Default, output: input };
    }
    if (state.Type === 'Wait') this.seen.waits.push(Number(await this.value(state.Seconds, states)));
    const result = await this.result(state, input);
    const after = { ...states, ...(result !== undefined && { result }) };
    const output = state.Output === undefined ? (result ?? input) : await this.value(state.Output, after);
    Object.assign(this.variables, (await this.value(state.Assign ?? {}, after)) as object);
    return { next: state.Next, output };
  }

  private async result(state: State, input: unknown): Promise<unknown> {
    if (state.Type === 'Parallel') {
      const outputs: unknown[] = [];
      for (const branch of state.Branches ?? []) outputs.push(await this.graph(branch, input));
      return outputs;
    }
    if (state.Type === 'Map') return this.map(state, input);
    if (state.Type !== 'Task') return undefined;
    const given = (await this.value(state.Arguments ?? {}, { input, context: CONTEXT })) as Record<
      string,
      unknown
    >;
    const placeholder = String(given.FunctionName ?? given.StateMachineArn).slice(2, -1);
    const fn = FUNCTION_NAMES.find((name) => arnPlaceholder(name) === placeholder);
    const task = fn ?? `machine:${placeholder.replace('MachineArn', '').toLowerCase()}`;
    const payload = fn ? given.Payload : given.Input;
    this.seen.calls.push({ task, input: payload });
    const answer = this.answers[task];
    if (!answer) throw new Error(`${task} was called and has no answer: ${JSON.stringify(payload)}`);
    return fn ? { Payload: answer(payload as never) } : { Output: answer(payload as never) };
  }

  private async map(state: State, input: unknown): Promise<unknown> {
    const list = await this.value(state.ItemReader?.Arguments, { input, context: CONTEXT });
    const items = this.answers.items?.(list as never) as unknown[] | undefined;
    if (!items) throw new Error(`the list ${JSON.stringify(list)} is not prepared`);
    const outputs: unknown[] = [];
    for (const [Index, Value] of items.entries()) {
      const context = { ...CONTEXT, Map: { Item: { Index, Value } } };
      const selected = await this.value(state.ItemSelector, { input, context });
      outputs.push(await this.graph(state.ItemProcessor as Graph, selected));
    }
    return outputs;
  }

  /** Evaluates `{% ... %}` wherever it stands in a template. */
  private async value(template: unknown, states: object): Promise<unknown> {
    if (Array.isArray(template)) return Promise.all(template.map((t) => this.value(t, states)));
    if (template !== null && typeof template === 'object') {
      const members = Object.entries(template).map(async ([k, v]) => [k, await this.value(v, states)]);
      return Object.fromEntries(await Promise.all(members)) as unknown;
    }
    const expression = typeof template === 'string' ? /^\{%(.*)%\}$/s.exec(template)?.[1] : undefined;
    if (expression === undefined) return template;
    const found = await jsonata(expression).evaluate({}, { ...this.variables, states });
    if (found === undefined) throw new Failed('States.QueryEvaluationError', `${expression} is nothing`);
    return JSON.parse(JSON.stringify(found)) as unknown;
  }
}

/** Error and cause as Step Functions has them. */
function thrownAs(thrown: unknown): { error: string; cause: string } {
  if (thrown instanceof Failed) return { error: String(thrown.error), cause: String(thrown.why) };
  if (thrown instanceof TaskError) return { error: thrown.name, cause: thrown.message };
  throw thrown; // a mistake of the test, not of a task
}

const matches = (names: string[], error: string): boolean =>
  names.includes(error) || names.includes('States.ALL');
