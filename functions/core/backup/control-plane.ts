import * as z from 'zod/mini';
import type { JobEnd } from '../kubernetes/job-end.ts';
import { plainText } from '../kubernetes/plain-text.ts';
import type { KubeObject } from '../kubernetes/resources.ts';
import { ResticId } from '../restic/ids.ts';
import { failure, lastLines, parseSummary } from '../restic/log.ts';
import { EXIT } from '../restic/restic.ts';

/** The repository of etcd snapshots and node files. A namespace cannot have this name. */
export const CONTROL_PLANE = '_control-plane';

/** Pods of etcd as kubeadm makes them, and the annotation in which it writes a member's address. */
const ETCD_COMPONENT = { label: 'component', value: 'etcd' } as const;
const CLIENT_URLS = 'kubeadm.kubernetes.io/etcd.advertise-client-urls';
const CONTROL_PLANE_LABEL = 'node-role.kubernetes.io/control-plane';

/** The parts of the control plane that a backup includes. */
export const ControlPlaneWork = z.object({
  /** Client URLs of the etcd members. */
  endpoints: z.array(z.string()),
  /** Nodes whose files are backed up. The first one runs the etcd Jobs. */
  nodes: z.array(z.string()),
  /** Opens the etcd snapshot in a scratch server and compares the key count. */
  scratch: z.optional(z.boolean()),
});
export type ControlPlaneWork = z.infer<typeof ControlPlaneWork>;

/** How the backup of etcd, or of a node's files, ended. */
export const ControlPlaneOutcome = z.object({
  /** `etcd`, `etcd-status`, `etcd-scratch`, or `files.<node>`. */
  id: z.string(),
  result: z.enum(['protected', 'partial', 'failed']),
  message: z.optional(z.string()),
  snapshot: z.optional(ResticId),
  files: z.optional(z.int()),
  bytes: z.optional(z.int()),
  /** For etcd: the leader's client URL, and the content of the snapshot. */
  endpoint: z.optional(z.string()),
  revision: z.optional(z.int()),
  keys: z.optional(z.int()),
  hash: z.optional(z.int()),
  /** How many keys the leader counted, and at which revision, just before the snapshot. */
  counted: z.optional(z.object({ revision: z.int(), keys: z.int() })),
});
export type ControlPlaneOutcome = z.infer<typeof ControlPlaneOutcome>;

/**
 * Whether a text is an address that kubeadm writes for an etcd member: https, a host name or address, and a port. The client
 * certificate goes there, so nothing else counts; an etcd without TLS must be configured.
 */
export const isMemberUrl = (text: string): boolean =>
  /^https:\/\/([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]{2,45}\]):[1-9][0-9]{0,4}$/.test(text) &&
  URL.canParse(text);

/** Finds the control plane in the cluster. `configured` endpoints take precedence. */
export function findControlPlane(
  nodes: readonly KubeObject[],
  systemPods: readonly KubeObject[],
  configured: readonly string[],
): { readonly work: ControlPlaneWork; readonly problems: string[] } {
  const names = nodes
    .filter((n) => n.metadata.labels?.[CONTROL_PLANE_LABEL] !== undefined)
    .map((n) => n.metadata.name);
  const found = systemPods
    .filter((p) => p.metadata.labels?.[ETCD_COMPONENT.label] === ETCD_COMPONENT.value)
    .flatMap((p) => String(p.metadata.annotations?.[CLIENT_URLS] ?? '').split(','))
    .filter(Boolean);
  const [good, wrong] = [found.filter(isMemberUrl), found.filter((url) => !isMemberUrl(url))];
  const endpoints = configured.length > 0 ? [...configured] : [...new Set(good)].sort();
  const problems = [
    ...(configured.length > 0 ? [] : wrong).map(
      (url) => `control plane: "${plainText(url)}" of ${CLIENT_URLS} is not the address of an etcd member`,
    ),
    ...(names.length === 0 ? [`control plane: no node has the label ${CONTROL_PLANE_LABEL}`] : []),
    ...(endpoints.length === 0
      ? ['control plane: no etcd member was found in kube-system; set controlPlane.endpoints']
      : []),
  ];
  return { work: { endpoints, nodes: names.sort() }, problems };
}

const EndpointStatuses = z.array(
  z.object({
    Endpoint: z.string(),
    Status: z.object({ header: z.object({ member_id: z.string() }), leader: z.string() }),
  }),
);

/**
 * The leader's endpoint, from the log of `etcdctl endpoint status -w json`, in which unreachable members have
 * separate lines. Undefined if no reachable member is the leader. `endpoints`: the addresses that were asked; the leader is one
 * of them, exactly as it is there.
 */
export function leaderIn(log: string, endpoints: readonly string[]): string | undefined {
  const line = log.split('\n').find((l) => l.startsWith('['));
  if (!line) return undefined;
  // Member ids have 64 bits: as numbers they would be rounded, so they are compared as text.
  const exact = line.replaceAll(/"(member_id|leader)":(\d+)/g, '"$1":"$2"');
  const parsed = z.safeParse(EndpointStatuses, parseJson(exact));
  if (!parsed.success) return undefined;
  const leaders = parsed.data.filter(({ Status }) => Status.header.member_id === Status.leader);
  return endpoints.find((endpoint) => leaders.some((l) => l.Endpoint === endpoint));
}

