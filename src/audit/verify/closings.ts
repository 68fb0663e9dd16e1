import { type Leaf, readInstant } from './billing-fact.ts';
import type { ClosedPeriod } from './book.ts';
import { isMonth, monthAfter } from './months.ts';

/** The version of docs/billing-rules.md by which this verifier computes statements. */
export const KNOWN_RULES = 2;

/** The closing of a period, as it is recorded. */
export interface Closing extends ClosedPeriod {
  readonly position: number;
  readonly closedAt: string;
  /** Version of the rules by which the statements were made. */
  readonly rules: number;
}

/** The event that says with which period statements begin, as it is recorded. */
export interface Beginning {
  readonly position: number;
  readonly period: string;
}

const PERIOD_PREFIX = 'period-';
const BILLING_STREAM = 'billing';

/** Returns the period of a stream of closings; `undefined` for any other stream. */
export function periodOf(stream: string): string | undefined {
  return stream.startsWith(PERIOD_PREFIX) ? stream.slice(PERIOD_PREFIX.length) : undefined;
}

/** Returns whether a stream has the beginning of statements. */
export function isBillingStream(stream: string): boolean {
  return stream === BILLING_STREAM;
}

/**
 * Reads the beginning of statements.
 * @returns the beginning, or a part of a sentence that says why the event is not one.
 */
export function readBeginning(position: number, { stream, revision, type, data }: Leaf): Beginning | string {
  const { period } = data;
  if (!isBillingStream(stream) || type !== 'BillingBegan' || revision !== 0 || !isMonth(period))
    return 'is not a beginning of statements';
  return { position, period };
}

/**
 * Reads a closing.
 * @param last the closing before it. @param beginning the beginning of statements, if it is recorded before the closing.
 * @returns the closing, or a part of a sentence that says why the event cannot be one.
 */
export function readClosing(
  position: number,
  leaf: Leaf,
  last: Closing | undefined,
  beginning: Beginning | undefined,
): Closing | string {
  const period = periodOf(leaf.stream);
  const { watermark: mark, rules = 1 } = leaf.data;
  if (!isMonth(period) || leaf.type !== 'PeriodClosed' || leaf.data['period'] !== period)
    return 'is not a closing of a period';
  if (leaf.revision !== 0) return `closes ${period}, which was closed before`;
  if (last !== undefined && period !== monthAfter(last.period))
    return `closes ${period}, which does not follow on ${last.period}`;
  const watermark = typeof mark === 'string' && /^(0|[1-9]\d{0,14})$/.test(mark) ? Number(mark) : undefined;
  if (watermark === undefined || watermark >= position || watermark < (last?.watermark ?? 0))
    return `closes ${period} at watermark ${JSON.stringify(mark ?? null)}, which is not between those before and its own position`;
  if (last === undefined && beginning !== undefined) {
    if (beginning.position <= watermark && beginning.period !== period)
      return `closes ${period} first, but statements begin with ${beginning.period} (position ${beginning.position})`;
  }
  if (typeof rules !== 'number' || !Number.isSafeInteger(rules))
    return `closes ${period} by rules ${JSON.stringify(rules)}, which is not a version`;
  if (readInstant(leaf.recordedAt) === undefined) return `does not say when ${period} was closed`;
  return { period, watermark, position, closedAt: leaf.recordedAt, rules };
}

/** Returns why the statements of a closing cannot be computed; `undefined` if they can. */
export function whyNotComputed({ period, rules }: Closing): string | undefined {
  if (rules === KNOWN_RULES) return undefined;
  return `${period} was closed by rules version ${rules}: rules version ${rules} is not known to this verifier, which knows version ${KNOWN_RULES}`;
}
