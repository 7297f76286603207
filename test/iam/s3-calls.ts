import { type Ask, type Context, UnknownCall } from './ask.ts';
import type { Request } from './recording.ts';

/** What a request needs, without who asks and where it comes from. */
export type Need = Pick<Ask, 'action' | 'resource' | 'context'>;

interface S3Request {
  readonly bucket: string;
  /** Undefined: the bucket itself. */
  readonly key: string | undefined;
  readonly request: Request;
}

const bucketArn = (bucket: string): string => `arn:aws:s3:::${bucket}`;
const objectArn = (bucket: string, key: string): string => `${bucketArn(bucket)}/${key}`;
const DAY_SECONDS = 86_400;

/** Bucket and key of a path-style request: `/bucket/key`, percent-encoded. */
function parse(request: Request): S3Request {
  const [, bucket = '', ...rest] = request.path.split('/').map(decodeURIComponent);
  const key = rest.join('/');
  return { bucket, key: key === '' ? undefined : key, request };
}

/** The permissions that a request to S3 needs, with those for the bucket's key. Throws UnknownCall. */
export function s3Needs(request: Request): Need[] {
  const s3 = parse(request);
  const known = s3.key === undefined ? onBucket(s3) : onObject(s3, s3.key);
  if (known === undefined) {
    const flags = Object.keys(request.query).join('&');
    throw new UnknownCall(`S3 ${request.method} ${s3.key === undefined ? 'bucket' : 'object'}?${flags}`);
  }
  return known;
}

/** Calls on a bucket, by what their query names. */
const BUCKET_CALLS: readonly (readonly [method: string, flag: string, action: string])[] = [
  ['GET', 'versions', 's3:ListBucketVersions'],
  ['GET', 'uploads', 's3:ListBucketMultipartUploads'],
  ['GET', 'location', 's3:GetBucketLocation'],
  ['GET', 'versioning', 's3:GetBucketVersioning'],
  ['GET', 'object-lock', 's3:GetBucketObjectLockConfiguration'],
];

function onBucket({ bucket, request }: S3Request): Need[] | undefined {
  const { method, query, body } = request;
  const resource = bucketArn(bucket);
  const prefix: Context = query.prefix === undefined ? {} : { 's3:prefix': query.prefix };
  const delimiter: Context = query.delimiter === undefined ? {} : { 's3:delimiter': query.delimiter };
  const context = { ...prefix, ...delimiter };
  if (method === 'POST' && 'delete' in query)
    return (body.keys ?? []).map((key) => removal(bucket, key, body.versions !== undefined));
  const named = BUCKET_CALLS.find(([verb, flag]) => verb === method && flag in query);
  if (named) return [{ action: named[2], resource, context }];
  if (method === 'HEAD') return [{ action: 's3:ListBucket', resource }];
  const plain = Object.keys(query).every((name) => LISTING.includes(name));
  return method === 'GET' && plain ? [{ action: 's3:ListBucket', resource, context }] : undefined;
}

const LISTING = [
  ...['list-type', 'prefix', 'delimiter', 'max-keys', 'encoding-type', 'continuation-token'],
  ...['start-after', 'fetch-owner', 'x-id', 'metadata', 'marker'],
];

const removal = (bucket: string, key: string, version: boolean): Need => ({
  action: version ? 's3:DeleteObjectVersion' : 's3:DeleteObject',
  resource: objectArn(bucket, key),
});

function onObject(s3: S3Request, key: string): Need[] | undefined {
  const { method, query } = s3.request;
  if ('retention' in query) return retention(s3, key);
  if ('tagging' in query) return tagging(s3, key);
  if (['acl', 'legal-hold', 'torrent', 'restore', 'select'].some((flag) => flag in query)) return undefined;
  if (method === 'GET' || method === 'HEAD') return reading(s3, key);
  if (method === 'DELETE') return removing(s3, key);
  return method === 'PUT' || method === 'POST' ? writing(s3, key) : undefined;
}

/** S3 says that a key is missing only to who may list it; everybody else gets a 403. */
function missing({ bucket, request }: S3Request, key: string): Need[] {
  if (request.status !== 404) return [];
  return [{ action: 's3:ListBucket', resource: bucketArn(bucket), context: { 's3:prefix': key } }];
}

function reading(s3: S3Request, key: string): Need[] {
  const { bucket, request } = s3;
  const resource = objectArn(bucket, key);
  const version = 'versionId' in request.query;
  if ('uploadId' in request.query) return [{ action: 's3:ListMultipartUploadParts', resource }];
  const attributes: Need[] =
    'attributes' in request.query
      ? [{ action: version ? 's3:GetObjectVersionAttributes' : 's3:GetObjectAttributes', resource }]
      : [];
  // HEAD decrypts nothing, unless it is asked for the checksum.
  const decrypts =
    request.method === 'GET' || request.headers['x-amz-checksum-mode']?.toUpperCase() === 'ENABLED';
  return [
    { action: version ? 's3:GetObjectVersion' : 's3:GetObject', resource },
    ...attributes,
    ...(decrypts ? [keyNeed(bucket, 'kms:Decrypt')] : []),
    ...missing(s3, key),
  ];
}