/** A count of etcd. One that JSON cannot hold exactly is none. */
const Count = z.int().check(z.nonnegative());

/** `etcdutl snapshot status -w json`. */
const SnapshotStatus = z.object({ hash: Count, revision: Count, totalKey: Count, totalSize: Count });

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Outcome of the status Job: the leader among the endpoints that it asked. */
export function statusOutcome(endpoints: readonly string[], end: JobEnd): ControlPlaneOutcome {
  const endpoint = leaderIn(end.log, endpoints);
  if (endpoint) return { id: 'etcd-status', result: 'protected', endpoint };
  const said =
    end.exitCode === undefined
      ? failure(end)
      : `etcdctl exited with code ${end.exitCode}: ${lastLines(end.log)}`;
  return { id: 'etcd-status', result: 'failed', message: `no etcd leader was found: ${said}` };
}

const Counted = z.object({ revision: Count, keys: Count });

/** Key count and revision of an etcd server, from the log of `etcdctl get --count-only -w fields`. */
export function countedIn(log: string): { revision: number; keys: number } | undefined {
  const [revision, keys] = ['Revision', 'Count'].map(
    (field) => new RegExp(`^"${field}" : (\\d+)$`, 'm').exec(log)?.[1],
  );
  const counted = z.safeParse(Counted, { revision: Number(revision), keys: Number(keys) });
  return counted.data;
}

/** Outcome of the snapshot Job. `protected` only if etcdutl could open the snapshot and restic has stored it. */
export function etcdOutcome(endpoint: string, end: JobEnd): ControlPlaneOutcome {
  const of = { id: 'etcd', endpoint };
  const status = z.safeParse(SnapshotStatus, parseJson((end.reports.status ?? '').trim()));
  const summary = parseSummary(end.log);
  if (end.exitCode === EXIT.ok && summary?.snapshot && status.success) {
    const { revision, totalKey: keys, totalSize: bytes, hash } = status.data;
    const counted = countedIn(end.reports.count ?? '');
    return {
      ...of,
      result: 'protected',
      snapshot: summary.snapshot,
      revision,
      keys,
      bytes,
      hash,
      ...(counted && { counted }),
    };
  }
  const message =
    end.step && end.step !== 'backup' ? `step ${end.step}: ${lastLines(end.log)}` : failure(end);
  return { ...of, result: 'failed', message };
}

/**
 * Outcome of the scratch server: it must have the snapshot's revision, and the key count of the leader at the revision of
 * that count.
 */
export function scratchOutcome(taken: ControlPlaneOutcome, end: JobEnd): ControlPlaneOutcome {
  const id = 'etcd-scratch';
  const fail = (message: string): ControlPlaneOutcome => ({ id, result: 'failed', message });
  if (end.exitCode === undefined) return fail(failure(end));
  if (end.exitCode !== EXIT.ok) return fail(`step ${end.step}: ${lastLines(end.log)}`);
  const there = countedIn(end.reports.revision ?? '')?.revision;
  const keys = countedIn(end.log)?.keys;
  if (there === undefined || keys === undefined || !taken.counted)
    return fail('etcd did not report its revision and key count');
  if (there !== taken.revision)
    return fail(`the snapshot has revision ${there}, but was taken at revision ${taken.revision}`);
  if (keys !== taken.counted.keys)
    return fail(
      `at revision ${taken.counted.revision} the snapshot has ${keys} keys, but the leader had ${taken.counted.keys}`,
    );
  return { id, result: 'protected', revision: there, counted: taken.counted };
}

/** Outcome of the Job for a node's files. */
export function filesOutcome(id: string, end: JobEnd): ControlPlaneOutcome {
  const summary = parseSummary(end.log);
  if (!summary?.snapshot || (end.exitCode !== EXIT.ok && end.exitCode !== EXIT.incomplete))
    return { id, result: 'failed', message: failure(end) };
  const { snapshot, files, bytes, errors } = summary;
  if (end.exitCode === EXIT.ok) return { id, result: 'protected', snapshot, files, bytes };
  return {
    id,
    result: 'partial',
    snapshot,
    files,
    bytes,
    message: `restic could not read: ${errors.join('; ')}`,
  };
}

/** Path of the etcd snapshot, and of a node's files, in the repository. */
export const ETCD_PATH = '/control-plane/etcd';
export const filesPath = (node: string): string => `/control-plane/nodes/${node}`;

/** Run of the control plane Jobs of a backup. The ids of its work may be those of volumes. */
export const controlPlaneRun = (backup: string): string => `${backup}-cp`;

/** The backup that a run belongs to: the run of its volumes or of its control plane. */
export const backupOfRun = (run: string): string => run.replace(/-cp$/, '');
