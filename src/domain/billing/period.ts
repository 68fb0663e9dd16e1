import { UnreadableFact } from '../facts/fact.ts';
import type { Rejection } from '../facts/rejection.ts';
import { PERIOD_CLOSED } from '../stream-table.ts';
import { HOUR_MS, type Instant, PERIOD, type Period, periodOf, periodWindow } from '../time.ts';
import { type Amounts, parseSeconds } from './quantity.ts';

/** How long after its end a period waits for facts that are late, before it is due. */
export const GRACE_MS = 72 * HOUR_MS;

/** `open` until it has ended and the grace has passed, then `due` until it is `closed`. */
export const PERIOD_STATES = ['open', 'due', 'closed'] as const;
export type PeriodState = (typeof PERIOD_STATES)[number];

/** What decides which period is the next to close. */
export interface Calendar {
  /** The last period that was closed. */
  readonly lastClosed: Period | undefined;
  /** The earliest instant at which any fact is effective. */
  readonly firstFactAt: Instant | undefined;
}

/** The closing of a period, as it is recorded. */
export interface PeriodClosing {
  readonly period: Period;
  /** Position of the last event that the statements know. */
  readonly watermark: number;
  /** How many accounts have a statement. */
  readonly accounts: number;
  /** The sum of the totals of all statements. */
  readonly totals: Amounts;
  /** SHA-256, in hex, over the RFC 8785 canonical JSON of all statements, ordered by account. */
  readonly statementsDigest: string;
}

/** Writes a closing down; positions are decimal strings, as everywhere outside. */
export function serializeClosing({ period, watermark, accounts, totals, statementsDigest }: PeriodClosing) {
  const { billableClusters, clusterSeconds } = totals;
  const data = {
    period,
    watermark: String(watermark),
    accounts,
    totals: { billableClusters, clusterSeconds },
    statementsDigest,
  };
  return { type: PERIOD_CLOSED, data };
}

/** Reads a closing back. @throws UnreadableFact */
export function parseClosing(
  period: Period,
  type: string,
  data: { readonly [key: string]: unknown },
): PeriodClosing {
  if (type !== PERIOD_CLOSED) throw new UnreadableFact(`${type} is not known`);
  const { watermark, accounts, totals, statementsDigest } = data;
  if (!PERIOD.test(period) || data['period'] !== period)
    throw new UnreadableFact(`${type} names another period than its stream`);
  if (typeof watermark !== 'string' || !/^(0|[1-9]\d{0,14})$/.test(watermark))
    throw new UnreadableFact(`${type} has no readable watermark`);
  if (!Number.isSafeInteger(accounts)) throw new UnreadableFact(`${type} does not say how many accounts`);
  if (typeof statementsDigest !== 'string') throw new UnreadableFact(`${type} has no digest`);
  return {
    period,
    watermark: Number(watermark),
    accounts: accounts as number,
    totals: readAmounts(type, totals),
    statementsDigest,
  };
}

function readAmounts(type: string, recorded: unknown): Amounts {
  const { billableClusters, clusterSeconds } = (recorded ?? {}) as Partial<Amounts>;
  if (!Number.isSafeInteger(billableClusters) || parseSeconds(clusterSeconds) === undefined)
    throw new UnreadableFact(`${type} has no readable totals`);
  return { billableClusters, clusterSeconds } as Amounts;
}

/** The period after another. */
export function periodAfter(period: Period): Period {
  return periodOf(periodWindow(period).to);
}

/** When a period is due to be closed. */
export function dueAt(period: Period): Instant {
  return periodWindow(period).to + GRACE_MS;
}

export function periodState(period: Period, isClosed: boolean, now: Instant): PeriodState {
  if (isClosed) return 'closed';
  return now >= dueAt(period) ? 'due' : 'open';
}

/** The only period that may be closed now, once it has ended; `undefined` where there is no fact at all. */
export function nextToClose({ lastClosed, firstFactAt }: Calendar): Period | undefined {
  if (lastClosed !== undefined) return periodAfter(lastClosed);
  return firstFactAt === undefined ? undefined : periodOf(firstFactAt);
}

/** Periods that there is something to say of, in order: from the first closed one, or with a fact, to the one of `now`. */
export function periodsUpTo(
  now: Instant,
  firstClosed: Period | undefined,
  { firstFactAt }: Pick<Calendar, 'firstFactAt'>,
): readonly Period[] {
  const first = firstClosed ?? (firstFactAt === undefined ? undefined : periodOf(firstFactAt));
  if (first === undefined) return [];
  const periods = [first];
  const last = periodOf(now);
  for (let next = periodAfter(first); next <= last; next = periodAfter(next)) periods.push(next);
  return periods;
}

/**
 * Why a period that is not closed cannot be closed; `undefined` where it can. The first rule that fails is the answer.
 * @param early whether it may be closed during the grace.
 */
export function rejectionOfClose(
  period: Period,
  calendar: Calendar,
  { now, early }: { readonly now: Instant; readonly early: boolean },
): Rejection | undefined {
  const endsAt = periodWindow(period).to;
  if (now < endsAt) return { code: 'period-not-ended', period, endsAt };
  const next = nextToClose(calendar);
  if (period !== next) return { code: 'period-not-next', period, next };
  if (now < dueAt(period) && !early) return { code: 'period-in-grace', period, dueAt: dueAt(period) };
  return undefined;
}
