import { describe, expect, test } from 'vitest';
import { FUNCTION_NAMES, FUNCTIONS, lambdaName } from '../../functions/contract/functions.ts';
import { RIGHTS } from '../../infra/constructs/grants.ts';
import { clusterTemplate, flat, statementsOf } from './support.ts';

const template = clusterTemplate();
const functions = Object.values(template.findResources('AWS::Lambda::Function')).map((f) => f.Properties);
const byName = (name: (typeof FUNCTION_NAMES)[number]) =>
  functions.find((f) => f.FunctionName === lambdaName('prod', name));

test('there is a Lambda for each function of the contract and no other', () => {
  expect(functions.map((f) => f.FunctionName).sort()).toEqual(
    FUNCTION_NAMES.map((name) => lambdaName('prod', name)).sort(),
  );
});

describe.each(FUNCTION_NAMES)('%s', (name) => {
  test('has the memory and the time of the contract', () => {
    expect(byName(name)).toMatchObject({
      Runtime: 'nodejs24.x',
      Architectures: ['x86_64'],
      Handler: 'index.handler',
      MemorySize: FUNCTIONS[name].memoryMiB,
      Timeout: FUNCTIONS[name].timeoutSeconds,
    });
  });

  test('writes to its own log group, kept for 30 days, and to no other', () => {
    template.hasResourceProperties('AWS::Logs::LogGroup', {
      LogGroupName: `/aws/lambda/holdfast-prod-${name}`,
      RetentionInDays: 30,
    });
    const logs = statementsOf(template, name).filter((s) => s.actions.some((a) => a.startsWith('logs:')));
    expect(logs).toHaveLength(1);
    expect(logs[0]?.resources).toEqual([
      `arn:<AWS::Partition>:logs:<AWS::Region>:<AWS::AccountId>:log-group:/aws/lambda/holdfast-prod-${name}:*`,
    ]);
  });

  test('knows its account, of which the buckets are, and the role of Jobs only if it mints credentials', () => {
    const { Variables } = byName(name)?.Environment ?? {};
    expect(flat(Variables.HOLDFAST_ACCOUNT)).toBe('<AWS::AccountId>');
    expect('HOLDFAST_JOB_ROLE_ARN' in Variables).toBe(RIGHTS[name].mints !== undefined);
  });
});

test('no two functions share a role, and no role has a managed policy', () => {
  const roles = functions.map((f) => flat(f.Role));
  expect(new Set(roles).size).toBe(FUNCTION_NAMES.length);
  const all = Object.values(template.findResources('AWS::IAM::Role'));
  expect(all.filter((role) => role.Properties.ManagedPolicyArns)).toEqual([]);
});
