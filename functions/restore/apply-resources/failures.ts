import { statusMessage } from '../../adapters/kubernetes/client.ts';
import type { KubeResponse } from '../../ports/kubernetes.ts';

/**
 * Whether an error may pass. `soon`: another object of the restore is missing, or a count is late; it is tried again for half a
 * minute. `later`: pods have to start, a namespace has to go, or the API server is busy; it is tried again for the restore's `waitSeconds`.
 */
export type Passing = 'soon' | 'later' | undefined;

/** What the API server says while webhooks, converters or APIs have no pods, or before it serves a new definition. */
const NEEDS_PODS =
  /failed calling webhook|conversion webhook .* failed|no endpoints available|unable to handle the request|connection refused|i\/o timeout|could not find the requested resource|no matches for kind|not yet established/i;
/** What it says while a namespace or an object is being deleted. */
const BEING_DELETED = /being terminated|being deleted|is terminating/i;
const SOON = /not found|exceeded quota|status unknown for quota|has been modified|try again/i;

/** Whether the error of an answer may pass. */
export function passingOf({ status }: Pick<KubeResponse, 'status'>, reason: string): Passing {
  if (NEEDS_PODS.test(reason) || BEING_DELETED.test(reason) || isNotServed(status, reason)) return 'later';
  if (BUSY.includes(status)) return 'later';
  return SOON.test(reason) || status >= 500 ? 'soon' : undefined;
}

/** The API server, or the API of a type, has too much to do, or is starting. */
const BUSY = [429, 503, 504];

/** A 404 that is not about an object: the API server does not serve the type. */
const isNotServed = (status: number, reason: string): boolean =>
  status === 404 && /^404 page not found|^status 404$/.test(reason);

/** Whether a webhook or a type is what is missing: both may come with the workloads of the second stage. */
export const waitsForPods = (reason: string): boolean =>
  NEEDS_PODS.test(reason) || /^404 page not found/.test(reason);

/** The error message of an answer in the API server's words. */
export const messageIn = ({ status, body }: KubeResponse): string =>
  statusMessage(body) || body.toString('utf8').trim().slice(0, 300) || `status ${status}`;

/** Error statuses that an object's result tells. */
export const REFUSALS = [400, 403, 404, 405, 409, 410, 413, 415, 422, 429, 500, 503, 504];
