import { arnOf, type PlacedStack, physicalName, type Resource, resolve, resolveText } from './resolve.ts';

/** A policy document, resolved. */
export interface Policy {
  readonly Version: string;
  readonly Statement: readonly object[];
}

/** A role of the templates, with every policy that counts for it. */
export interface Role {
  /** Its name on AWS. */
  readonly name: string;
  readonly id: string;
  readonly arn: string;
  readonly account: string;
  /** For people and for the file of reasons: what runs with it, without the cluster's name. */
  readonly short: string;
  readonly trust: Policy;
  readonly policies: readonly { readonly name: string; readonly policy: Policy }[];
  readonly tags: Readonly<Record<string, string>>;
}

export interface KeyModel {
  readonly arn: string;
  readonly account: string;
  readonly region: string;
  readonly aliases: readonly string[];
  readonly policy: Policy;
}

export interface BucketModel {
  readonly name: string;
  readonly account: string;
  readonly region: string;
  readonly policy: Policy | undefined;
  readonly key: KeyModel | undefined;
}

/** What the templates of one configuration say about permissions. */
export interface Model {
  readonly stacks: readonly PlacedStack[];
  readonly roles: readonly Role[];
  readonly buckets: readonly BucketModel[];
  readonly keys: readonly KeyModel[];
  /** Policies of queues by their ARNs. */
  readonly queues: ReadonlyMap<string, Policy>;
  /** Role of a function, a machine or a schedule (`GROUP/NAME`) by its name. */
  readonly roleOf: (kind: 'function' | 'machine' | 'schedule', name: string) => Role | undefined;
}

type Of = readonly [id: string, resource: Resource, stack: PlacedStack];
type Properties = Readonly<Record<string, unknown>>;

/** Reads the templates of all stacks of a configuration. */
export function modelOf(stacks: readonly PlacedStack[]): Model {
  const all = stacks.flatMap((stack) =>
    Object.entries(stack.resources).map(([id, resource]): Of => [id, resource, stack]),
  );
  const of = (type: string) => all.filter(([, { Type }]) => Type === type);
  const keys = of('AWS::KMS::Key').map((entry) => keyModel(entry, of('AWS::KMS::Alias')));
  const roles = of('AWS::IAM::Role').map((entry) => roleModel(entry, of));
  const owned = new Map(ownersOf(of, roles));
  return {
    stacks,
    roles,
    keys,
    buckets: of('AWS::S3::Bucket').map((entry) => bucketModel(entry, of('AWS::S3::BucketPolicy'), keys)),
    queues: new Map(
      of('AWS::SQS::QueuePolicy').flatMap(([, { Properties = {} }, stack]) =>
        queuesOf(Properties, stack).map((arn): [string, Policy] => [
          arn,
          resolve(Properties.PolicyDocument, stack) as Policy,
        ]),
      ),
    ),
    roleOf: (kind, name) => owned.get(`${kind} ${name}`),
  };
}

/** The queues of a policy: `Ref` of a queue is its URL, here its name. */
function queuesOf({ Queues }: Properties, stack: PlacedStack): string[] {
  return (Queues as { Ref: string }[]).map(({ Ref }) => arnOf(Ref, stack));
}

const roleId = (reference: unknown): string =>
  String((reference as { 'Fn::GetAtt': [string] })['Fn::GetAtt']?.[0]);

/** Which role each function, machine and schedule has. */
function ownersOf(of: (type: string) => Of[], roles: readonly Role[]): [string, Role][] {
  const entry = (kind: string, name: (of: Of) => string, role: (properties: Properties) => unknown) => {
    return (item: Of): [string, Role][] => {
      const [, { Properties = {} }, stack] = item;
      const found = roles.find((r) => r.arn === arnOf(roleId(role(Properties)), stack));
      return found ? [[`${kind} ${name(item)}`, found]] : [];
    };
  };
  const named = ([id, , stack]: Of) => physicalName(id, stack);
  const inGroup = ([, { Properties = {} }, stack]: Of) =>
    `${resolveText(Properties.GroupName ?? 'default', stack)}/${resolveText(Properties.Name, stack)}`;
  return [
    ...of('AWS::Lambda::Function').flatMap(entry('function', named, ({ Role }) => Role)),
    ...of('AWS::StepFunctions::StateMachine').flatMap(entry('machine', named, ({ RoleArn }) => RoleArn)),
    ...of('AWS::Scheduler::Schedule').flatMap(
      entry('schedule', inGroup, ({ Target }) => (Target as Properties).RoleArn),
    ),
  ];
}

function roleModel([id, resource, stack]: Of, of: (type: string) => Of[]): Role {
  const { Properties = {}, Metadata = {} } = resource;
  const attached = [...of('AWS::IAM::Policy'), ...of('AWS::IAM::ManagedPolicy')]
    .filter(([, policy, home]) => {
      const roles = (policy.Properties?.Roles ?? []) as unknown[];
      return home === stack && roles.some((role) => resolveText(role, stack) === physicalName(id, stack));
    })
    .map(([name, { Properties: { PolicyDocument } = {} }]) => ({ name, policy: PolicyDocument }));
  const own = ((Properties.Policies ?? []) as Properties[]).map((p) => ({
    name: String(p.PolicyName),
    policy: p.PolicyDocument,
  }));
  if (((Properties.ManagedPolicyArns ?? []) as unknown[]).length > 0)
    throw new Error(`${stack.name}: ${id} has managed policies, which no template shows`);
  const path = String(Metadata['aws:cdk:path'] ?? id);
  return {
    name: physicalName(id, stack),
    id,
    arn: arnOf(id, stack),
    account: stack.account,
    short: path
      .split('/')
      .slice(1)
      .join('/')
      .replace(/(\/Machine)?(\/(Service)?Role)?\/Resource$/, ''),
    trust: resolve(Properties.AssumeRolePolicyDocument, stack) as Policy,
    policies: [...attached, ...own].map(({ name, policy }) => ({
      name,
      policy: resolve(policy, stack) as Policy,
    })),
    tags: tagsOf(resolve(Properties.Tags, stack)),
  };
}

const tagsOf = (tags: unknown): Record<string, string> =>
  Object.fromEntries(((tags ?? []) as { Key: string; Value: string }[]).map((t) => [t.Key, t.Value]));

function keyModel([id, { Properties = {} }, stack]: Of, aliases: readonly Of[]): KeyModel {
  const own = aliases.filter(([, alias, home]) => {
    return home === stack && roleId(alias.Properties?.TargetKeyId) === id;
  });
  return {
    arn: arnOf(id, stack),
    account: stack.account,
    region: stack.region,
    aliases: own.map(([, alias]) => resolveText(alias.Properties?.AliasName, stack)),
    policy: resolve(Properties.KeyPolicy, stack) as Policy,
  };
}

function bucketModel(
  [id, { Properties = {} }, stack]: Of,
  policies: readonly Of[],
  keys: readonly KeyModel[],
): BucketModel {
  const name = physicalName(id, stack);
  const policy = policies.find(
    ([, { Properties: p = {} }, home]) => home === stack && resolveText(p.Bucket, home) === name,
  );
  const encryption = JSON.stringify(resolve(Properties.BucketEncryption, stack) ?? {});
  return {
    name,
    account: stack.account,
    region: stack.region,
    policy: policy && (resolve(policy[1].Properties?.PolicyDocument, stack) as Policy),
    key: keys.find(({ arn }) => encryption.includes(`"${arn}"`)),
  };
}
