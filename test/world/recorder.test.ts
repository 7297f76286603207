import { readFileSync } from 'node:fs';
import { CreateBucketCommand, GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { beforeAll, describe, expect, it } from 'vitest';
import { recordingOf } from '../../world/base/environment.ts';
import { account } from '../../world/base/settings.ts';
import { findWorld } from '../../world/world.ts';
import { parseRecording, type Recording, type Request } from '../iam/recording.ts';
import { clientSettings, createFunction, createMachine, outputOf, run } from './emulator.ts';

const suffix = Date.now().toString(36);
const asker = `recorder-asks-${suffix}`;
const bucket = `recorder-${suffix}`;
const role = `arn:aws:iam::${account.id}:role/recorder-jobs`;
const policy = JSON.stringify({ Version: '2012-10-17', Statement: [] });

/** A function that lists, and returns credentials of a session. */
const SOURCE = `
  const { S3Client, ListObjectsV2Command } = require('@aws-sdk/client-s3');
  const { STSClient, AssumeRoleCommand } = require('@aws-sdk/client-sts');
  exports.handler = async () => {
    await new S3Client({ forcePathStyle: true }).send(
      new ListObjectsV2Command({ Bucket: '${bucket}', Prefix: 'records/x/' }));
    const { Credentials } = await new STSClient({}).send(new AssumeRoleCommand({
      RoleArn: '${role}', RoleSessionName: 's', Policy: ${JSON.stringify(policy)},
      Tags: [{ Key: 'holdfast-namespace', Value: 'shop' }] }));
    return Credentials;
  };`;

let text: string;
let recording: Recording;
let secret: string;

beforeAll(async () => {
  const world = findWorld(process.env.HOLDFAST_WORLD ?? '');
  if (!world) throw new Error('HOLDFAST_WORLD names no world that is up');
  const { endpoint, runDir } = world;
  const settings = { ...clientSettings(endpoint), forcePathStyle: true };
  await new S3Client(settings).send(new CreateBucketCommand({ Bucket: bucket }));
  await createFunction(endpoint, account.region, { name: asker, source: SOURCE });
  const machine = await createMachine(endpoint, `recorder-${suffix}`, {
    StartAt: 'Ask',
    States: {
      Ask: {
        Type: 'Task',
        Resource: 'arn:aws:states:::lambda:invoke',
        Parameters: { FunctionName: asker },
        End: true,
      },
    },
  });
  const { Payload } = (await outputOf(endpoint, await run(endpoint, machine))) as {
    Payload: Record<'AccessKeyId' | 'SecretAccessKey' | 'SessionToken', string>;
  };
  secret = Payload.SecretAccessKey;
  const credentials = {
    accessKeyId: Payload.AccessKeyId,
    secretAccessKey: Payload.SecretAccessKey,
    sessionToken: Payload.SessionToken,
  };
  const job = new S3Client({ ...settings, credentials });
  const missing = new GetObjectCommand({ Bucket: bucket, Key: `restic/shop/${'a'.repeat(64)}` });
  for (let i = 0; i < 2; i++) await job.send(missing).catch(() => undefined);
  text = readFileSync(recordingOf(runDir).calls, 'utf8');
  recording = parseRecording(text);
}, 60_000);

const callsOf = (name: string): Request[] =>
  recording.requests.filter(({ key }) => recording.functions.get(key) === name);
const sessions = () => [...recording.sessions.values()].filter((s) => s.role === role);

describe('the recorder', () => {
  it('tells whose a call is by the key that the function alone has', () => {
    expect(callsOf(asker).map((c) => [c.service, c.method, c.path, c.query.prefix])).toEqual([
      ['s3', 'GET', `/${bucket}/`, 'records/x/'],
      ['sts', 'POST', '/', undefined],
    ]);
  });
  it('keeps role, policy and tags of a session, and who had it made', () => {
    const [session] = sessions();
    expect(session).toMatchObject({ role, policy, tags: [{ Key: 'holdfast-namespace', Value: 'shop' }] });
    expect(recording.functions.get(session?.by ?? '')).toBe(asker);
  });
  it('writes what a session did with the status of the answer, once', () => {
    const calls = recording.requests.filter(({ key }) => key === sessions()[0]?.key);
    expect(calls.map((c) => [c.method, c.status])).toEqual([['GET', 404]]);
  });
  it('sees a machine invoke a function', () => {
    const invoked = recording.services.filter(({ resource }) => resource.endsWith(`:function:${asker}`));
    expect(invoked.map((s) => [s.action, s.by])).toEqual([
      ['lambda:InvokeFunction', expect.stringContaining(`:execution:recorder-${suffix}:`)],
    ]);
  });
  it('writes no secret, and nothing of people and tests', () => {
    expect(secret.length).toBeGreaterThan(20);
    expect(text).not.toContain(secret);
    expect(recording.requests.filter(({ key }) => key === account.accessKeyId)).toEqual([]);
  });
});
