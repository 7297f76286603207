import type { Template } from 'aws-cdk-lib/assertions';
import type { FunctionName } from '../../functions/contract/functions.ts';
import { flat, type Statement, statementsOf } from '../infra/support.ts';

/** Name of the role that a function gives to its Jobs: the one that its own role may assume. */
export function jobRoleOf(template: Template, name: FunctionName): string {
  const arns = statementsOf(template, name)
    .filter((s) => s.actions.includes('sts:AssumeRole'))
    .flatMap((s) => s.resources);
  if (arns.length !== 1) throw new Error(`${name} may assume ${arns.length} roles`);
  return (arns[0] as string).split(':role/')[1] as string;
}

/** Statements of a role of Jobs for the Jobs of one namespace: what IAM makes of them when a session has its tag. */
export function roleStatements(template: Template, roleName: string, namespace: string): Statement[] {
  const [id] =
    Object.entries(template.findResources('AWS::IAM::Role')).find(
      ([, role]) => role.Properties.RoleName !== undefined && flat(role.Properties.RoleName) === roleName,
    ) ?? [];
  if (id === undefined) throw new Error(`no role is named ${roleName}`);
  const policies = Object.values(template.findResources('AWS::IAM::Policy')).filter((policy) =>
    policy.Properties.Roles.some((role: unknown) => flat(role) === `<${id}>`),
  );
  const tagged = <T>(value: T): T =>
    JSON.parse(JSON.stringify(value ?? null).replaceAll(/\$\{aws:PrincipalTag\/[^}]+\}/g, namespace)) as T;
  const list = <T>(value: T | T[]): T[] => (Array.isArray(value) ? value : [value]);
  return policies.flatMap((policy) =>
    policy.Properties.PolicyDocument.Statement.map((s: Record<string, never>) => ({
      actions: list(s.Action),
      resources: list(s.Resource).map((resource) => tagged(flat(resource))),
      condition: s.Condition === undefined ? undefined : tagged(s.Condition),
    })),
  );
}
