import type { Recording, Request, Session } from './recording.ts';

/** A request as the recorder writes it, of the function whose key is `KEY`. */
export function request(over: Partial<Request> = {}): Request {
  return {
    type: 'call',
    at: 1_795_628_073,
    key: 'KEY',
    region: 'eu-west-1',
    service: 's3',
    method: 'GET',
    host: '10.201.0.1:4566',
    path: '/',
    query: {},
    headers: {},
    agent: 'aws-sdk-js',
    body: {},
    status: 200,
    ...over,
  };
}

/** A recording of one function's requests, with the session `SESSION` that it had made. */
export function recordingOf(
  name: string,
  requests: readonly Request[],
  session: Partial<Session> = {},
): Recording {
  const made: Session = {
    type: 'session',
    key: 'SESSION',
    by: 'KEY',
    role: 'arn:aws:iam::000000000000:role/any',
    name: 's',
    policy: null,
    tags: [],
    ...session,
  };
  return {
    requests,
    services: [],
    functions: new Map([['KEY', name]]),
    sessions: new Map([['SESSION', made]]),
    gaps: [],
  };
}
