import * as z from 'zod';
import { selectorProblem } from '../../functions/contract/label-selector.ts';
import { quantity } from '../../functions/contract/quantity.ts';
import { eventBridgeSchedule } from './cron.ts';

/** Types that several options of holdfast.yaml share, with their error messages. */
const DNS = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
export const dnsName = (max: number) =>
  z
    .string()
    .max(max, `is longer than ${max} characters; choose a shorter name`)
    .regex(DNS, 'is not a DNS-1123 name; use lower-case letters, digits and "-"');

export const region = z
  .string()
  .regex(/^[a-z]{2}(-[a-z]+)+-\d$/, 'is not an AWS region; write one like eu-west-1');
export const secret = z
  .string()
  .regex(/^[\w/+=.@-]+$/, 'is not a secret name; write the name, not the ARN, of a Secrets Manager secret');
export const url = z
  .string()
  .regex(
    /^https?:\/\/[^/]+$/,
    'is not an endpoint; write scheme and host, like https://s3.eu-west-1.amazonaws.com',
  );

export const namespace = z
  .string()
  .regex(
    /^[a-z0-9*?]([-a-z0-9*?]{0,61}[a-z0-9*?])?$/,
    'is not a namespace; use lower-case letters, digits and "-", and * or ? for a pattern',
  );

export const resource = z
  .string()
  .regex(
    /^[a-z0-9*?][-a-z0-9.*?]*$/,
    'is not a resource; write plural.group like deployments.apps, the plural alone, or a pattern with *',
  );

export const selector = z.string().superRefine((value, context) => {
  const problem = selectorProblem(value);
  if (problem)
    context.addIssue({
      code: 'custom',
      message: `is not a label selector: ${problem}; write one like "app=web,tier in (a, b),!old"`,
    });
});

export const schedule = z.string().superRefine((value, context) => {
  try {
    eventBridgeSchedule(value);
  } catch (error) {
    context.addIssue({
      code: 'custom',
      message: `is not a schedule: ${(error as Error).message}; write five cron fields like "0 2 * * *", or rate(1 hour)`,
    });
  }
});

export const amount = (example: string) =>
  z.string('is not a quantity in quotes; write one like "1Gi"').refine((value) => {
    const size = quantity(value) ?? Number.NaN;
    return size >= 0 && Number.isFinite(size);
  }, `is not a Kubernetes quantity; write one like ${example}`);

export const wholeNumber = (min: number, max: number) =>
  z
    .int(`is not a whole number; write one from ${min} to ${max}`)
    .min(min, `is too small; write a number from ${min} to ${max}`)
    .max(max, `is too large; write a number from ${min} to ${max}`);

export const timeZone = z.string().refine((value) => {
  try {
    new Intl.DateTimeFormat('en', { timeZone: value });
    return true;
  } catch {
    return false;
  }
}, 'is not an IANA time zone; write one like Europe/Berlin');

/** Names that a list has more than once; asked of lists whose items may be wrong in other ways. */
export const repeated = (items: unknown): string[] => {
  const names = Array.isArray(items) ? items.map((i: { name?: unknown } | null) => i?.name) : [];
  return [...new Set(names.filter((name, i) => name !== undefined && names.indexOf(name) !== i))].map(String);
};
/** Asked even when an item is wrong: all that is wrong is to be said at once. */
export const uniqueNames = (what: string) => ({
  error: (issue: { input?: unknown }) =>
    `has more than one ${what} named ${repeated(issue.input).join(', ')}; rename one`,
  when: ({ value }: { value: unknown }) => Array.isArray(value),
});

/** An image by tag, or by digest, which is immutable. */
export const image = (example: string) =>
  z
    .string()
    .regex(
      /^[^\s@]+(@sha256:[0-9a-f]{64})?$/,
      `is not an image; write one like ${example}, or with @sha256: and its 64 digits`,
    )
    .default(example);
