import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { afterAll, describe, expect, test } from 'vitest';
import { AslMachine, type AslMachineProps } from '../../infra/constructs/asl-machine.ts';
import { allowed, app } from './support.ts';

const folder = mkdtempSync(join(tmpdir(), 'holdfast-map-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A stack with the machine `lock`, whose only state is a Map in this mode. */
function stackWith(mode: 'DISTRIBUTED' | 'INLINE', props: Partial<AslMachineProps>): Template {
  const processor = {
    ProcessorConfig: mode === 'INLINE' ? { Mode: mode } : { Mode: mode, ExecutionType: 'STANDARD' },
    StartAt: 'One',
    States: { One: { Type: 'Pass', End: true } },
  };
  const map = { Type: 'Map', Comment: `\${Partition}`, ItemProcessor: processor, End: true };
  const definition = { QueryLanguage: 'JSONata', StartAt: 'Shards', States: { Shards: map } };
  writeFileSync(join(folder, 'lock.asl.json'), JSON.stringify(definition));
  const stack = new Stack(app(), 'stack');
  const directory = pathToFileURL(`${folder}/`);
  new AslMachine(stack, { cluster: 'prod', machine: 'lock', functions: [], directory, ...props });
  return Template.fromStack(stack);
}
const statements = [
  new PolicyStatement({ actions: ['s3:GetObject'], resources: ['arn:aws:s3:::vault/list'] }),
];
const rights = (template: Template) =>
  ['StartExecution', 'StopExecution', 'RedriveExecution'].map(
    (action) => allowed(template, 'machine-lock', `states:${action}`).length,
  );

describe('a machine', () => {
  test('with a distributed Map that is said may run itself for the items, and nothing more is asked', () => {
    expect(rights(stackWith('DISTRIBUTED', { distributedMap: true }))).toEqual([1, 1, 1]);
  });

  test('with statements of its own may not run itself for that', () => {
    const template = stackWith('INLINE', { statements });
    expect(allowed(template, 'machine-lock', 's3:GetObject')).toHaveLength(1);
    expect(rights(template)).toEqual([0, 0, 0]);
  });

  test.each([{}, { distributedMap: false }, { statements }])(
    'with a distributed Map that is not said (%j) ends the synth',
    (props) => {
      expect(() => stackWith('DISTRIBUTED', props)).toThrow(
        /lock\.asl\.json: state Shards is a Map in DISTRIBUTED mode: give the machine lock distributedMap: true$/,
      );
    },
  );

  test('that says a distributed Map and has none ends the synth', () => {
    expect(() => stackWith('INLINE', { distributedMap: true })).toThrow(
      /lock\.asl\.json has no Map in DISTRIBUTED mode: take distributedMap from the machine lock$/,
    );
  });
});
