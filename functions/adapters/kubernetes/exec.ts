import { messageOf } from '../../contract/holdfast-error.ts';
import { objectPath } from '../../core/kubernetes/resources.ts';
import { TYPES } from '../../core/kubernetes/well-known.ts';
import type { KubeClient } from '../../ports/kubernetes.ts';

/** A command to run in a container. */
export interface ExecRequest {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  readonly command: readonly string[];
  readonly timeoutSeconds: number;
}

/** Result of a command. `message` is set if it failed. */
export interface ExecResult {
  readonly ok: boolean;
  /** The end of stdout and stderr. */
  readonly output: string;
  readonly message?: string;
}

/** https://kubernetes.io/docs/reference/using-api/websocket: the first byte of a frame names its channel. */
const PROTOCOL = 'v4.channel.k8s.io';
const CHANNEL = { stdout: 1, stderr: 2, status: 3 } as const;
const KEPT_CHARACTERS = 4000;

/** Runs a command as `kubectl exec` does. After the timeout the command may continue to run: it cannot be stopped from outside. */
export async function exec(client: KubeClient, request: ExecRequest): Promise<ExecResult> {
  const { namespace, pod, container, command, timeoutSeconds } = request;
  const query = new URLSearchParams([
    ['container', container],
    ['stdout', 'true'],
    ['stderr', 'true'],
    ...command.map((part): [string, string] => ['command', part]),
  ]);
  const socket = client.socket(`${objectPath(TYPES.pods, pod, namespace)}/exec?${query}`, PROTOCOL);
  socket.binaryType = 'arraybuffer';
  let output = '';
  let status: { status?: string; message?: string } | undefined;
  const ended = new Promise<string | undefined>((resolve) => {
    const timer = setTimeout(() => resolve(`it took longer than ${timeoutSeconds} s`), timeoutSeconds * 1000);
    const end = (problem?: string) => {
      clearTimeout(timer);
      resolve(problem);
    };
    socket.addEventListener('message', ({ data }) => {
      const frame = Buffer.from(data as ArrayBuffer);
      const text = frame.subarray(1).toString('utf8');
      if (frame[0] === CHANNEL.status) status = JSON.parse(text);
      else if (frame[0] === CHANNEL.stdout || frame[0] === CHANNEL.stderr)
        output = (output + text).slice(-KEPT_CHARACTERS);
    });
    socket.addEventListener('error', ({ error }) => end(`cannot connect: ${messageOf(error)}`));
    socket.addEventListener('close', () => end());
  });
  const problem = await ended;
  socket.close();
  if (status?.status === 'Success') return { ok: true, output };
  const message = status?.message ?? problem ?? 'the connection closed before the command ended';
  return { ok: false, output, message: status ? message : await denied(client, request, message) };
}

/** A rejected connection has no reason. A SelfSubjectAccessReview tells whether the permission is missing. */
async function denied(client: KubeClient, { namespace, pod }: ExecRequest, message: string): Promise<string> {
  const attributes = { namespace, verb: 'create', resource: 'pods', subresource: 'exec', name: pod };
  const { status, body } = await client.call(
    'POST',
    '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
    {
      body: {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SelfSubjectAccessReview',
        spec: { resourceAttributes: attributes },
      },
      accept: [403],
    },
  );
  if (status >= 400) return message;
  const review = JSON.parse(body.toString('utf8')) as { status?: { allowed?: boolean } };
  if (review.status?.allowed !== false) return message;
  return 'the backup identity is not allowed to run commands in pods; apply the output of `holdfast rbac --hooks`';
}
