import { clippedWindow, type UsageBreakdown, usageOf } from '../../domain/billing/usage.ts';
import { daysOf, type Instant, type Window } from '../../domain/time.ts';
import { compareCodeUnits } from '../../util/compare-code-units.ts';
import type { Position } from '../../util/log-numbers.ts';
import type { AccountNumber } from '../model/interned-numbers.ts';
import type { LedgerModel } from '../model/ledger-model.ts';

/** A question about usage: the window, the instant up to which time counts, and the position up to which facts are known. */
export interface UsageQuestion {
  readonly window: Window;
  readonly through: Instant;
  readonly asOf: Position;
  /** Whether to include the usage of each day. */
  readonly byDay: boolean;
}

export interface AccountUsage extends UsageBreakdown {
  readonly accountId: string;
  readonly days?: readonly ({ readonly date: string } & UsageBreakdown)[];
}

/** Returns the usage of one account. All measures are zero if no cluster was registered to it. */
export function accountUsage(model: LedgerModel, accountId: string, question: UsageQuestion): AccountUsage {
  return toUsage(model, model.accounts.find(accountId), accountId, question);
}

/**
 * Yields the usage of every account that has a cluster at `question.asOf`, ordered by account id.
 * @param only id of the only account to include; by default all.
 */
export function* usageByAccount(
  model: LedgerModel,
  question: UsageQuestion,
  only?: string,
): Generator<AccountUsage> {
  for (const accountId of only === undefined ? model.accounts.texts.toSorted(compareCodeUnits) : [only]) {
    const account = model.accounts.find(accountId);
    if (account === undefined) continue;
    const usage = toUsage(model, account, accountId, question);
    if (usage.usage.billableClusters > 0 || model.ownsAny(account, question.asOf)) yield usage;
  }
}

function toUsage(
  model: LedgerModel,
  account: AccountNumber | undefined,
  accountId: string,
  { window, through, asOf, byDay }: UsageQuestion,
): AccountUsage {
  const counted = clippedWindow(window, through);
  const usageIn = (part: Window) =>
    account === undefined ? usageOf([], part) : model.usage(account, asOf, part);
  if (!byDay) return { accountId, ...usageIn(counted) };
  const days = daysOf(counted).map((day) => ({ date: day.date, ...usageIn(day.window) }));
  return { accountId, ...usageIn(counted), days };
}
