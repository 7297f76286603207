import { describe, expect, it } from 'vitest';
import { distributedMaps, expandDefinition } from '../../../functions/contract/asl.ts';
import { CATCH, RETRY } from '../../../functions/contract/asl-blocks.ts';

/** A placeholder as a file spells it. */
const put = (name: string) => `\${${name}}`;
const task = (over: object = {}) => ({
  Type: 'Task',
  Resource: `arn:${put('Partition')}:states:::lambda:invoke`,
  Arguments: { FunctionName: put('OpenBackupArn') },
  End: true,
  ...over,
});
const machine = (states: object) => ({ QueryLanguage: 'JSONata', StartAt: 'A', States: states });
const expand = (definition: object) =>
  JSON.parse(expandDefinition(JSON.stringify(definition), 'backup.asl.json')) as unknown;
const expanding = (definition: object) => () => expand(definition);

describe('a definition', () => {
  it('has the shared blocks where their placeholders stood, and all else as it was', () => {
    const retried = task({ Retry: put('Retry.Lambda'), Catch: put('Catch.FailBackup') });
    expect(expand(machine({ A: retried }))).toEqual(
      machine({ A: { ...retried, Retry: RETRY.Lambda, Catch: CATCH.FailBackup } }),
    );
  });

  it('has them inside of branches and of Maps too', () => {
    const outer = (retry: unknown) => {
      const inner = { StartAt: 'In', States: { In: task({ Retry: retry }) } };
      const map = { Type: 'Map', ItemProcessor: inner, End: true };
      return machine({
        A: { Type: 'Parallel', Branches: [{ StartAt: 'M', States: { M: map } }], End: true },
      });
    };
    expect(expand(outer(put('Retry.Lambda')))).toEqual(outer(RETRY.Lambda));
  });

  it('keeps the order of its fields, in which the console shows them', () => {
    const text = expandDefinition(
      JSON.stringify(machine({ B: task({ Retry: put('Retry.Lambda'), Next: 'A' }), A: task() })),
      'backup.asl.json',
    );
    expect([...text.matchAll(/"(StartAt|B|Resource|Retry|Next|A)":/g)].map((m) => m[1])).toEqual([
      'StartAt',
      'B',
      'Resource',
      'Retry',
      'Next',
      'A',
      'Resource',
    ]);
  });

  it('may write out the Retry of one state', () => {
    const own = machine({ A: task({ Retry: [{ ErrorEquals: ['States.Timeout'] }] }) });
    expect(expand(own)).toEqual(own);
  });

  it('that is not JSON is refused by its name', () => {
    expect(() => expandDefinition('{', 'lock.asl.json')).toThrow(/^lock\.asl\.json is not JSON: /);
  });
});

describe('an unknown block', () => {
  it.each([
    put('Retry.Lamda'),
    put('Retry.constructor'),
    put('Retry'),
    put('Catch.FailBackup'),
    'Retry.Lambda',
    ` ${put('Retry.Lambda')}`,
  ])('in Retry (%s) is refused by file and state, with those that exist', (retry) => {
    expect(expanding(machine({ A: task({ Retry: retry }) }))).toThrow(
      `backup.asl.json: state A: Retry is "${retry}", which is not a shared block. Use ${put('Retry.Lambda')}`,
    );
  });

  it('in Catch is refused by file and state, with those that exist', () => {
    expect(expanding(machine({ A: task({ Catch: put('Catch.Fail') }) }))).toThrow(
      /^backup\.asl\.json: state A: Catch is "\$\{Catch\.Fail\}", .* Use \$\{Catch\.FailBackup\} or /,
    );
  });

  it('deep inside is refused by the name of the innermost state', () => {
    const inner = { StartAt: 'In', States: { In: task({ Retry: put('Retry.No') }) } };
    expect(expanding(machine({ A: { Type: 'Parallel', Branches: [inner], End: true } }))).toThrow(
      ': state In: ',
    );
    expect(expanding(machine({ A: { Type: 'Map', ItemProcessor: inner, End: true } }))).toThrow(
      ': state In: ',
    );
  });
});

describe('a block in the wrong place', () => {
  const retry = put('Retry.Lambda');
  it.each([
    ['another field', { Comment: `as ${retry}` }, 'Comment'],
    ['a list', { Retry: [retry] }, 'Retry'],
    ['a rule', { Catch: [{ ErrorEquals: ['States.ALL'], Next: retry }] }, 'Catch'],
    ['the name of a field', { [retry]: 1 }, retry],
    ['a name deep inside', { Arguments: { [retry]: 1 } }, 'Arguments'],
    ['a field deep inside', { Arguments: { Payload: { Retry: retry } } }, 'Arguments'],
  ])('(%s) is refused by file, state and field', (_, over, field) => {
    expect(expanding(machine({ A: task(over) }))).toThrow(
      `backup.asl.json: state A: ${field} holds ${retry}. A shared block is the whole value of Retry or Catch`,
    );
  });

  it('(outside of the states) is refused by file and field', () => {
    expect(expanding({ ...machine({ A: task() }), Comment: retry })).toThrow(
      `backup.asl.json: Comment holds ${retry}`,
    );
    expect(expanding({ ...machine({ A: task() }), Retry: retry })).toThrow(
      `backup.asl.json: Retry holds ${retry}`,
    );
  });

  it('(a state that cannot fail) is refused', () => {
    const choice = { Type: 'Choice', Choices: [], Default: 'B', Catch: put('Catch.FailBackup') };
    expect(expanding(machine({ A: choice, B: task() }))).toThrow(
      'backup.asl.json: state A: a Choice state cannot have Catch. Only Task, Parallel, Map states can have it',
    );
  });

  it.each([
    ['Parallel', { Type: 'Parallel', Branches: [], End: true }],
    ['Task of another service', task({ Resource: 'arn:aws:states:::states:startExecution.sync:2' })],
  ])('(the Retry block of functions in a %s) is refused', (_, state) => {
    expect(expanding(machine({ A: { ...state, Retry: retry } }))).toThrow(
      `backup.asl.json: state A: ${retry} is for states that invoke a function`,
    );
  });
});

describe('the distributed Maps of a definition', () => {
  const map = (mode: object) => ({
    Type: 'Map',
    ItemProcessor: { ...mode, StartAt: 'In', States: { In: task() } },
    End: true,
  });
  const distributed = map({ ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' } });
  const names = (states: object) => distributedMaps(JSON.stringify(machine(states)));

  it('are those whose processor says so', () => {
    const inline = map({ ProcessorConfig: { Mode: 'INLINE' } });
    expect(names({ A: distributed, B: inline, C: map({}), D: task() })).toEqual(['A']);
  });

  it('are found in branches and in other Maps', () => {
    const branch = { StartAt: 'Deep', States: { Deep: distributed } };
    expect(names({ A: { Type: 'Parallel', Branches: [branch], End: true } })).toEqual(['Deep']);
    expect(names({ A: { Type: 'Map', ItemProcessor: branch, End: true } })).toEqual(['Deep']);
  });
});
