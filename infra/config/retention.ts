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

const of = (period: string) => `The newest of each of so many ${period} that have one`;
const among = (period: string) => `The newest of each ${period}, among those not older than this`;

export const tag = z
  .string()
  .regex(/^[A-Za-z0-9][-\w.]{0,62}$/, 'is not a tag; use letters, digits, "-", "_" and "."');

/** Options of which at least one must be there. */
const options = {
  keepLast: count.optional().describe('So many, the newest'),
  keepHourly: count.optional().describe(of('hours')),
  keepDaily: count.optional().describe(of('days')),
  keepWeekly: count.optional().describe(of('ISO weeks')),
  keepMonthly: count.optional().describe(of('months')),
  keepYearly: count.optional().describe(of('years')),
  keepWithin: duration.optional().describe('All that are not older than this, counted from the newest'),
  keepWithinHourly: duration.optional().describe(among('hour')),
  keepWithinDaily: duration.optional().describe(among('day')),
  keepWithinWeekly: duration.optional().describe(among('ISO week')),
  keepWithinMonthly: duration.optional().describe(among('month')),
  keepWithinYearly: duration.optional().describe(among('year')),
  keepTags: z
    .array(z.array(tag).min(1, 'is empty; name a tag'))
    .min(1, 'is empty; name a list of tags, like [[before-upgrade]]')
    .optional()
    .describe('Those with all tags of one of these lists'),
} as const;

/** How long a plan's recovery points stay. A policy that keeps nothing would be "remove everything". */
export const Retention = z
  .strictObject({
    ...options,
    ttl: duration
      .optional()
      .describe('What is older than this goes, whatever rule wants it; the last good one stays'),
  })
  .refine((retention) => Object.keys(options).some((name) => name in retention), {
    error: `keeps nothing; add at least one of ${Object.keys(options).join(', ')}`,
  });
