import { readFileSync } from 'node:fs';
import jsonata from 'jsonata';
import { describe, expect, it } from 'vitest';
import { MACHINES } from '../../functions/contract/names.ts';

interface Task {
  readonly Resource: string;
  readonly Arguments: { readonly FunctionName: string; readonly ClientContext?: string };
}

/** Every Task of a machine that invokes a function, however deep it stands. */
function invocations(value: unknown): Task[] {
  if (typeof value !== 'object' || value === null) return [];
  const { Resource = '' } = value as Partial<Task>;
  const own = Resource.endsWith(':::lambda:invoke') ? [value as Task] : [];
  return [...own, ...Object.values(value).flatMap(invocations)];
}

const tasksOf = (machine: string) =>
  invocations(
    JSON.parse(readFileSync(new URL(`../../state-machines/${machine}.asl.json`, import.meta.url), 'utf8')),
  );

describe.each(MACHINES)('the machine %s', (machine) => {
  it.each(tasksOf(machine).map((t) => [t.Arguments.FunctionName, t.Arguments.ClientContext]))(
    'tells %s beside its input which execution calls it',
    async (_, template) => {
      const states = { context: { Execution: { Id: 'arn:aws:states:::execution:x' } } };
      const expression = /^\{%(.*)%\}$/.exec(template ?? '')?.[1] ?? '';
      const sent = (await jsonata(expression).evaluate({}, { states })) as string;
      expect(JSON.parse(Buffer.from(sent, 'base64').toString('utf8'))).toEqual({
        execution: 'arn:aws:states:::execution:x',
      });
    },
  );
});
