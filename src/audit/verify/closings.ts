import { type Leaf, readInstant } from './billing-fact.ts';
import { type ClosedPeriod, isMonth, monthAfter } from './book.ts';

/** The closing of a period, as the log has it. */
export interface Closing extends ClosedPeriod {
  readonly position: number;
  readonly closedAt: string;
}

const PERIOD_PREFIX = 'period-';

/** The period whose closing stands in a stream; `undefined` where it holds something else. */
export function periodOf(stream: string): string | undefined {
  return stream.startsWith(PERIOD_PREFIX) ? stream.slice(PERIOD_PREFIX.length) : undefined;
}

/**
 * Reads a closing that comes after `last`.
 * @returns it, or a part of a sentence that says why it can be none.
 */
export function readClosing(position: number, leaf: Leaf, last: Closing | undefined): Closing | string {
  const period = periodOf(leaf.stream);
  const { watermark: mark } = leaf.data;
  if (!isMonth(period) || leaf.type !== 'PeriodClosed' || leaf.data['period'] !== period)
    return 'is no closing of a period';
  if (leaf.revision !== 0) return `closes ${period}, which was closed before`;
  if (last !== undefined && period !== monthAfter(last.period))
    return `closes ${period}, which does not follow on ${last.period}`;
  const watermark = typeof mark === 'string' && /^(0|[1-9]\d{0,14})$/.test(mark) ? Number(mark) : undefined;
  if (watermark === undefined || watermark >= position || watermark < (last?.watermark ?? 0))
    return `closes ${period} at watermark ${JSON.stringify(mark ?? null)}, which is not between those before and its own position`;
  if (readInstant(leaf.recordedAt) === undefined) return `does not say when ${period} was closed`;
  return { period, watermark, position, closedAt: leaf.recordedAt };
}
