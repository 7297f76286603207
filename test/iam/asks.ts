import { type Ask, UnknownCall, type Who } from './ask.ts';
import type { Recording, Request, Service } from './recording.ts';
import { needsOf } from './service-calls.ts';

/** What a recording asks of IAM, with the calls that no table knows and those that are nobody's of the pipeline. */
export interface Asked {
  readonly asks: readonly Ask[];
  /** In words, each once. */
  readonly unknown: readonly string[];
}

/** Turns the recorded calls into questions. */
export function asksOf(recording: Recording, account: string): Asked {
  const unknown = new Set<string>();
  const asks = recording.requests.flatMap((request) => {
    const who = whoAsks(recording, request.key);
    if (!who) return [];
    try {
      const source = `${request.method} ${decodeURIComponent(request.path)} answered ${request.status}`;
      return needsOf(request, account).map((need): Ask => ({ ...need, who, source }));
    } catch (error) {
      if (!(error instanceof UnknownCall)) throw error;
      unknown.add(error.message);
      return [];
    }
  });
  return { asks: [...asks, ...recording.services.flatMap(serviceAsks)], unknown: [...unknown] };
}

/** Whose an access key is. Undefined: a person's or a test's. */
function whoAsks({ functions, sessions }: Recording, key: Request['key']): Who | undefined {
  const name = functions.get(key);
  if (name !== undefined) return { kind: 'function', name };
  const session = sessions.get(key);
  const by = session && functions.get(session.by);
  return session && by !== undefined ? { kind: 'session', session, by } : undefined;
}

function serviceAsks({ by, action, resource, context }: Service): Ask[] {
  const who = by === null ? undefined : whoServes(by);
  if (!who) return [];
  const source = `${action} by ${by}`;
  const bucket = action === 's3:GetObject' && resource.split(':::')[1]?.split('/')[0];
  return [
    { who, action, resource, ...(context && { context }), source },
    // Who reads from S3 uses the key of the bucket, without a request too.
    ...(bucket ? [{ who, action: 'kms:Decrypt', resource: `key-of:${bucket}`, source }] : []),
  ];
}

/** `arn:aws:states:REGION:ACCOUNT:execution:MACHINE:NAME`, `...:scheduler:...:schedule/GROUP/NAME` or a role. */
function whoServes(by: string): Who | undefined {
  const [, , service, , , kind, machine = ''] = by.split(':');
  if (service === 'states') return { kind: 'machine', name: machine };
  if (service === 'scheduler') {
    const [, group = '', name = ''] = (kind ?? '').split('/');
    return { kind: 'schedule', group, name };
  }
  return service === 'iam' ? { kind: 'role', name: by.split('/').at(-1) ?? '' } : undefined;
}
