/** Request fields that several resources share. Nothing is coerced: a value of another form is invalid. */
import { z } from 'zod';
import { AccountId, ClusterId, EventId } from '../../domain/facts/fact.ts';
import { formatInstant, INSTANT_FORM, type Instant, PERIOD, parseInstant } from '../../domain/time.ts';
import { constraintOf, faultyPart } from '../../util/constraint-of.ts';
import { jsonPointer } from '../../util/json-pointer.ts';
import type { FieldError } from '../server/problem.ts';

/** An instant in a request, parsed to milliseconds since the epoch. */
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

/** A position in the log. */
export const PositionText = Whole.transform(Number);

/** A number of events: the size of a tree of the log. */
export const TreeSizeText = PositionText.meta({ type: 'integer', minimum: 0 });

export const PeriodText = z
  .string()
  .regex(PERIOD, 'must be a month, YYYY-MM, from 1970-01')
  .refine((text) => text !== '9999-12', 'must be before 9999-12');

/** The facts to take into account: up to a position, or recorded at or before an instant. */
export const AsOf = z
  .union([PositionText, InstantText.transform((instant) => ({ instant }))], {
    error: `must be a position, or ${INSTANT_FORM}`,
  })
  .describe(
    'Use only the facts recorded up to this position or instant. Does not limit the time that is counted.',
  );
export type AsOf = number | { readonly instant: Instant };

export const wholeNumber = (least: number, most: number) =>
  Whole.transform(Number)
    .refine((n) => n >= least && n <= most, `must be from ${least} to ${most}`)
    .meta({ type: 'integer', minimum: least, maximum: most });

export const Flag = z.enum(['true', 'false']).transform((text) => text === 'true');

/** The path parameters of the resources. */
export const ClusterPath = z.strictObject({ clusterId: ClusterId.describe('The id of the cluster.') });
export const AccountPath = z.strictObject({ accountId: AccountId.describe('The id of the account.') });
export const PeriodPath = z.strictObject({ period: PeriodText.describe('A UTC month, YYYY-MM.') });
export const EventPath = z.strictObject({
  eventId: EventId.describe('The id that the ledger gave the event.'),
});

/** The query parameter of every read. */
export const Reading = {
  minPosition: PositionText.optional().describe(
    'Wait up to 2 s until the ledger has read this position; 503 if it has not.',
  ),
};

export const Paging = {
  limit: wholeNumber(1, 1_000).prefault('100').describe('Maximum number of items.'),
  cursor: z.string().min(1).max(1_024).optional().describe('`next` of the previous page.'),
};

/** Returns the `asOf` of a request as its answer repeats it; null if there was none. */
export function asOfOut(asOf: AsOf | undefined): string | null {
  if (asOf === undefined) return null;
  return typeof asOf === 'object' ? formatInstant(asOf.instant) : String(asOf);
}

export function instantOut(instant: Instant): string {
  return formatInstant(instant);
}

/** Turns the issues that zod reports into field errors: the field, the allowed values, and the given value. */
export function fieldErrors(error: z.ZodError, input: unknown, prefix = ''): FieldError[] {
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
        detail: `${constraintOf(issue)}; given ${describe(faultyPart(issue, input))}`,
      },
    ];
  });
}

function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}
