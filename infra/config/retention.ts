import * as z from 'zod';
import { parseDuration } from '../../functions/contract/duration.ts';

const duration = z
  .string('is not a duration in quotes; write one like "14d"')
  .refine(
    (text) => parseDuration(text) !== undefined,
    'is not a duration; write years, months, days and hours, like 14d or 1y6m',
  );

const count = z
  .int('is not a whole number; write one of at least 1')
  .min(1, 'keeps nothing; write a number of at least 1');

const of = (period: string) => `Number of ${period} of which the newest recovery point is kept`;
const among = (period: string) => `Age up to which the newest recovery point of each ${period} is kept`;

const tag = z
  .string()
  .regex(/^[A-Za-z0-9][-\w.]{0,62}$/, 'is not a tag; use letters, digits, "-", "_" and "."');

/** Options of which at least one is required. */
const options = {
  keepLast: count.optional().describe('Number of newest recovery points to keep'),
  keepHourly: count.optional().describe(of('hours')),
  keepDaily: count.optional().describe(of('days')),
  keepWeekly: count.optional().describe(of('ISO weeks')),
  keepMonthly: count.optional().describe(of('months')),
  keepYearly: count.optional().describe(of('years')),
  keepWithin: duration.optional().describe('Keep all recovery points up to this age, relative to the newest'),
  keepWithinHourly: duration.optional().describe(among('hour')),
  keepWithinDaily: duration.optional().describe(among('day')),
  keepWithinWeekly: duration.optional().describe(among('ISO week')),
  keepWithinMonthly: duration.optional().describe(among('month')),
  keepWithinYearly: duration.optional().describe(among('year')),
  keepTags: z
    .array(z.array(tag).min(1, 'is empty; add a tag'))
    .min(1, 'is empty; add a list of tags, like [[before-upgrade]]')
    .optional()
    .describe('Keep recovery points that have all tags of one of these lists'),
} as const;

/** Retention of a plan. At least one rule is required: a policy without one would remove everything. */
export const Retention = z
  .strictObject({
    ...options,
    ttl: duration
      .optional()
      .describe('Maximum age, regardless of other rules; the last good recovery point is always kept'),
  })
  .refine((retention) => Object.keys(options).some((name) => name in retention), {
    error: `keeps nothing; add at least one of ${Object.keys(options).join(', ')}`,
  });
