/** A resource of a template. */
export interface Resource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
  readonly Metadata?: Readonly<Record<string, unknown>>;
}

/** A synthesized stack with where it would be deployed. */
export interface PlacedStack {
  readonly name: string;
  readonly account: string;
  readonly region: string;
  readonly resources: Readonly<Record<string, Resource>>;
}

const PARTITION = 'aws';

type Fields = Readonly<Record<string, unknown>>;

/** What CloudFormation would make of a value of a template. A function that is not known here throws with its name. */
export function resolve(value: unknown, stack: PlacedStack): unknown {
  if (Array.isArray(value)) return value.map((item) => resolve(item, stack));
  if (typeof value !== 'object' || value === null) return value;
  const [[name, argument] = ['', undefined], ...more] = Object.entries(value);
  if (more.length === 0 && (name === 'Ref' || name.startsWith('Fn::'))) return call(name, argument, stack);
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, resolve(child, stack)]));
}

/** The same for what must become a text. */
export function resolveText(value: unknown, stack: PlacedStack): string {
  const text = resolve(value, stack);
  if (typeof text !== 'string') throw new Error(`no text in ${stack.name}: ${JSON.stringify(value)}`);
  return text;
}

function call(name: string, argument: unknown, stack: PlacedStack): unknown {
  const list = () => resolve(argument, stack) as unknown[];
  switch (name) {
    case 'Ref':
      return refTo(String(argument), stack);
    case 'Fn::GetAtt': {
      const [id, att] = typeof argument === 'string' ? argument.split('.') : (argument as string[]);
      return attributeOf(id ?? '', att ?? '', stack);
    }
    case 'Fn::Join': {
      const [separator, parts] = list() as [string, string[]];
      return parts.join(separator);
    }
    case 'Fn::Select': {
      const [index, items] = list() as [string | number, string[]];
      return items[Number(index)];
    }
    case 'Fn::Split': {
      const [separator, text] = list() as [string, string];
      return text.split(separator);
    }
    case 'Fn::Sub':
      return substitute(argument, stack);
    default:
      throw new Error(`${stack.name} uses ${name}, which test/iam/resolve.ts does not know`);
  }
}

function substitute(argument: unknown, stack: PlacedStack): string {
  const [template, given] = (Array.isArray(argument) ? argument : [argument, {}]) as [string, Fields];
  return template.replace(/\$\{([^}!]+)\}/g, (_, name: string) => {
    if (name in given) return resolveText(given[name], stack);
    const [id = '', att] = name.split('.');
    return String(att === undefined ? refTo(id, stack) : attributeOf(id, att, stack));
  });
}

const pseudo = ({ account, region, name }: PlacedStack): Readonly<Record<string, string>> => ({
  'AWS::AccountId': account,
  'AWS::Partition': PARTITION,
  'AWS::Region': region,
  'AWS::StackName': name,
  'AWS::StackId': `arn:${PARTITION}:cloudformation:${region}:${account}:stack/${name}/0`,
  'AWS::URLSuffix': 'amazonaws.com',
});

function refTo(id: string, stack: PlacedStack): string {
  const known = pseudo(stack)[id];
  if (known !== undefined) return known;
  const { Type } = resourceOf(id, stack);
  return REF_IS_ARN.includes(Type) ? arnOf(id, stack) : physicalName(id, stack);
}

const REF_IS_ARN = [
  'AWS::StepFunctions::StateMachine',
  'AWS::SecretsManager::Secret',
  'AWS::SNS::Topic',
  'AWS::IAM::ManagedPolicy',
];

function attributeOf(id: string, attribute: string, stack: PlacedStack): string {
  if (attribute === 'Arn') return arnOf(id, stack);
  return attribute.endsWith('Name') ? physicalName(id, stack) : `${id}.${attribute}`;
}

function resourceOf(id: string, stack: PlacedStack): Resource {
  const found = stack.resources[id];
  if (!found) throw new Error(`${stack.name} refers to ${id}, which it does not have`);
  return found;
}

const NAME_PROPERTIES = [
  ...['BucketName', 'FunctionName', 'StateMachineName', 'RoleName', 'LogGroupName', 'QueueName'],
  ...['TopicName', 'TrailName', 'Name'],
];

/** The name of a resource on AWS. CloudFormation makes those that the template does not give. */
export function physicalName(id: string, stack: PlacedStack): string {
  const { Type, Properties = {} } = resourceOf(id, stack);
  if (Type === 'AWS::KMS::Key') return id;
  const given = NAME_PROPERTIES.find((property) => Properties[property] !== undefined);
  if (given) return resolveText(Properties[given], stack);
  // Role names have 64 characters at most: 24 of the stack's, 24 of the id, and 12 that are random.
  return `${stack.name.slice(0, 24)}-${id.slice(0, 24)}-1A2B3C4D5E6F`;
}

/** The ARN of a resource. */
export function arnOf(id: string, stack: PlacedStack): string {
  const { Type, Properties = {} } = resourceOf(id, stack);
  const { account, region } = stack;
  const name = physicalName(id, stack);
  const regional = (service: string, rest: string) =>
    `arn:${PARTITION}:${service}:${region}:${account}:${rest}`;
  switch (Type) {
    case 'AWS::S3::Bucket':
      return `arn:${PARTITION}:s3:::${name}`;
    case 'AWS::IAM::Role':
      return `arn:${PARTITION}:iam::${account}:role/${name}`;
    case 'AWS::IAM::ManagedPolicy':
      return `arn:${PARTITION}:iam::${account}:policy/${name}`;
    case 'AWS::KMS::Key':
      return regional('kms', `key/${name}`);
    case 'AWS::Lambda::Function':
      return regional('lambda', `function:${name}`);
    case 'AWS::StepFunctions::StateMachine':
      return regional('states', `stateMachine:${name}`);
    case 'AWS::Logs::LogGroup':
      return regional('logs', `log-group:${name}:*`);
    case 'AWS::SecretsManager::Secret':
      return regional('secretsmanager', `secret:${resolveText(Properties.Name ?? id, stack)}-a1B2c3`);
    case 'AWS::SQS::Queue':
      return regional('sqs', name);
    case 'AWS::SNS::Topic':
      return regional('sns', name);
    case 'AWS::Scheduler::ScheduleGroup':
      return regional('scheduler', `schedule-group/${name}`);
    case 'AWS::CloudTrail::Trail':
      return regional('cloudtrail', `trail/${name}`);
    default:
      return regional(Type.split('::')[1]?.toLowerCase() ?? '', name);
  }
}
