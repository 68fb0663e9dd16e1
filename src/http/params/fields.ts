import { z } from 'zod';
import { AccountId, ClusterId, EventId } from '../../domain/facts/fact.ts';
import { formatInstant, INSTANT_FORM, type Instant, PERIOD, parseInstant } from '../../domain/time.ts';
import { constraintOf } from '../../util/constraint-of.ts';
import { jsonPointer, valueAt } from '../../util/json-pointer.ts';
import type { FieldError } from '../server/problem.ts';

/** Fields that several resources share, in and out. Nothing is coerced: what is not of its form is refused. */

/** An instant from outside, as milliseconds since the epoch. */
export const InstantText = z
  .string()
  .transform((text, check) => {
    const instant = parseInstant(text);
    if (instant !== undefined) return instant;
    check.addIssue({ code: 'custom', message: `must be ${INSTANT_FORM}`, input: text });
    return z.NEVER;
  })
  .meta({ format: 'date-time', examples: ['2026-01-31T08:00:00.000Z'] });

const Whole = z.string().regex(/^(0|[1-9]\d{0,14})$/, 'must be a whole number from 0 without leading zeros');

/** A place in the log. */
export const PositionText = Whole.transform(Number);

export const PeriodText = z
  .string()
  .regex(PERIOD, 'must be a month, YYYY-MM, from 1970-01')
  .refine((text) => text !== '9999-12', 'must be before 9999-12');

/** What is to be known: everything up to a position, or what was recorded at or before an instant. */
export const AsOf = z
  .union([PositionText, InstantText.transform((instant) => ({ instant }))], {
    error: `must be a position, or ${INSTANT_FORM}`,
  })
  .describe('Limits what is known, never what is counted: a position, or an instant.');
export type AsOf = number | { readonly instant: Instant };

export const wholeNumber = (least: number, most: number) =>
  Whole.transform(Number).refine((n) => n >= least && n <= most, `must be from ${least} to ${most}`);

export const Flag = z.enum(['true', 'false']).transform((text) => text === 'true');

/** A part of a path: the id that the resource is called by. */
export const ClusterPath = z.strictObject({ clusterId: ClusterId });
export const AccountPath = z.strictObject({ accountId: AccountId });
export const PeriodPath = z.strictObject({ period: PeriodText });
export const EventPath = z.strictObject({ eventId: EventId });

/** Every read may wait for the answers to have come so far. */
export const Reading = {
  minPosition: PositionText.optional().describe('Wait up to 2 s for this position, else 503.'),
};

export const Paging = {
  limit: wholeNumber(1, 1_000).prefault('100').describe('How many at the most.'),
  cursor: z.string().min(1).max(1_024).optional().describe('`next` of the page before.'),
};

/** An `asOf` as it was asked for; null where it was not. */
export function asOfOut(asOf: AsOf | undefined): string | null {
  if (asOf === undefined) return null;
  return typeof asOf === 'object' ? formatInstant(asOf.instant) : String(asOf);
}

export function instantOut(instant: Instant): string {
  return formatInstant(instant);
}

/** Says of each thing that zod found wrong which field it is, what was given and what is allowed. */
export function fieldErrors(error: z.ZodError, given: unknown, prefix = ''): FieldError[] {
  return error.issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({
        pointer: prefix + jsonPointer([...issue.path, key]),
        detail: 'is not a known field',
      }));
    }
    return [
      {
        pointer: prefix + jsonPointer(issue.path),
        detail: `${constraintOf(issue)}; given ${describe(valueAt(given, issue.path))}`,
      },
    ];
  });
}

function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}
