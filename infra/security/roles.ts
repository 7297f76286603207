/** One action that a role may do on one resource, as its template says it. */
export interface Right {
  readonly action: string;
  /** Readable: `arn:<AWS::Partition>:s3:::…`. */
  readonly resource: string;
  readonly condition: unknown;
  readonly denied: boolean;
}

export interface RoleRights {
  /** Path of the construct below its stack, without what every role's path ends with. */
  readonly path: string;
  /** The Lambda function that runs under it, by its name in AWS. */
  readonly functionName: string | undefined;
  readonly rights: readonly Right[];
}

interface Resource {
  readonly Type: string;
  // biome-ignore lint/suspicious/noExplicitAny: a template is what CloudFormation takes, of any shape
  readonly Properties?: any;
  readonly Metadata?: Readonly<Record<string, unknown>>;
}
export interface TemplateJson {
  readonly Resources?: Readonly<Record<string, Resource>>;
}

/** CloudFormation's intrinsic functions as one readable text: `arn:<AWS::Partition>:s3:::…`. */
export function flat(value: unknown): string {
  if (typeof value === 'string') return value;
  const { Ref, 'Fn::GetAtt': att, 'Fn::Join': join } = value as Record<string, unknown>;
  if (typeof Ref === 'string') return `<${Ref}>`;
  if (Array.isArray(att)) return `<${att.join('.')}>`;
  if (Array.isArray(join)) return (join[1] as unknown[]).map(flat).join(join[0] as string);
  throw new Error(`unexpected in a template: ${JSON.stringify(value)}`);
}

const list = <T>(value: T | T[]): T[] => (Array.isArray(value) ? value : [value]);

/** Every role of a template with all that it may do, by the policies that are attached to it and its own. */
export function rolesOf({ Resources = {} }: TemplateJson): RoleRights[] {
  const all = Object.entries(Resources);
  const ofType = (type: string) => all.filter(([, r]) => r.Type === type);
  return ofType('AWS::IAM::Role').map(([id, role]) => {
    const attached = ofType('AWS::IAM::Policy')
      .filter(([, policy]) => policy.Properties.Roles.some((r: unknown) => flat(r) === `<${id}>`))
      .map(([, policy]) => policy.Properties.PolicyDocument);
    const own = (role.Properties.Policies ?? []).map((p: { PolicyDocument: unknown }) => p.PolicyDocument);
    const managed = (role.Properties.ManagedPolicyArns ?? []).map((arn: unknown): Right => {
      return { action: 'managed policy', resource: flat(arn), condition: undefined, denied: false };
    });
    const runs = ofType('AWS::Lambda::Function').find(([, f]) => flat(f.Properties.Role) === `<${id}.Arn>`);
    const path = String(role.Metadata?.['aws:cdk:path'] ?? id);
    return {
      path: path
        .split('/')
        .slice(1)
        .join('/')
        .replace(/\/Resource$/, ''),
      functionName: runs && flat(runs[1].Properties.FunctionName ?? runs[0]),
      rights: [
        ...[...attached, ...own].flatMap((document) => document.Statement.flatMap(rightsOf)),
        ...managed,
      ],
    };
  });
}

// biome-ignore lint/suspicious/noExplicitAny: as above
const rightsOf = (statement: any): Right[] =>
  list<unknown>(statement.Action ?? statement.NotAction).flatMap((action) =>
    list<unknown>(statement.Resource ?? statement.NotResource).map((resource) => ({
      action: `${statement.NotAction ? 'all but ' : ''}${action}`,
      resource: `${statement.NotResource ? 'all but ' : ''}${flat(resource)}`,
      condition: statement.Condition,
      denied: statement.Effect === 'Deny',
    })),
  );
