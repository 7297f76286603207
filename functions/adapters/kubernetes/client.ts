import { Agent, request, WebSocket } from 'undici';
import { HoldfastError, messageOf } from '../../contract/holdfast-error.ts';
import { GrowingBuffer } from '../../core/bytes/growing-buffer.ts';
import type {
  CallOptions,
  KubeClient,
  KubeMethod,
  KubeResponse,
  KubeSocket,
  Patience,
} from '../../ports/kubernetes.ts';
import type { ClusterEndpoint } from './access.ts';

/** For 5xx and failed connections: 5 attempts with waits of 0.2, 0.4, 0.8 and 1.6 s, about 3 s in total. */
const TRIES = 5;
const FIRST_WAIT_MS = 200;
/** For 429: the server sends Retry-After, usually 1 s, so 20 attempts take 20 s or more. */
const BUSY_TRIES = 20;
const TIMEOUT_MS = 60_000;
/** No server decides that a function waits longer than this between two attempts. */
const LONGEST_WAIT_MS = 10_000;
/** The part of a call's patience in which it tries again after 429. A broken conversion webhook is answered so for ever. */
const BUSY_SHARE = 1 / 3;

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** The message of a Kubernetes Status; undefined if the body is not one, for example that of a proxy. */
export function statusMessage(body: Buffer): string | undefined {
  try {
    return (JSON.parse(body.toString('utf8')) as { message?: string }).message;
  } catch {
    return undefined;
  }
}

/** A response with an error status. `status`: HTTP status. */
export class ClusterAnswer extends HoldfastError {
  readonly status: number;

  constructor(status: number, what: string, body: Buffer) {
    const denied = status === 401 || status === 403;
    const name = denied
      ? 'ClusterAccessDenied'
      : status === 429 || status >= 500
        ? 'ClusterBusy'
        : 'ClusterUnreachable';
    const hint = 'Apply the output of `holdfast rbac` to the cluster';
    const said = statusMessage(body) ?? body.toString('utf8').slice(0, 300);
    super(name, `${what}: ${status} ${said}`, denied ? { hint } : {});
    this.status = status;
  }
}

/** A response with more bytes than the call accepts. */
export class ResponseTooLarge extends HoldfastError {}

/** Connects to an API server. `renew` returns new credentials; it is called when the server responds with 401. */
export function kubeClient(first: ClusterEndpoint, renew?: () => Promise<ClusterEndpoint>): KubeClient {
  let endpoint = first;
  let dispatcher = agentOf(endpoint);
  let renewing: Promise<void> | undefined;

  async function takeNewCredentials(): Promise<void> {
    endpoint = await (renew as NonNullable<typeof renew>)();
    const old = dispatcher;
    dispatcher = agentOf(endpoint);
    void old.close();
  }

  async function once(method: KubeMethod, url: URL, options: CallOptions) {
    const { body } = options;
    const raw = Buffer.isBuffer(body) || typeof body === 'string';
    const response = await request(url, {
      dispatcher,
      method,
      headers: {
        accept: options.mediaType ?? 'application/json',
        'user-agent': 'holdfast',
        ...(endpoint.token && { authorization: `Bearer ${endpoint.token}` }),
        ...(body !== undefined && { 'content-type': options.contentType ?? 'application/json' }),
      },
      body: body === undefined ? null : raw ? body : JSON.stringify(body),
      ...(options.patience && { signal: AbortSignal.timeout(options.patience.timeoutMs) }),
    });
    return {
      status: response.statusCode,
      body: await readBody(response.body, options),
      retryAfterMs: Number(response.headers['retry-after'] ?? 0) * 1000,
    };
  }

  async function call(method: KubeMethod, path: string, options: CallOptions = {}): Promise<KubeResponse> {
    const url = new URL(endpoint.server.replace(/\/+$/, '') + path);
    for (const [k, v] of Object.entries(options.query ?? {})) url.searchParams.set(k, v);
    const what = `${method} ${path}`;
    const { patience } = options;
    const tries = patience?.tries ?? TRIES;
    const started = performance.now();
    let mayRenew = renew !== undefined;
    for (let attempt = 1; ; attempt++) {
      let wait = FIRST_WAIT_MS * 2 ** Math.min(attempt - 1, 3);
      try {
        const { status, body, retryAfterMs } = await once(method, url, options);
        if (status === 401 && mayRenew) {
          mayRenew = false;
          renewing ??= takeNewCredentials().finally(() => {
            renewing = undefined;
          });
          await renewing;
          continue;
        }
        if (status < 400 || options.accept?.includes(status)) return { status, body };
        const error = new ClusterAnswer(status, what, body);
        if (!error.retryable || attempt >= (status === 429 ? BUSY_TRIES : tries)) throw error;
        if (patience && performance.now() - started > BUSY_SHARE * patience.timeoutMs) throw error;
        wait = Math.max(wait, Math.min(retryAfterMs, LONGEST_WAIT_MS));
      } catch (cause) {
        if (cause instanceof HoldfastError) throw cause;
        if (patience && isTimeout(cause)) throw silent(what, patience, cause);
        if (attempt >= tries) {
          const message = `${what} at ${endpoint.server}: ${messageOf(cause)}`;
          throw new HoldfastError('ClusterUnreachable', message, { cause });
        }
      }
      await sleep(wait);
    }
  }
  function socket(path: string, protocol: string): KubeSocket {
    return new WebSocket(endpoint.server.replace(/^http/, 'ws').replace(/\/+$/, '') + path, {
      protocols: protocol,
      dispatcher,
      headers: {
        'user-agent': 'holdfast',
        ...(endpoint.token && { authorization: `Bearer ${endpoint.token}` }),
      },
    });
  }
  return { call, socket, close: () => dispatcher.close() };
}

/** Whether a call got no response, or not all of it, within its patience. Also true of the error that `call` throws then. */
export function isTimeout(error: unknown): boolean {
  const { name, cause } = error as { name?: string; cause?: unknown };
  return name === 'TimeoutError' || (cause instanceof Error && isTimeout(cause));
}

const silent = (what: string, { timeoutMs }: Patience, cause: unknown): HoldfastError =>
  new HoldfastError('ClusterUnreachable', `${what}: no complete response within ${timeoutMs / 1000} s`, {
    cause,
  });

async function readBody(
  body: AsyncIterable<Uint8Array>,
  { into = new GrowingBuffer(4096), maxBytes }: CallOptions,
): Promise<Buffer> {
  into.clear();
  for await (const chunk of body) {
    if (maxBytes !== undefined && into.length + chunk.length > maxBytes)
      throw new ResponseTooLarge('ClusterUnreachable', `the response has more than ${maxBytes} bytes`);
    into.append(chunk);
  }
  return into.content();
}

function agentOf(endpoint: ClusterEndpoint): Agent {
  const connect = {
    ...(endpoint.ca && { ca: endpoint.ca }),
    ...(endpoint.cert && { cert: endpoint.cert }),
    ...(endpoint.key && { key: endpoint.key }),
    rejectUnauthorized: !endpoint.insecure,
  };
  return new Agent({ connect, connections: 64, headersTimeout: TIMEOUT_MS, bodyTimeout: TIMEOUT_MS });
}
