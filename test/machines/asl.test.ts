import { readdirSync } from 'node:fs';
import aslValidator from 'asl-validator';
import { describe, expect, it } from 'vitest';
import { ERROR_NAMES, RETRYABLE_ERRORS } from '../../functions/contract/errors.ts';
import { arnPlaceholder, FUNCTION_NAMES, FUNCTIONS } from '../../functions/contract/functions.ts';
import { MACHINES, type Machine } from '../../functions/contract/names.ts';
import { DIRECTORY, definitionOf } from './definition.ts';

interface Rule {
  readonly ErrorEquals: readonly string[];
  readonly Next?: string;
  readonly MaxAttempts?: number;
}
interface State {
  readonly Type: string;
  readonly Comment?: string;
  readonly Resource?: string;
  readonly Arguments?: { readonly FunctionName?: string };
  readonly Next?: string;
  readonly Default?: string;
  readonly End?: boolean;
  readonly Choices?: readonly { readonly Next: string }[];
  readonly Retry?: readonly Rule[];
  readonly Catch?: readonly Rule[];
  readonly Branches?: readonly Graph[];
  readonly ItemProcessor?: Graph;
}
interface Graph {
  readonly StartAt: string;
  readonly States: Readonly<Record<string, State>>;
}

const machineOf = (machine: Machine) =>
  JSON.parse(definitionOf(machine)) as Graph & { QueryLanguage: string; Comment?: string };

/** A machine and the branches in it, each a graph of its own. */
function graphs(graph: Graph): Graph[] {
  return [
    graph,
    ...Object.values(graph.States).flatMap((s) =>
      [...(s.Branches ?? []), ...(s.ItemProcessor ? [s.ItemProcessor] : [])].flatMap(graphs),
    ),
  ];
}
const statesOf = (machine: Machine) => graphs(machineOf(machine)).flatMap((g) => Object.entries(g.States));
const invoking = (machine: Machine) =>
  statesOf(machine).filter(([, s]) => s.Resource?.endsWith(':::lambda:invoke'));
const exits = (s: State): string[] =>
  [s.Next, s.Default, ...(s.Choices ?? []).map((c) => c.Next), ...(s.Catch ?? []).map((c) => c.Next)].filter(
    (next) => next !== undefined,
  );

function reachable(graph: Graph): Set<string> {
  const seen = new Set<string>();
  const visit = (name: string) => {
    const state = graph.States[name];
    if (seen.has(name) || !state) return;
    seen.add(name);
    exits(state).forEach(visit);
  };
  visit(graph.StartAt);
  return seen;
}

describe('the files of the machines', () => {
  it('are one for each machine of the contract', () => {
    expect(readdirSync(DIRECTORY).sort()).toEqual(MACHINES.map((m) => `${m}.asl.json`).sort());
  });
});

describe.each(MACHINES)('the machine %s', (machine) => {
  it('is valid and speaks JSONata', () => {
    const arn = 'arn:aws:lambda:eu-west-1:123456789012:function:f';
    const plain = definitionOf(machine)
      .replace(/\$\{Partition\}/g, 'aws')
      .replace(/\$\{\w+\}/g, arn);
    expect(aslValidator(JSON.parse(plain)).errorsText('\n')).toBe('');
    expect(machineOf(machine).QueryLanguage).toBe('JSONata');
  });

  it('describes itself and each of its tasks in full sentences', () => {
    const comments = [
      ['the machine', machineOf(machine).Comment],
      ...statesOf(machine).flatMap(([name, s]) =>
        s.Comment || s.Type === 'Task' ? [[name, s.Comment]] : [],
      ),
    ];
    expect(comments.filter(([, comment]) => !/^[A-Z0-9].+\.$/.test(comment ?? ''))).toEqual([]);
  });

  it('has every state reachable from its start', () => {
    for (const graph of graphs(machineOf(machine)))
      expect(Object.keys(graph.States).filter((s) => !reachable(graph).has(s))).toEqual([]);
  });

  it('goes to no state that is not there', () => {
    for (const graph of graphs(machineOf(machine)))
      expect(
        [graph.StartAt, ...Object.values(graph.States).flatMap(exits)].filter((n) => !graph.States[n]),
      ).toEqual([]);
  });

  it('can end from every state', () => {
    for (const graph of graphs(machineOf(machine))) {
      const ends = (name: string) =>
        [...reachable({ ...graph, StartAt: name })].some((n) => {
          const s = graph.States[n];
          return s?.End === true || s?.Type === 'Succeed' || s?.Type === 'Fail';
        });
      expect(Object.keys(graph.States).filter((name) => !ends(name))).toEqual([]);
    }
  });

  it('succeeds somewhere', () => {
    expect(Object.values(machineOf(machine).States).some((s) => s.Type === 'Succeed')).toBe(true);
  });

  it('invokes each of its functions and no other', () => {
    const own = FUNCTION_NAMES.filter((n) => FUNCTIONS[n].machine === machine).map(arnPlaceholder);
    const invoked = invoking(machine).map(([, s]) =>
      s.Arguments?.FunctionName?.replace(/^\$\{(.*)\}$/, '$1'),
    );
    expect([...new Set(invoked)].sort()).toEqual(own.sort());
  });

  it('holds no placeholder that nothing stands for', () => {
    const known = [
      'Partition',
      'ReplicateMachineArn',
      'PruneMachineArn',
      ...FUNCTION_NAMES.filter((n) => FUNCTIONS[n].machine === machine).map(arnPlaceholder),
    ];
    const used = [...definitionOf(machine).matchAll(/\$\{([^}]*)\}/g)].map((m) => m[1] as string);
    expect(used.filter((name) => !known.includes(name))).toEqual([]);
  });

  it.each(invoking(machine))('tries %s again on exactly the errors that pass by themselves', (_, state) => {
    const ours = (state.Retry ?? [])
      .filter((r) => (r.MaxAttempts ?? 3) > 0)
      .flatMap((r) => r.ErrorEquals)
      .filter((name) => !/^(States|Lambda|Sandbox|Runtime)\./.test(name));
    expect([...ours].sort()).toEqual([...RETRYABLE_ERRORS].sort());
  });

  it('matches only on errors that exist', () => {
    const names = statesOf(machine).flatMap(([, s]) =>
      [...(s.Retry ?? []), ...(s.Catch ?? [])].flatMap((r) => r.ErrorEquals),
    );
    const real = (n: string) =>
      (ERROR_NAMES as string[]).includes(n) ||
      /^(States\.|Lambda\.)\w+$|^(Sandbox\.Timedout|Runtime\.ExitError)$/.test(n);
    expect(names.filter((n) => !real(n))).toEqual([]);
  });

  it('never tries everything again', () => {
    const everything = statesOf(machine).filter(([, s]) =>
      (s.Retry ?? []).some((r) => r.ErrorEquals.some((n) => n === 'States.ALL' || n === 'States.TaskFailed')),
    );
    expect(everything.map(([name]) => name)).toEqual([]);
  });
});