function removing({ bucket, request }: S3Request, key: string): Need[] {
  const resource = objectArn(bucket, key);
  if ('uploadId' in request.query) return [{ action: 's3:AbortMultipartUpload', resource }];
  return [
    removal(bucket, key, 'versionId' in request.query),
    ...compared(request, resource),
    ...bypass(request, resource),
  ];
}

/** Who writes or removes what has a certain ETag learns whether it has: that is reading. */
function compared({ headers }: Request, resource: string): Need[] {
  const etag = headers['if-match'];
  return etag === undefined || etag === '*' ? [] : [{ action: 's3:GetObject', resource }];
}

const bypass = ({ headers }: Request, resource: string): Need[] =>
  headers['x-amz-bypass-governance-retention'] === 'true'
    ? [{ action: 's3:BypassGovernanceRetention', resource }]
    : [];

/** PutObject, parts and ends of uploads, and copies. Parts that are joined are decrypted. */
function writing({ bucket, request }: S3Request, key: string): Need[] {
  const { headers, query } = request;
  const resource = objectArn(bucket, key);
  const upload = 'uploads' in query || 'uploadId' in query;
  const context: Context = {
    ...(headers['x-amz-acl'] && { 's3:x-amz-acl': headers['x-amz-acl'] }),
    ...(headers['x-amz-server-side-encryption'] && {
      's3:x-amz-server-side-encryption': headers['x-amz-server-side-encryption'],
    }),
    ...(headers['if-none-match'] && { 's3:if-none-match': headers['if-none-match'] }),
    ...(headers['if-match'] && { 's3:if-match': headers['if-match'] }),
  };
  return [
    { action: 's3:PutObject', resource, context },
    ...compared(request, resource),
    ...(headers['x-amz-tagging'] ? [{ action: 's3:PutObjectTagging', resource }] : []),
    ...(headers['x-amz-object-lock-mode'] ? [lockNeed(request, resource)] : []),
    keyNeed(bucket, 'kms:GenerateDataKey'),
    ...(upload ? [keyNeed(bucket, 'kms:Decrypt')] : []),
    ...copied(headers['x-amz-copy-source']),
  ];
}

/** What is copied is read by who copies it. */
function copied(source: string | undefined): Need[] {
  if (source === undefined) return [];
  const [path = '', query] = source.replace(/^\//, '').split('?');
  const [bucket = '', ...rest] = path.split('/').map(decodeURIComponent);
  const action = query?.startsWith('versionId=') ? 's3:GetObjectVersion' : 's3:GetObject';
  return [{ action, resource: objectArn(bucket, rest.join('/')) }, keyNeed(bucket, 'kms:Decrypt')];
}

function retention({ bucket, request }: S3Request, key: string): Need[] | undefined {
  const resource = objectArn(bucket, key);
  if (request.method === 'GET')
    return [{ action: 's3:GetObjectRetention', resource }, ...missing({ bucket, key, request }, key)];
  return request.method === 'PUT' ? [lockNeed(request, resource), ...bypass(request, resource)] : undefined;
}

/** Retention that is set: conditions can limit its mode, its date and its days. */
function lockNeed({ at, body, headers }: Request, resource: string): Need {
  const until = body.retainUntil ?? headers['x-amz-object-lock-retain-until-date'];
  const mode = body.mode ?? headers['x-amz-object-lock-mode'];
  const days = until && Math.ceil((Date.parse(until) / 1000 - at) / DAY_SECONDS);
  return {
    action: 's3:PutObjectRetention',
    resource,
    context: {
      ...(mode && { 's3:object-lock-mode': mode }),
      ...(until && {
        's3:object-lock-retain-until-date': until,
        's3:object-lock-remaining-retention-days': String(days),
      }),
    },
  };
}

function tagging({ bucket, request }: S3Request, key: string): Need[] | undefined {
  const version = 'versionId' in request.query ? 'Version' : '';
  const verb = { GET: 'Get', PUT: 'Put', DELETE: 'Delete' }[request.method];
  if (verb === undefined) return undefined;
  const need = { action: `s3:${verb}Object${version}Tagging`, resource: objectArn(bucket, key) };
  return [need, ...missing({ bucket, key, request }, key)];
}

/** S3 uses the bucket's key in the caller's name. */
const keyNeed = (bucket: string, action: string): Need => ({
  action,
  resource: `key-of:${bucket}`,
});
