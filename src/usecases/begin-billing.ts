import { AmountSum, type Amounts } from '../domain/billing/quantity.ts';
import { rejectBeginning } from '../domain/billing/statement-beginning.ts';
import type { Rejection } from '../domain/facts/rejection.ts';
import { type Instant, type Period, periodWindow, type Window } from '../domain/time.ts';
import type { EventStore } from '../eventstore/event-store.ts';
import type { FirstPeriod } from '../ledger/first-period.ts';
import { NotCaughtUp } from '../ledger/ledger-errors.ts';
import type { LedgerModel } from '../projections/model/ledger-model.ts';
import type { RecordedBeginning } from '../projections/model/statement-calendar.ts';
import type { Projections } from '../projections/projections.ts';
import { VISIBLE_TIMEOUT_MS } from '../projections/wait-limits.ts';
import { EventLoopYielder } from '../util/event-loop-yielder.ts';
import { modelAtHead } from './model-at-head.ts';

interface Dependencies {
  readonly store: EventStore;
  readonly projections: Projections;
  readonly firstPeriod: FirstPeriod;
}

export interface BeginBillingCommand {
  readonly period: Period;
  readonly reason: string;
  /** Only compute what would be left out; nothing is written. */
  readonly dryRun: boolean;
  readonly actor: string;
}

/** Usage before the beginning. Reads show it; no statement contains it. */
export interface LeftOut {
  /** From the earliest billed instant to the beginning. */
  readonly window: Window;
  /** Accounts that were billed there. */
  readonly accounts: number;
  readonly amounts: Amounts;
}

export type BeginBillingResult =
  | { readonly outcome: 'rejected'; readonly rejection: Rejection }
  | { readonly outcome: 'would-begin'; readonly period: Period; readonly leftOut: LeftOut }
  | { readonly outcome: 'begun'; readonly beginning: RecordedBeginning; readonly leftOut: LeftOut };

/**
 * Records the first period that has statements. Beginning with the same period again returns the first decision.
 * @throws NotCaughtUp, and the errors of `FirstPeriod`: a retry is safe.
 */
export async function beginBilling(
  { store, projections, firstPeriod }: Dependencies,
  { period, reason, dryRun, actor }: BeginBillingCommand,
): Promise<BeginBillingResult> {
  const model = await modelAtHead(store, projections);
  const { beginning } = model;
  if (beginning?.period === period)
    return { outcome: 'begun', beginning, leftOut: await leftOutBefore(model, period) };
  const rejection = rejectBeginning(period, model.calendar);
  if (rejection !== undefined) return { outcome: 'rejected', rejection };
  const leftOut = await leftOutBefore(model, period);
  if (dryRun) return { outcome: 'would-begin', period, leftOut };
  const choice = await firstPeriod.choose({ by: 'beginning', period, reason, actor });
  if (choice.by === 'closing')
    return {
      outcome: 'rejected',
      rejection: { code: 'billing-already-closed', period, firstClosed: choice.period },
    };
  const eventId = await firstPeriod.recordBeginning(choice);
  if (eventId !== undefined) await projections.waitForEvent(eventId, VISIBLE_TIMEOUT_MS);
  const { beginning: recorded, calendar } = await modelAtHead(store, projections);
  if (recorded?.period === period) return { outcome: 'begun', beginning: recorded, leftOut };
  // Another operator recorded a beginning or closed a period in the meantime: that decision came first.
  const overtaken = rejectBeginning(period, calendar);
  if (overtaken === undefined)
    throw new NotCaughtUp('the beginning is recorded but is not visible in answers yet');
  return { outcome: 'rejected', rejection: overtaken };
}

/** Adds up the usage of every account before a period. */
async function leftOutBefore(model: LedgerModel, period: Period): Promise<LeftOut> {
  const to: Instant = periodWindow(period).from;
  const window = { from: Math.min(to, model.firstBilledAt(model.position) ?? to), to };
  const sum = new AmountSum();
  const yielder = new EventLoopYielder();
  let accounts = 0;
  for (const account of model.accounts.texts.keys()) {
    const { usage } = model.usage(account, model.position, window);
    if (usage.billableClusters > 0) accounts++;
    sum.add(usage);
    if (yielder.isDue) await yielder.yield();
  }
  return { window, accounts, amounts: sum.total };
}
