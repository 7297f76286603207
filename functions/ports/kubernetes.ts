import type { GrowingBuffer } from '../core/bytes/growing-buffer.ts';

/**
 * Raw HTTP to the API server of one cluster. It transfers bytes, because a typed client drops unknown fields.
 *
 * Errors have these names: `ClusterAccessDenied` (401, 403), `ClusterBusy` (429 and 5xx, after the implementation's retries),
 * `ClusterUnreachable` (no response, or any other error status). The error of a response has the HTTP status as
 * `status`.
 */
export interface KubeClient {
  /**
   * Sends one request, with retries when the server is busy or the connection fails. `path` is absolute and without a
   * query. Throws for a status of 400 or more unless `accept` lists it. The response has the complete body.
   */
  call(method: KubeMethod, path: string, options?: CallOptions): Promise<KubeResponse>;
  /** Opens a WebSocket, for commands in containers. `path` includes the query. Failures are events of the socket. */
  socket(path: string, protocol: string): KubeSocket;
  /** Closes the connections. The client must not be used afterwards. */
  close(): Promise<void>;
}

export type KubeMethod = 'GET' | 'POST' | 'PATCH' | 'DELETE';

export interface KubeResponse {
  /** HTTP status. */
  readonly status: number;
  readonly body: Buffer;
}

export interface CallOptions {
  readonly query?: Readonly<Record<string, string>>;
  /** A value to serialize as JSON, or JSON as a string or Buffer. */
  readonly body?: unknown;
  /** Error statuses that the caller handles. */
  readonly accept?: readonly number[];
  readonly contentType?: string;
  /** The Accept header; JSON unless given. */
  readonly mediaType?: string;
  /** How long to wait, for calls of which one must not hold up the others. */
  readonly patience?: Patience;
  /** A response of more bytes is an error. */
  readonly maxBytes?: number;
  /** Buffer for the response body. The body is valid until the buffer is filled again. */
  readonly into?: GrowingBuffer;
}

/**
 * A limit for one call. A response that takes longer than `timeoutMs` is given up and not asked for again; an error that
 * may pass is tried `tries` times.
 */
export interface Patience {
  readonly timeoutMs: number;
  readonly tries: number;
}

/** The part of a WebSocket that Holdfast uses. `close` is emitted once, also after `error`. */
export interface KubeSocket {
  /** `arraybuffer`: binary frames are ArrayBuffers. */
  binaryType: 'blob' | 'arraybuffer';
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(type: 'error', listener: (event: { readonly error?: unknown }) => void): void;
  addEventListener(type: 'close', listener: () => void): void;
  close(): void;
}
