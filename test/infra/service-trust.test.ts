import { describe, expect, test } from 'vitest';
import { clusterTemplate, flat, LOCKED, replicaStack, templateOf, vaultStack } from './support.ts';

const CONTINUOUS = 'replication: { mode: continuous }';
const HERE = '<AWS::Partition>:scheduler:<AWS::Region>:<AWS::AccountId>';

interface Trust {
  readonly path: string;
  readonly service: string;
  readonly conditions: Readonly<Record<string, Readonly<Record<string, unknown>>>> | undefined;
}

/** Every service of AWS that a role of the templates trusts. */
const trusts: Trust[] = [
  clusterTemplate(undefined, {}, LOCKED),
  templateOf(vaultStack(`${LOCKED}, ${CONTINUOUS}`)),
  templateOf(replicaStack(LOCKED)),
].flatMap((template) =>
  Object.values(template.findResources('AWS::IAM::Role')).flatMap((role) =>
    role.Properties.AssumeRolePolicyDocument.Statement.flatMap(
      (s: { Principal: { Service?: unknown }; Condition?: Trust['conditions'] }): Trust[] =>
        s.Principal.Service === undefined
          ? []
          : [
              {
                path: String(role.Metadata?.['aws:cdk:path']).split('/').slice(1, -2).join('/'),
                service: flat(s.Principal.Service),
                conditions: s.Condition,
              },
            ],
    ),
  ),
);
const of = (service: string) => trusts.filter((trust) => trust.service === service);
const sources = ({ conditions }: Trust) => [conditions?.ArnLike?.['aws:SourceArn']].flat().map(flat);

describe('no service of AWS uses a role for another account’s resources', () => {
  test('each role is for resources of this account, which are named', () => {
    for (const trust of trusts.filter(({ service }) => service !== 'lambda.amazonaws.com')) {
      expect(trust.conditions?.StringEquals?.['aws:SourceAccount'], trust.path).toEqual({
        Ref: 'AWS::AccountId',
      });
      expect(sources(trust).length, trust.path).toBeGreaterThan(0);
    }
  });

  test('the services are these; Lambda alone does not say for which resource it assumes a role', () => {
    expect([...new Set(trusts.map(({ service }) => service))].sort()).toEqual([
      'lambda.amazonaws.com',
      's3.amazonaws.com',
      'scheduler.amazonaws.com',
      'states.amazonaws.com',
    ]);
  });

  test('EventBridge Scheduler acts for the schedules of the cluster’s group', () => {
    expect(of('scheduler.amazonaws.com').map(({ path }) => path)).toContain('backup-nightly');
    for (const trust of of('scheduler.amazonaws.com'))
      expect(sources(trust)).toEqual([`arn:${HERE}:schedule-group/<Schedules>`]);
  });

  test('Step Functions acts for the one machine that the role is of', () => {
    const machines = of('states.amazonaws.com').map((trust) => [trust.path, sources(trust)[0]]);
    expect(machines).toHaveLength(6);
    for (const [path, arn] of machines)
      expect(arn).toBe(
        `arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:stateMachine:holdfast-prod-${path?.replace('machine-', '')}`,
      );
  });

  test('S3 acts for the primary bucket', () => {
    expect(of('s3.amazonaws.com').map(sources)).toEqual([
      ['arn:<AWS::Partition>:s3:::holdfast-vault-<AWS::AccountId>-eu-west-1'],
    ]);
  });
});
