import { Agent, request } from 'undici';
import { HoldfastError, messageOf } from '../../core/errors.ts';
import type { ClusterEndpoint } from './access.ts';

export interface KubeResponse {
  readonly status: number;
  readonly body: Buffer;
}

/** Raw HTTP to the API server: bytes in and out, because the typed client drops fields it does not know. */
export interface KubeClient {
  /** Any status below 400 except those listed in `accept` throws a HoldfastError. */
  call(
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
    path: string,
    options?: CallOptions,
  ): Promise<KubeResponse>;
  close(): Promise<void>;
}

export interface CallOptions {
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Error statuses that the caller handles. */
  readonly accept?: readonly number[];
  readonly contentType?: string;
}

/** 429 and 5xx pass; with 5 tries and waits of 0.2, 0.4, 0.8, 1.6 s a call gives up after about 3 s of waiting. */
const TRIES = 5;
const FIRST_WAIT_MS = 200;
const TIMEOUT_MS = 60_000;

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

function statusMessage(body: Buffer): string {
  try {
    return (
      (JSON.parse(body.toString('utf8')) as { message?: string }).message ??
      body.toString('utf8').slice(0, 300)
    );
  } catch {
    return body.toString('utf8').slice(0, 300);
  }
}

function failure(status: number, what: string, body: Buffer): HoldfastError {
  const message = `${what}: ${status} ${statusMessage(body)}`;
  if (status === 401 || status === 403) {
    return new HoldfastError('ClusterAccessDenied', message, {
      hint: 'Apply the output of `holdfast rbac` to the cluster',
    });
  }
  return new HoldfastError(status === 429 || status >= 500 ? 'ClusterBusy' : 'ClusterUnreachable', message);
}

export function kubeClient(endpoint: ClusterEndpoint): KubeClient {
  const connect = {
    ...(endpoint.ca && { ca: endpoint.ca }),
    ...(endpoint.cert && { cert: endpoint.cert }),
    ...(endpoint.key && { key: endpoint.key }),
    rejectUnauthorized: !endpoint.insecure,
  };
  const dispatcher = new Agent({
    connect,
    connections: 16,
    headersTimeout: TIMEOUT_MS,
    bodyTimeout: TIMEOUT_MS,
  });
  const authorization = endpoint.token ? { authorization: `Bearer ${endpoint.token}` } : {};

  async function once(
    method: string,
    url: URL,
    options: CallOptions,
  ): Promise<KubeResponse & { retryAfter: number }> {
    const response = await request(url, {
      dispatcher,
      method: method as 'GET',
      headers: {
        accept: 'application/json',
        'user-agent': 'holdfast',
        ...authorization,
        ...(options.body !== undefined && { 'content-type': options.contentType ?? 'application/json' }),
      },
      body: options.body === undefined ? null : JSON.stringify(options.body),
    });
    const body = Buffer.from(await response.body.arrayBuffer());
    return {
      status: response.statusCode,
      body,
      retryAfter: Number(response.headers['retry-after'] ?? 0) * 1000,
    };
  }

  async function call(
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
    path: string,
    options: CallOptions = {},
  ): Promise<KubeResponse> {
    const url = new URL(endpoint.server.replace(/\/+$/, '') + path);
    for (const [k, v] of Object.entries(options.query ?? {})) url.searchParams.set(k, v);
    const what = `${method} ${path}`;
    for (let attempt = 1; ; attempt++) {
      let wait = FIRST_WAIT_MS * 2 ** (attempt - 1);
      try {
        const response = await once(method, url, options);
        if (response.status < 400 || options.accept?.includes(response.status)) return response;
        const error = failure(response.status, what, response.body);
        if (error.name !== 'ClusterBusy' || attempt === TRIES) throw error;
        wait = Math.max(wait, response.retryAfter);
      } catch (cause) {
        if (cause instanceof HoldfastError) throw cause;
        if (attempt === TRIES)
          throw new HoldfastError(
            'ClusterUnreachable',
            `${what} at ${endpoint.server}: ${messageOf(cause)}`,
            { cause },
          );
      }
      await sleep(wait);
    }
  }
  return { call, close: () => dispatcher.close() };
}
