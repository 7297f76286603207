import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ERROR_NAMES, RETRYABLE_ERRORS } from '../../functions/contract/errors.ts';
import { arnPlaceholder, FUNCTION_NAMES, FUNCTIONS } from '../../functions/contract/functions.ts';
import { MACHINES, type Machine } from '../../functions/contract/names.ts';
import { readDefinition } from '../../infra/constructs/asl-machine.ts';

interface State {
  Type: string;
  Resource?: string;
  Retry?: { ErrorEquals: string[] }[];
  Catch?: { ErrorEquals: string[] }[];
  Branches?: { States: Record<string, State> }[];
}

const fileOf = (machine: Machine) => new URL(`../../state-machines/${machine}.asl.json`, import.meta.url);
const textOf = (machine: Machine) => readFileSync(fileOf(machine), 'utf8');

function statesOf(machine: Machine): State[] {
  const flat = (states: Record<string, State>): State[] =>
    Object.values(states).flatMap((s) => [s, ...(s.Branches ?? []).flatMap((b) => flat(b.States))]);
  return flat((JSON.parse(textOf(machine)) as { States: Record<string, State> }).States);
}

const invoking = (machine: Machine) =>
  statesOf(machine).filter((s) => s.Resource?.endsWith(':lambda:invoke'));

describe.each(MACHINES)('the %s machine', (machine) => {
  it('invokes exactly its functions', () => {
    const own = FUNCTION_NAMES.filter((name) => FUNCTIONS[name].machine === machine).map(arnPlaceholder);
    const used = [...textOf(machine).matchAll(/"\$\{(\w+Arn)\}"/g)].map((m) => m[1] as string);
    const functions = [...new Set(used)].filter((name) => !name.endsWith('MachineArn'));
    expect(functions.sort()).toEqual(own.sort());
  });
  it('is valid JSONata ASL with every placeholder known', () => {
    const placeholders = [
      ...new Set([...textOf(machine).matchAll(/\$\{(\w+)\}/g)].map((m) => m[1] as string)),
    ];
    expect(readDefinition(fileOf(machine), placeholders)).toContain('"QueryLanguage": "JSONata"');
  });
  it('tries every retryable error of every function again, and no other of ours', () => {
    for (const state of invoking(machine)) {
      const ours = (state.Retry ?? [])
        .flatMap((r) => r.ErrorEquals)
        .filter((name) => (ERROR_NAMES as string[]).includes(name));
      expect(ours.sort()).toEqual([...RETRYABLE_ERRORS].sort());
    }
  });
  it('names no error that does not exist', () => {
    const names = statesOf(machine).flatMap((s) =>
      [...(s.Retry ?? []), ...(s.Catch ?? [])].flatMap((r) => r.ErrorEquals),
    );
    const known = (name: string) =>
      (ERROR_NAMES as string[]).includes(name) || /^(States|Lambda|Sandbox)\./.test(name);
    expect(names.filter((name) => !known(name))).toEqual([]);
  });
});
