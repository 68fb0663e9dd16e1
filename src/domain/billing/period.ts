import { UnreadableFact } from '../facts/fact.ts';
import type { Rejection } from '../facts/rejection.ts';
import { PERIOD_CLOSED } from '../stream-table.ts';
import { HOUR_MS, type Instant, PERIOD, type Period, periodOf, periodWindow } from '../time.ts';
import { type Amounts, parseSeconds } from './quantity.ts';

/** By default, how long after its end a period waits for late facts before it is due. */
export const DEFAULT_GRACE_MS = 72 * HOUR_MS;

/** `open` until it has ended and the grace has passed, then `due` until it is `closed`. */
export const PERIOD_STATES = ['open', 'due', 'closed'] as const;
export type PeriodState = (typeof PERIOD_STATES)[number];

/** Decides which period is the next to close. */
export interface Calendar {
  /** The first and the last period that was closed. */
  readonly firstClosed: Period | undefined;
  readonly lastClosed: Period | undefined;
  /** The period with which statements begin, if an operator said so. */
  readonly begun: Period | undefined;
  /** The earliest billed instant of any cluster. */
  readonly firstBilledAt: Instant | undefined;
}

/** The recorded closing of a period. */
export interface PeriodClosing {
  readonly period: Period;
  /** Position of the last event that the statements take into account. */
  readonly watermark: number;
  /** Number of accounts with a statement. */
  readonly accounts: number;
  /** Sum of the totals of all statements. */
  readonly totals: Amounts;
  /** SHA-256, in hex, over the RFC 8785 canonical JSON of all statements, ordered by account. */
  readonly statementsDigest: string;
  /** Version of the billing rules by which the statements were made. */
  readonly rules: number;
}

/** Converts a closing to the event that is stored. Positions are decimal strings, as in the API. */
export function serializeClosing({
  period,
  watermark,
  accounts,
  totals,
  statementsDigest,
  rules,
}: PeriodClosing) {
  const { billableClusters, clusterSeconds } = totals;
  const data = {
    period,
    watermark: String(watermark),
    accounts,
    totals: { billableClusters, clusterSeconds },
    statementsDigest,
    rules,
  };
  return { type: PERIOD_CLOSED, data };
}

/** Parses a stored closing. @throws UnreadableFact */
export function parseClosing(
  period: Period,
  type: string,
  data: { readonly [key: string]: unknown },
): PeriodClosing {
  if (type !== PERIOD_CLOSED) throw new UnreadableFact(`${type} is not known`);
  // Closings of the first release do not name the version of their rules.
  const { watermark, accounts, totals, statementsDigest, rules = 1 } = data;
  if (!PERIOD.test(period) || data['period'] !== period)
    throw new UnreadableFact(`${type} names another period than its stream`);
  if (typeof watermark !== 'string' || !/^(0|[1-9]\d{0,14})$/.test(watermark))
    throw new UnreadableFact(`${type} has no readable watermark`);
  if (!Number.isSafeInteger(accounts)) throw new UnreadableFact(`${type} does not say how many accounts`);
  if (typeof statementsDigest !== 'string') throw new UnreadableFact(`${type} has no digest`);
  if (!Number.isSafeInteger(rules)) throw new UnreadableFact(`${type} has no readable version of the rules`);
  return {
    period,
    watermark: Number(watermark),
    accounts: accounts as number,
    totals: readAmounts(type, totals),
    statementsDigest,
    rules: rules as number,
  };
}

function readAmounts(type: string, recorded: unknown): Amounts {
  const { billableClusters, clusterSeconds } = (recorded ?? {}) as Partial<Amounts>;
  if (!Number.isSafeInteger(billableClusters) || parseSeconds(clusterSeconds) === undefined)
    throw new UnreadableFact(`${type} has no readable totals`);
  return { billableClusters, clusterSeconds } as Amounts;
}

/** Returns the period after `period`. */
export function periodAfter(period: Period): Period {
  return periodOf(periodWindow(period).to);
}

/** Returns the instant from which a period is due to be closed. */
export function dueAt(period: Period, graceMs: number): Instant {
  return periodWindow(period).to + graceMs;
}

export function periodState(period: Period, isClosed: boolean, now: Instant, graceMs: number): PeriodState {
  if (isClosed) return 'closed';
  return now >= dueAt(period, graceMs) ? 'due' : 'open';
}

/** Returns the only period that may be closed next, once it has ended; `undefined` if nothing was ever billed. */
export function nextToClose({ lastClosed, begun, firstBilledAt }: Calendar): Period | undefined {
  if (lastClosed !== undefined) return periodAfter(lastClosed);
  if (begun !== undefined) return begun;
  return firstBilledAt === undefined ? undefined : periodOf(firstBilledAt);
}

/** Returns the periods that have or will have statements, in order, up to the one of `now`. */
export function periodsUpTo(now: Instant, calendar: Calendar): readonly Period[] {
  const first = calendar.firstClosed ?? nextToClose(calendar);
  if (first === undefined) return [];
  const periods = [first];
  const last = [periodOf(now), calendar.lastClosed ?? first].sort().at(-1) as Period;
  for (let next = periodAfter(first); next <= last; next = periodAfter(next)) periods.push(next);
  return periods;
}

/**
 * Returns the earlier periods that a statement of `period` may adjust: those closed before it and, if no `BillingBegan` says
 * where statements begin, those before the first closed one, from the earliest billed instant on.
 * @param closed periods closed before `period`, in order.
 */
export function adjustablePeriods(
  closed: readonly Period[],
  { begun, firstBilledAt }: Pick<Calendar, 'begun' | 'firstBilledAt'>,
): readonly Period[] {
  const [first] = closed;
  if (first === undefined || begun !== undefined || firstBilledAt === undefined) return closed;
  const before: Period[] = [];
  for (let period = periodOf(firstBilledAt); period < first; period = periodAfter(period))
    before.push(period);
  return [...before, ...closed];
}

/**
 * Returns why a period that is not closed cannot be closed; `undefined` if it can. The first rule that fails is the answer.
 * @param early whether it may be closed during the grace.
 */
export function rejectionOfClose(
  period: Period,
  calendar: Calendar,
  { now, early, graceMs }: { readonly now: Instant; readonly early: boolean; readonly graceMs: number },
): Rejection | undefined {
  const endsAt = periodWindow(period).to;
  if (now < endsAt) return { code: 'period-not-ended', period, endsAt };
  const next = nextToClose(calendar);
  if (period !== next) {
    const mayBegin =
      calendar.firstClosed === undefined &&
      calendar.begun === undefined &&
      next !== undefined &&
      next < period;
    return { code: 'period-not-next', period, next, mayBegin };
  }
  const due = dueAt(period, graceMs);
  if (now < due && !early) return { code: 'period-in-grace', period, dueAt: due };
  return undefined;
}
