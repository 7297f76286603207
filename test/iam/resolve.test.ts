import { describe, expect, it } from 'vitest';
import { type PlacedStack, resolve } from './resolve.ts';

/** How Fn::Sub names what it puts in. */
const variable = (name: string): string => `$\{${name}}`;

const stack: PlacedStack = {
  name: 'holdfast-cluster-a-long-name-of-a-cluster',
  account: '123456789012',
  region: 'eu-west-1',
  resources: {
    Role: { Type: 'AWS::IAM::Role' },
    Named: { Type: 'AWS::IAM::Role', Properties: { RoleName: 'named' } },
    Bucket: {
      Type: 'AWS::S3::Bucket',
      Properties: { BucketName: { 'Fn::Sub': `b-${variable('AWS::AccountId')}` } },
    },
    Machine: { Type: 'AWS::StepFunctions::StateMachine', Properties: { StateMachineName: 'm' } },
  },
};

describe('what CloudFormation would make of', () => {
  it.each<[unknown, unknown]>([
    [{ Ref: 'AWS::Region' }, 'eu-west-1'],
    [{ 'Fn::Join': [':', ['arn', { Ref: 'AWS::Partition' }, 's3']] }, 'arn:aws:s3'],
    [{ 'Fn::GetAtt': ['Bucket', 'Arn'] }, 'arn:aws:s3:::b-123456789012'],
    [{ 'Fn::GetAtt': ['Named', 'Arn'] }, 'arn:aws:iam::123456789012:role/named'],
    [{ Ref: 'Machine' }, 'arn:aws:states:eu-west-1:123456789012:stateMachine:m'],
    [
      { 'Fn::Sub': [`${variable('x')}-${variable('Machine.Name')}`, { x: { Ref: 'Bucket' } }] },
      'b-123456789012-m',
    ],
    [{ 'Fn::Select': [1, { 'Fn::Split': ['/', 'a/b'] }] }, 'b'],
    [{ list: [{ Ref: 'Named' }] }, { list: ['named'] }],
  ])('%j', (value, expected) => {
    expect(resolve(value, stack)).toEqual(expected);
  });

  it('a role without a name: a name as AWS makes it, which policies may go by', () => {
    expect(resolve({ Ref: 'Role' }, stack)).toBe('holdfast-cluster-a-long--Role-1A2B3C4D5E6F');
  });

  it('is not guessed: a function that is not known, and what is not there', () => {
    expect(() => resolve({ 'Fn::ImportValue': 'x' }, stack)).toThrow('Fn::ImportValue');
    expect(() => resolve({ Ref: 'Nothing' }, stack)).toThrow('Nothing');
  });
});
