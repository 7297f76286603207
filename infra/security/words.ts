import {
  JOB_USES,
  jobRoleName,
  masterSecretName,
  NAMESPACE_TAG,
  signingKeyAlias,
  vaultKeyAlias,
} from '../../functions/contract/names.ts';
import type { Right } from './roles.ts';

/** Columns of the table: primary, replica, keys, secrets, other. Rights without a description are in the last one. */
export type Column = 'first' | 'second' | 'keys' | 'secrets' | 'more';

export interface Word {
  readonly column: Column;
  /** What is done: rights of one verb are listed together. */
  readonly verb: string;
  readonly object: string;
}

export interface Names {
  readonly cluster: string;
  readonly vault: string;
  readonly regions: { readonly first: string; readonly second: string };
  readonly secrets: { readonly backup: string; readonly restore: string };
  /** What a logical id of the template is: the function, or the machine. */
  readonly called: ReadonlyMap<string, string>;
}

const S3_VERBS: Readonly<Record<string, string>> = {
  's3:GetObject': 'reads',
  's3:PutObject': 'writes',
  's3:DeleteObject': 'deletes',
  's3:ListBucket': 'lists',
  's3:ListBucketVersions': 'lists versions of',
  's3:GetObjectRetention': 'reads object retention of',
  's3:PutObjectRetention': 'extends object retention of',
};

/** Rights that the table omits: logs, the location of a bucket or a queue, aborting an own upload, the tag of minted credentials. */
const UNSAID = /^(logs:|sts:TagSession$|s3:GetBucketLocation$|s3:AbortMultipartUpload$|sqs:GetQueue)/;

/** Describes a right; empty for rights without effect on the vault. */
export function wordsOf(right: Right, names: Names): Word[] {
  if (UNSAID.test(right.action)) return [];
  return s3Words(right, names) ?? kmsWords(right, names) ?? otherWords(right, names) ?? [raw(right)];
}

function s3Words({ action, resource, condition, denied }: Right, names: Names): Word[] | undefined {
  if (!action.startsWith('s3:')) return undefined;
  const [, region, key] =
    /^arn:<AWS::Partition>:s3:::[^/]*-([a-z]+-[a-z]+-\d)(?:\/(.*))?$/.exec(resource) ?? [];
  const column = (['first', 'second'] as const).find((copy) => names.regions[copy] === region);
  if (!column) return undefined;
  const name = S3_VERBS[action] ?? action.slice('s3:'.length);
  const verb = denied ? `never ${name}` : name;
  const prefixes = prefixesOf(condition);
  if (prefixes) return prefixes.map((prefix) => ({ column, verb, object: place(prefix, names) }));
  const under = condition === undefined ? '' : ` (${conditionWords(condition)})`;
  return [{ column, verb, object: `${key === undefined ? 'the bucket' : place(key, names)}${under}` }];
}

/** `records/prod/*` is the records; what is narrower is named in full. */
const place = (key: string, { cluster }: Names): string =>
  key
    .replace(new RegExp(`^([a-z]+)/${cluster}/\\*$`), '$1')
    .replace(`/${cluster}/`, '/CLUSTER/')
    .replace(`\${aws:PrincipalTag/${NAMESPACE_TAG}}`, 'ITS-NAMESPACE');

/** The prefixes to which a listing is confined, when that is all the condition says. */
function prefixesOf(condition: unknown): string[] | undefined {
  const like = (condition as { StringLike?: { 's3:prefix'?: string | string[] } } | undefined)?.StringLike;
  const prefixes = like?.['s3:prefix'];
  return prefixes === undefined ? undefined : [prefixes].flat();
}

const conditionWords = (condition: unknown): string =>
  Object.entries(condition as Record<string, Record<string, unknown>>)
    .flatMap(([operator, test]) =>
      Object.entries(test).map(([key, value]) => `${key} ${operator} ${[value].flat().join(' ')}`),
    )
    .join(', ');

function kmsWords({ action, resource, condition, denied }: Right, names: Names): Word[] | undefined {
  const alias = (condition as Record<string, Record<string, unknown>> | undefined)?.[
    'ForAnyValue:StringEquals'
  ]?.['kms:ResourceAliases'];
  if (denied || !action.startsWith('kms:')) return undefined;
  if (alias === signingKeyAlias(names.vault)) {
    const verb = { 'kms:Sign': 'signs records', 'kms:GetPublicKey': 'verifies records' }[action];
    return verb ? [{ column: 'keys', verb, object: '' }] : undefined;
  }
  const copy = (['first', 'second'] as const).find((c) => resource.includes(`:kms:${names.regions[c]}:`));
  const uses = action === 'kms:Decrypt' || action === 'kms:GenerateDataKey';
  if (alias !== vaultKeyAlias(names.vault) || !copy || !uses) return undefined;
  return [{ column: 'keys', verb: '', object: copy === 'first' ? 'primary' : 'replica' }];
}

function otherWords({ action, resource, denied }: Right, names: Names): Word[] | undefined {
  if (denied) return undefined;
  const end = resource.slice(resource.lastIndexOf(':') + 1);
  const called = names.called.get(/^<(\w+)/.exec(resource)?.[1] ?? '');
  const more = (verb: string, object = ''): Word[] => [{ column: 'more', verb, object }];
  switch (action) {
    case 'secretsmanager:GetSecretValue': {
      const secret = end.replace(/-\?+$/, '');
      return [{ column: 'secrets', verb: 'reads', object: secretWord(secret, names) }];
    }
    case 'sts:AssumeRole': {
      const use = JOB_USES.find((u) => end === `role/${jobRoleName(names.cluster, u)}`);
      return use && more('mints credentials for Jobs:', use);
    }
    case 'lambda:InvokeFunction':
      return called ? more('invokes', `\`${called}\``) : undefined;
    case 'sqs:SendMessage':
      return more('sends failed starts to a queue');
    case 'states:StartExecution':
      return more('starts', called ?? machineOf(resource, names));
    case 'states:DescribeExecution':
      return more('describes executions of', machineOf(resource, names));
    case 'scheduler:GetSchedule':
      return more('sees the schedules of its cluster');
    case 'states:StopExecution':
      return more('stops executions of', machineOf(resource, names));
    case 'states:RedriveExecution':
      return more('redrives executions of', machineOf(resource, names));
    default:
      return end.includes('StepFunctionsGetEventsForStepFunctionsExecutionRule')
        ? more('receives events when they end')
        : undefined;
  }
}

/** The machine that an ARN of a machine or of its executions names. */
const machineOf = (resource: string, { cluster, called }: Names): string => {
  const named = new RegExp(`holdfast-${cluster}-([a-z-]+)`).exec(resource)?.[1];
  const id = /<(\w+)\.Name>/.exec(resource)?.[1];
  return named ?? called.get(id ?? '') ?? resource;
};

function secretWord(secret: string, { cluster, secrets }: Names): string {
  if (secret === masterSecretName(cluster)) return 'the master secret';
  if (secret === secrets.backup) return 'the kubeconfig for backups';
  return secret === secrets.restore ? 'the kubeconfig for restores' : secret;
}

/** A right without a description is shown as in the template: the table omits nothing else. */
function raw({ action, resource, condition, denied }: Right): Word {
  const under = condition === undefined ? '' : ` (${conditionWords(condition)})`;
  const object = `${resource.replaceAll(/<(?:AWS::)?([^>]+)>/g, '$1')}${under}`;
  return { column: 'more', verb: denied ? `never ${action}` : action, object };
}
