import type { GrowingBuffer } from '../core/growing-buffer.ts';

/**
 * Raw HTTP to the API server of one cluster: bytes in and out, because a typed client drops the fields that it does not know.
 *
 * Errors have these names: `ClusterAccessDenied` (401, 403), `ClusterBusy` (429 and 5xx, after the tries of the implementation),
 * `ClusterUnreachable` (no answer, or any other status that is an error). An answer that is an error carries its HTTP
 * status as `status`.
 */
export interface KubeClient {
  /**
   * Sends one request, again when the server is busy or the connection breaks. `path` is absolute and without a query. A
   * status of 400 or more throws unless `accept` lists it; the answer has the whole body.
   */
  call(method: KubeMethod, path: string, options?: CallOptions): Promise<KubeResponse>;
  /** Opens a WebSocket of a path with its query: for commands in containers. What fails is an event of the socket. */
  socket(path: string, protocol: string): KubeSocket;
  /** Ends the connections. No other call may follow. */
  close(): Promise<void>;
}

export type KubeMethod = 'GET' | 'POST' | 'PATCH' | 'DELETE';

export interface KubeResponse {
  /** HTTP's. */
  readonly status: number;
  readonly body: Buffer;
}

export interface CallOptions {
  readonly query?: Readonly<Record<string, string>>;
  /** A value to be written as JSON, or JSON as it is to be sent. */
  readonly body?: unknown;
  /** Error statuses that the caller handles. */
  readonly accept?: readonly number[];
  readonly contentType?: string;
  /** Where to read the answer to, in place of memory of its own: the body is good until this is filled again. */
  readonly into?: GrowingBuffer;
}

/** What Holdfast needs of a WebSocket. `close` comes once, also after an `error`. */
export interface KubeSocket {
  /** `arraybuffer`: binary frames are ArrayBuffers. */
  binaryType: 'blob' | 'arraybuffer';
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(type: 'error', listener: (event: { readonly error?: unknown }) => void): void;
  addEventListener(type: 'close', listener: () => void): void;
  close(): void;
}
