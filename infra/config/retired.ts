import * as z from 'zod';
import { Retention } from './retention.ts';
import { dnsName, timeZone } from './values.ts';

/** A plan that was removed and whose recovery points retention still applies to. */
export const RetiredPlan = z.strictObject({
  name: dnsName(40).describe('Name that the plan had'),
  retention: Retention.describe(
    'Recovery points to keep; what is older than ttl goes, also the last good recovery point. Without ttl the last ones stay for good',
  ),
  replicaRetention: Retention.optional().describe(
    'The same for the replica, in addition to those in the primary; absent: the same policy',
  ),
  timeZone: timeZone.default('UTC').describe('IANA time zone of retention'),
});
