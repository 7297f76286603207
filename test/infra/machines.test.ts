import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import aslValidator from 'asl-validator';
import { afterAll, describe, expect, test } from 'vitest';
import { EXECUTION_TIMEOUT_SECONDS } from '../../functions/contract/execution-timeout.ts';
import { FUNCTION_NAMES, FUNCTIONS, lambdaName } from '../../functions/contract/functions.ts';
import { MACHINES, machineName } from '../../functions/contract/names.ts';
import { readDefinition } from '../../infra/constructs/asl-machine.ts';
import { allowed, clusterTemplate, flat, statementsOf } from './support.ts';

const template = clusterTemplate();
const functions = Object.values(template.findResources('AWS::Lambda::Function'));
const lambdas = template.findResources('AWS::Lambda::Function');
const logicalId = (name: string) =>
  Object.keys(lambdas).find((id) => lambdas[id]?.Properties.FunctionName === name);

describe.each(MACHINES)('the %s machine', (machine) => {
  const [resource] = Object.values(
    template.findResources('AWS::StepFunctions::StateMachine', {
      Properties: { StateMachineName: machineName('prod', machine) },
    }),
  );
  const definition = flat(resource?.Properties.DefinitionString);

  test('is plain ASL in the template: valid, with every Retry and Catch written out', () => {
    const plain = JSON.parse(definition.replace(/\$\{\w+\}/g, 'aws'));
    expect(aslValidator(plain).errorsText('\n')).toBe('');
    const rules = [...definition.matchAll(/"(?:Retry|Catch)": (.)/g)].map((m) => m[1]);
    expect(rules.length).toBeGreaterThan(0);
    expect(rules.filter((first) => first !== '[')).toEqual([]);
  });

  test('has every placeholder of its ASL file filled', () => {
    const used = [...definition.matchAll(/\$\{([^}]*)\}/g)].map((m) => m[1]);
    expect(used.length).toBeGreaterThan(0);
    expect(Object.keys(resource?.Properties.DefinitionSubstitutions).sort()).toEqual(
      [...new Set(used)].sort(),
    );
  });

  test('may invoke exactly its own functions', () => {
    const own = FUNCTION_NAMES.filter((name) => FUNCTIONS[name].machine === machine);
    const invoked = allowed(template, `machine-${machine}`, 'lambda:InvokeFunction');
    const arns = own.map((name) => `<${logicalId(lambdaName('prod', name))}.Arn>`);
    expect(invoked).toEqual(arns.flatMap((arn) => [arn, `${arn}:*`]).sort());
    expect(functions).toHaveLength(FUNCTION_NAMES.length);
  });

  test('may run for as long as the leases that it takes may be held', () => {
    const timeout = `"TimeoutSeconds": ${EXECUTION_TIMEOUT_SECONDS},`;
    expect(flat(resource?.Properties.DefinitionString)).toContain(timeout);
  });

  test('logs its errors, without the payloads', () => {
    template.hasResourceProperties('AWS::Logs::LogGroup', {
      LogGroupName: `/aws/vendedlogs/states/${machineName('prod', machine)}`,
      RetentionInDays: 30,
    });
    expect(resource?.Properties.LoggingConfiguration).toMatchObject({
      Level: 'ERROR',
      IncludeExecutionData: false,
    });
  });

  test('has "*" as resource only to deliver its log, which AWS cannot narrow', () => {
    const wide = statementsOf(template, `machine-${machine}`).filter((s) => s.resources.includes('*'));
    expect(wide.flatMap((s) => s.actions).filter((action) => !action.startsWith('logs:'))).toEqual([]);
  });

  test('has its ARN among the outputs', () => {
    template.hasOutput(`${machine.charAt(0).toUpperCase()}${machine.slice(1)}Machine`, {});
  });
});

test('only the backup machine starts others: replication, pruning, and itself for the shards of an export', () => {
  const started = (machine: string) => allowed(template, `machine-${machine}`, 'states:StartExecution');
  expect(started('backup')).toEqual([
    expect.stringMatching(/^<machineprune/),
    expect.stringMatching(/^<machinereplicate/),
    expect.stringMatching(/:stateMachine:holdfast-prod-backup$/),
  ]);
  for (const machine of MACHINES.filter((m) => m !== 'backup'))
    for (const action of ['states:StartExecution', 'states:StopExecution', 'states:RedriveExecution'])
      expect(allowed(template, `machine-${machine}`, action)).toEqual([]);
  expect(allowed(template, 'machine-backup', 'states:RedriveExecution')).toHaveLength(1);
  for (const action of ['states:DescribeExecution', 'states:StopExecution'])
    expect(allowed(template, 'machine-backup', action)).toHaveLength(3);
  expect(allowed(template, 'machine-backup', 'events:PutRule')).toEqual([
    expect.stringMatching(/:rule\/StepFunctionsGetEventsForStepFunctionsExecutionRule$/),
  ]);
});

describe('an ASL file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-asl-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const asl = (task: object): URL => {
    const file = join(folder, 'm.asl.json');
    const definition = { QueryLanguage: 'JSONata', StartAt: 'A', States: { A: { Type: 'Task', ...task } } };
    writeFileSync(file, JSON.stringify(definition));
    return pathToFileURL(file);
  };
  // biome-ignore-start lint/suspicious/noTemplateCurlyInString: placeholders of CloudFormation
  const good = {
    Resource: 'arn:${Partition}:states:::lambda:invoke',
    Arguments: { FunctionName: '${OpenBackupArn}' },
    End: true,
  };
  // biome-ignore-end lint/suspicious/noTemplateCurlyInString: placeholders of CloudFormation

  test('is read as it is when its placeholders are known', () => {
    expect(readDefinition(asl(good), ['Partition', 'OpenBackupArn'])).toContain('"JSONata"');
  });

  test('with a placeholder that nothing stands for is refused', () => {
    expect(() => readDefinition(asl(good), ['Partition'])).toThrow(/uses \$\{OpenBackupArn\}, which nothing/);
  });

  test('that leaves a function unused is refused', () => {
    expect(() => readDefinition(asl(good), ['Partition', 'OpenBackupArn', 'FailBackupArn'])).toThrow(
      /does not use \$\{FailBackupArn\}/,
    );
  });

  test('that is not valid ASL is refused with the validator’s words', () => {
    const { End: _, ...endless } = good;
    expect(() => readDefinition(asl(endless), ['Partition', 'OpenBackupArn'])).toThrow(/is not valid: .*\S/s);
  });

  test('whose JSONata does not parse is refused', () => {
    const broken = { ...good, Output: '{% $states.result. %}' };
    expect(() => readDefinition(asl(broken), ['Partition', 'OpenBackupArn'])).toThrow(/is not valid/);
  });
});
