import { runSimulation, type Simulation } from '@cloud-copilot/iam-simulate';
import type { Ask, Context, Who } from './ask.ts';
import type { BucketModel, KeyModel, Model, Policy, Role } from './model.ts';

/** A statement that allowed something, and what of it. */
export interface Used {
  /** Whose policy: the short name of a role, or `policy of ARN`. */
  readonly owner: string;
  readonly statement: object;
  readonly ask: Pick<Ask, 'action' | 'resource' | 'context'>;
}

/** What IAM would answer. */
export interface Verdict {
  readonly allowed: boolean;
  /** ARN of what was asked for. */
  readonly resource: string;
  /** For a denial: who asks under which role, what stands against it or is missing. */
  readonly why: string;
  readonly used: readonly Used[];
}

/** What is asked for is in no template. */
class NotThere extends Error {}

/** Who asks nothing of the templates' roles: tests' own functions and roles. Not judged. */
export class NotOurs extends Error {}

interface Asker {
  /** As policies name it: the ARN of an assumed role, or a service. */
  readonly principal: string;
  readonly role: Role | undefined;
  readonly sessionPolicy: Policy | undefined;
  readonly tags: Readonly<Record<string, string>>;
}

interface Target {
  readonly arn: string;
  readonly account: string;
  readonly owner: string;
  readonly policy: Policy | undefined;
  readonly context: Context;
}

/** Judges a question by the policies of a model, with nothing else on its side than what the templates say. */
export async function judge(model: Model, ask: Ask): Promise<Verdict> {
  const asker = askerOf(model, ask.who);
  const target = targetOrNot(model, ask);
  if (target instanceof NotThere)
    return { allowed: false, resource: ask.resource, why: target.message, used: [] };
  if (target === undefined) return { allowed: true, resource: ask.resource, why: '', used: [] };
  const { role } = asker;
  const simulation: Simulation = {
    request: {
      principal: asker.principal,
      action: ask.action,
      resource: { resource: target.arn, accountId: target.account },
      contextVariables: { ...contextOf(asker, target), ...target.context, ...ask.context },
    },
    identityPolicies: [...(role?.policies ?? [])],
    serviceControlPolicies: [],
    resourceControlPolicies: [],
    ...(target.policy && { resourcePolicy: target.policy }),
    ...(asker.sessionPolicy && { sessionPolicy: asker.sessionPolicy }),
  };
  const result = await runSimulation(simulation, { simulationMode: 'Strict' });
  if (result.resultType !== 'single')
    throw new Error(`${ask.action} on ${target.arn}: ${JSON.stringify(result)}`);
  const { analysis } = result.result;
  const allowing = (side: { allowStatements: { statement: unknown }[] } | undefined, owner: string): Used[] =>
    (side?.allowStatements ?? []).map(({ statement }) => ({
      owner,
      statement: JSON.parse(JSON.stringify(statement)) as object, // an object of the simulator's own
      ask: { ...ask, resource: target.arn },
    }));
  const allowed = result.overallResult === 'Allowed';
  return {
    allowed,
    resource: target.arn,
    why: allowed ? '' : denial(result.overallResult, asker, target, analysis),
    used: [
      ...allowing(analysis.identityAnalysis, role?.short ?? ''),
      ...allowing(analysis.resourceAnalysis, target.owner),
    ],
  };
}

type Sides = {
  readonly identityAnalysis?: { result: string; denyStatements: { statement: unknown }[] } | undefined;
  readonly resourceAnalysis?: { result: string; denyStatements: { statement: unknown }[] } | undefined;
  readonly sessionAnalysis?: { result: string; denyStatements: { statement: unknown }[] } | undefined;
};

/** Which side says no, and what would have to be added. */
function denial(result: string, { role, principal }: Asker, target: Target, sides: Sides): string {
  const named = [
    [`policies of ${role?.name ?? principal}`, sides.identityAnalysis],
    [target.owner, sides.resourceAnalysis],
    ['session policy', sides.sessionAnalysis],
  ] as const;
  const denying = named.flatMap(([name, side]) =>
    (side?.denyStatements ?? []).map(({ statement }) => `${name} denies: ${JSON.stringify(statement)}`),
  );
  if (denying.length > 0) return denying.join('; ');
  const silent = named.flatMap(([name, side]) =>
    side && side.result !== 'Allowed' && side.result !== 'NotApplicable' ? [name] : [],
  );
  return `${result}: no statement allows it in ${silent.join(' and in ')}`;
}

