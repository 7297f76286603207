import { UnknownCall } from './ask.ts';
import type { Request } from './recording.ts';
import { type Need, s3Needs } from './s3-calls.ts';

/** Where a request went: parts of the ARNs of what it names. */
interface Place {
  readonly region: string;
  readonly account: string;
}

type Table = Readonly<Record<string, (body: Readonly<Record<string, unknown>>, place: Place) => Need[]>>;

const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const arn = (service: string, { region, account }: Place, rest: string): string =>
  `arn:aws:${service}:${region}:${account}:${rest}`;

/** A secret by name gets the six characters that AWS appends to names. */
const secret = (id: unknown, place: Place): string =>
  text(id).startsWith('arn:') ? text(id) : arn('secretsmanager', place, `secret:${text(id)}-a1B2c3`);
const keyOf = (id: unknown, place: Place): string =>
  text(id).startsWith('alias/') ? `alias-of:${place.region}:${text(id)}` : text(id);

const onSecret = (action: string) => (body: Readonly<Record<string, unknown>>, place: Place) => [
  { action: `secretsmanager:${action}`, resource: secret(body.SecretId, place) },
];
const onKey = (action: string) => (body: Readonly<Record<string, unknown>>, place: Place) => [
  { action: `kms:${action}`, resource: keyOf(body.KeyId, place) },
];
const onMachine = (action: string) => (body: Readonly<Record<string, unknown>>) => [
  { action: `states:${action}`, resource: text(body.stateMachineArn ?? body.executionArn) },
];

/** JSON calls by the last word of X-Amz-Target; services by the name that signs. */
const JSON_CALLS: Readonly<Record<string, Table>> = {
  secretsmanager: {
    GetSecretValue: onSecret('GetSecretValue'),
    DescribeSecret: onSecret('DescribeSecret'),
    PutSecretValue: onSecret('PutSecretValue'),
    UpdateSecretVersionStage: onSecret('UpdateSecretVersionStage'),
  },
  kms: {
    Sign: onKey('Sign'),
    GetPublicKey: onKey('GetPublicKey'),
    Verify: onKey('Verify'),
    DescribeKey: onKey('DescribeKey'),
  },
  states: {
    DescribeExecution: onMachine('DescribeExecution'),
    ListExecutions: onMachine('ListExecutions'),
    StartExecution: onMachine('StartExecution'),
    StopExecution: onMachine('StopExecution'),
  },
};

/** Calls of query protocols by their Action. */
const FORM_CALLS: Readonly<Record<string, Table>> = {
  sts: {
    // Everybody may ask who they are: no policy can allow it, and only an explicit denial takes it away.
    GetCallerIdentity: () => [],
    AssumeRole: assumeRole,
  },
};

/** Session tags are a permission of their own, on the same role. */
function assumeRole(body: Readonly<Record<string, unknown>>): Need[] {
  const resource = text(body.RoleArn);
  const numbers = Object.keys(body).flatMap((name) => name.match(/^Tags\.member\.(\d+)\.Key$/)?.[1] ?? []);
  const tags = numbers.map((n): [string, string] => [
    text(body[`Tags.member.${n}.Key`]),
    text(body[`Tags.member.${n}.Value`]),
  ]);
  const context = {
    'sts:RoleSessionName': text(body.RoleSessionName),
    ...(tags.length > 0 && { 'aws:TagKeys': tags.map(([key]) => key) }),
    ...Object.fromEntries(tags.map(([key, value]) => [`aws:RequestTag/${key}`, value])),
  };
  return [
    { action: 'sts:AssumeRole', resource, context },
    ...(tags.length > 0 ? [{ action: 'sts:TagSession', resource, context }] : []),
  ];
}

/** The permissions that a request needs. `account`: whose the world is. Throws UnknownCall. */
export function needsOf(request: Request, account: string): Need[] {
  if (request.service === 's3') return s3Needs(request);
  const call = request.target?.split('.').at(-1) ?? text(request.body.Action);
  const table = (request.target === undefined ? FORM_CALLS : JSON_CALLS)[request.service];
  const needs = table?.[call];
  if (needs) return needs(request.body, { region: request.region, account });
  if (request.service === 'eks') return eksNeeds(request, account);
  if (request.service === 'scheduler') return schedulerNeeds(request, account);
  throw new UnknownCall(`${request.service} ${call || `${request.method} ${request.path}`}`);
}

/** `GET /schedules/NAME?groupName=GROUP`. */
function schedulerNeeds({ method, path, query, region }: Request, account: string): Need[] {
  const schedule = method === 'GET' && path.match(/^\/schedules\/([^/]+)$/)?.[1];
  if (!schedule) throw new UnknownCall(`scheduler ${method} ${path}`);
  const group = query.groupName ?? 'default';
  const resource = arn('scheduler', { region, account }, `schedule/${group}/${schedule}`);
  return [{ action: 'scheduler:GetSchedule', resource }];
}

function eksNeeds({ method, path, region }: Request, account: string): Need[] {
  const cluster = method === 'GET' && path.match(/^\/clusters\/([^/]+)$/)?.[1];
  if (!cluster) throw new UnknownCall(`eks ${method} ${path}`);
  return [{ action: 'eks:DescribeCluster', resource: arn('eks', { region, account }, `cluster/${cluster}`) }];
}