function askerOf(model: Model, who: Who): Asker {
  const none = { sessionPolicy: undefined, tags: {} };
  if (who.kind === 'service') return { principal: who.name, role: undefined, ...none };
  const role = roleFor(model, who);
  if (!role) throw new NotOurs();
  const session = who.kind === 'session' ? who.session : undefined;
  return {
    principal: `arn:aws:sts::${role.account}:assumed-role/${role.name}/${session?.name ?? 'holdfast'}`,
    role,
    sessionPolicy: session?.policy ? (JSON.parse(session.policy) as Policy) : undefined,
    tags: Object.fromEntries((session?.tags ?? []).map(({ Key, Value }) => [Key, Value])),
  };
}

function roleFor(model: Model, who: Exclude<Who, { kind: 'service' }>): Role | undefined {
  const named = (name: string) => model.roles.find((role) => role.name === name || role.id === name);
  if (who.kind === 'session') return named(who.session.role.split('/').at(-1) ?? '');
  if (who.kind === 'role') return named(who.name);
  return model.roleOf(who.kind, who.kind === 'schedule' ? `${who.group}/${who.name}` : who.name);
}

/** What conditions may ask of every call: it is signed, by TLS, of a role. */
function contextOf({ role, principal, tags }: Asker, { account }: Target): Context {
  const common = {
    'aws:SecureTransport': 'true',
    's3:TlsVersion': '1.3',
    'aws:ResourceAccount': account,
    's3:ResourceAccount': account,
  };
  if (!role) return { ...common, 'aws:PrincipalServiceName': principal, 'aws:PrincipalIsAWSService': 'true' };
  return {
    ...common,
    'aws:PrincipalArn': role.arn,
    'aws:PrincipalAccount': role.account,
    'aws:PrincipalType': 'AssumedRole',
    'aws:PrincipalIsAWSService': 'false',
    ...Object.fromEntries(
      Object.entries({ ...role.tags, ...tags }).map(([key, value]) => [`aws:PrincipalTag/${key}`, value]),
    ),
  };
}

function targetOrNot(model: Model, ask: Ask): Target | NotThere | undefined {
  try {
    return targetOf(model, ask);
  } catch (error) {
    if (error instanceof NotThere) return error;
    throw error;
  }
}

/** What is asked for. Undefined: the key of a bucket that has none. */
function targetOf(model: Model, ask: Ask): Target | undefined {
  const [kind, ...rest] = ask.resource.split(':');
  if (kind === 'key-of') {
    const bucket = model.buckets.find(({ name }) => name === rest.join(':'));
    return bucket?.key && keyTarget(bucket.key, viaS3(bucket));
  }
  if (kind === 'alias-of') {
    const alias = rest.slice(1).join(':');
    const key = model.keys.find((k) => k.region === rest[0] && k.aliases.includes(alias));
    if (!key) throw new NotThere(`no template has the key ${alias} in ${rest[0]}`);
    return keyTarget(key, { 'kms:RequestAlias': alias });
  }
  return arnTarget(model, ask);
}

const keyTarget = ({ arn, account, aliases, policy }: KeyModel, context: Context): Target => ({
  arn,
  account,
  policy,
  owner: `policy of the key ${aliases.join(', ')} (${arn})`,
  context: { ...context, 'kms:ResourceAliases': [...aliases] },
});

/** S3 uses a key of a bucket with a bucket key: its context is the bucket. */
const viaS3 = ({ region, name }: BucketModel): Context => ({
  'kms:ViaService': `s3.${region}.amazonaws.com`,
  'kms:EncryptionContext:aws:s3:arn': `arn:aws:s3:::${name}`,
});

function arnTarget(model: Model, ask: Ask): Target {
  const [, , service = '', , account = ''] = ask.resource.split(':');
  const plain = { arn: ask.resource, account: account || (model.stacks[0]?.account ?? ''), context: {} };
  if (service === 's3') {
    const name = ask.resource.split(':::')[1]?.split('/')[0];
    const bucket = model.buckets.find((b) => b.name === name);
    const owner = `policy of the bucket ${name}`;
    return { ...plain, account: bucket?.account ?? plain.account, policy: bucket?.policy, owner };
  }
  if (service === 'iam') {
    const role = model.roles.find(({ arn }) => arn === ask.resource);
    if (!role) throw new NotThere(`no template has the role ${ask.resource}`);
    return { ...plain, policy: role.trust, owner: `trust of ${role.short}` };
  }
  if (service === 'sqs') {
    return { ...plain, policy: model.queues.get(ask.resource), owner: `policy of the queue ${ask.resource}` };
  }
  return { ...plain, policy: undefined, owner: `policy of ${ask.resource}` };
}
