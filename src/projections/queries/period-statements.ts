import { createHash } from 'node:crypto';
import { adjustablePeriods, type PeriodClosing } from '../../domain/billing/period.ts';
import { AmountSum } from '../../domain/billing/quantity.ts';
import {
  type Adjustment,
  adjustmentsOf,
  type Change,
  canonicalStatement,
  changesWithin,
  firstChange,
  RULES_VERSION,
  type Statement,
  statementOf,
} from '../../domain/billing/statement.ts';
import { type Period, periodWindow } from '../../domain/time.ts';
import { compareCodeUnits } from '../../util/compare-code-units.ts';
import { yieldingToEventLoop } from '../../util/event-loop-yielder.ts';
import type { Position } from '../../util/log-numbers.ts';
import type { AccountNumber } from '../model/interned-numbers.ts';
import type { LedgerModel } from '../model/ledger-model.ts';
import { accountsInOrder } from './account-usage.ts';
import { rebilled, type Span, toAccount } from './differences.ts';
import { statementId } from './statement-id.ts';

/** A period, and the watermark of its statements. */
type Closed = Pick<PeriodClosing, 'period' | 'watermark'>;

export interface StatementsQuestion extends Closed {
  /** Periods closed before this one, in order. */
  readonly earlier: readonly Closed[];
}

/** The part of a closing that is computed from its statements. */
export type Tally = Pick<PeriodClosing, 'accounts' | 'totals' | 'statementsDigest' | 'rules'>;

/** Returns the question whose answer the closed statements of a period are; `undefined` if it is not closed. */
export function closedQuestion(model: LedgerModel, period: Period): StatementsQuestion | undefined {
  const { all } = model.closedPeriods;
  const i = all.findIndex((close) => close.period === period);
  const close = all[i];
  if (close === undefined) return undefined;
  return { period, watermark: close.watermark, earlier: all.slice(0, i) };
}

/** Selects accounts; by default all. */
interface Choice {
  readonly only?: string;
  /** Only accounts whose id is greater than this one. */
  readonly behind?: string | undefined;
}

/**
 * Yields the statements of a period, ordered by account. They depend only on the facts up to the watermark. Adjustments
 * come only from facts recorded since the previous closing.
 */
export function* statementsOf(
  model: LedgerModel,
  question: StatementsQuestion,
  choice: Choice = {},
): Generator<Statement> {
  for (const statement of statementsWithPauses(model, question, choice))
    if (statement !== undefined) yield statement;
}

/**
 * Yields the same statements, and yields to the event loop between them. Facts recorded meanwhile have no effect.
 * @param signal ends the work: it then throws its reason.
 */
export function statementsInTurns(
  model: LedgerModel,
  question: StatementsQuestion,
  choice: Choice = {},
  signal?: AbortSignal,
): AsyncGenerator<Statement> {
  return yieldingToEventLoop(statementsWithPauses(model, question, choice), signal);
}

/** Yields every statement, and `undefined` where the caller may pause. */
function* statementsWithPauses(
  model: LedgerModel,
  { period, watermark, earlier }: StatementsQuestion,
  { only, behind }: Choice,
): Generator<Statement | undefined> {
  const window = periodWindow(period);
  const before = earlier.at(-1)?.watermark ?? watermark;
  const touched = yield* touchedAccounts(model, { period, watermark, earlier }, only);
  for (const account of accountsInOrder(model, only)) {
    const accountId = model.accounts.text(account);
    if (behind !== undefined && accountId <= behind) continue;
    const periods = touched.get(accountId);
    const changes =
      periods === undefined ? [] : yield* changesOf(model, account, periods, { before, after: watermark });
    const key = { statementId: statementId(accountId, period), accountId, period, watermark };
    yield statementOf(key, yield* model.usageWithPauses(account, watermark, window), changes);
  }
}

/** The adjustments of an account that are on no statement yet. */
export interface PendingAdjustments {
  readonly accountId: string;
  readonly adjustments: readonly Adjustment[];
}

/**
 * Yields the adjustments that the next closing would make, ordered by account, and `undefined` where the caller may pause. They
 * come from facts recorded after the watermark of the last closed period.
 * @param asOf position up to which facts are known.
 */
export function* pendingAdjustments(
  model: LedgerModel,
  asOf: Position,
): Generator<PendingAdjustments | undefined> {
  const earlier = model.closedPeriods.knownAt(asOf);
  const last = earlier.at(-1);
  if (last === undefined) return;
  const touched = yield* touchedAccounts(model, { period: last.period, watermark: asOf, earlier }, undefined);
  for (const [accountId, periods] of [...touched].sort(([a], [b]) => compareCodeUnits(a, b))) {
    const account = model.accounts.find(accountId);
    if (account === undefined) continue;
    const span = { before: last.watermark, after: asOf };
    const adjustments = adjustmentsOf(yield* changesOf(model, account, periods, span));
    if (adjustments.length > 0) yield { accountId, adjustments };
  }
}

/**
 * Returns the earlier periods in which a cluster is billed to an account otherwise than at the previous closing, even if the
 * changes of several clusters cancel out. Yields where the caller may pause.
 */
export function* earlierChanges(
  model: LedgerModel,
  question: StatementsQuestion,
  accountId: string,
): Generator<undefined, Period[]> {
  return [...((yield* touchedAccounts(model, question, accountId)).get(accountId)?.keys() ?? [])];
}

/** @param periods positions of the facts that changed each period. */
function* changesOf(
  model: LedgerModel,
  account: AccountNumber,
  periods: ReadonlyMap<Period, ReadonlySet<number>>,
  { before, after }: Span,
): Generator<undefined, Change[]> {
  const changes: Change[] = [];
  for (const [period, positions] of [...periods].sort(([a], [b]) => compareCodeUnits(a, b)))
    changes.push({
      period,
      before: yield* model.usageWithPauses(account, before, periodWindow(period)),
      after: yield* model.usageWithPauses(account, after, periodWindow(period)),
      facts: [...positions].sort((a, b) => a - b).map((position) => model.facts.ids.at(position)),
    });
  return changes;
}

/** Number of clusters after which the caller may pause. */
const PAUSE_EVERY = 50;

/** Positions of the facts that changed the billing of an account in an earlier period, by account and period. */
type Touched = Map<string, Map<Period, Set<number>>>;

function* touchedAccounts(
  model: LedgerModel,
  question: StatementsQuestion,
  only: string | undefined,
): Generator<undefined, Touched> {
  const touched: Touched = new Map();
  const { watermark, earlier } = question;
  const before = earlier.at(-1)?.watermark;
  if (before === undefined) return touched;
  const clusters = only === undefined ? clustersBetween(model, before, watermark) : clustersOf(model, only);
  let looked = 0;
  const windows = adjustableWindows(model, question).reverse();
  const lastEnd = windows[0]?.window.to ?? 0;
  for (const cluster of clusters) {
    if (++looked % PAUSE_EVERY === 0) yield undefined;
    if (model.unchangedUntil(cluster, before, watermark) >= lastEnd) continue;
    const cause = rebilled(model, cluster, { before, after: watermark });
    if (cause === undefined) continue;
    const { was, is, changes } = cause;
    const since = firstChange(was, is);
    if (since === undefined) continue;
    const owners = new Set([...was, ...is].map(({ accountId }) => accountId));
    for (const { period, window } of windows) {
      if (window.to <= since) break;
      // A fact that is effective from the end of a period on cannot have changed it.
      const causes = changes.filter(({ effectiveAt }) => effectiveAt < window.to);
      for (const accountId of owners) {
        if (!changesWithin(toAccount(was, accountId), toAccount(is, accountId), window)) continue;
        const positions = positionsOf(touched, accountId, period);
        for (const { causePosition: by } of causes) positions.add(by);
      }
    }
  }
  return touched;
}

/** Returns the earlier periods that may be adjusted, in order. */
function adjustableWindows(model: LedgerModel, { watermark, earlier }: StatementsQuestion) {
  const before = earlier.at(-1)?.watermark ?? 0;
  const begun = model.calendarAt(watermark).begun;
  // Includes time that earlier statements billed and that is no longer known as billed.
  const instants = [before, watermark].map((asOf) => model.firstBilledAt(asOf) ?? Number.POSITIVE_INFINITY);
  const first = Math.min(...instants);
  const firstBilledAt = first === Number.POSITIVE_INFINITY ? undefined : first;
  const closed = earlier.map(({ period }) => period);
  return adjustablePeriods(closed, { begun, firstBilledAt }).map((period) => ({
    period,
    window: periodWindow(period),
  }));
}

function positionsOf(touched: Touched, accountId: string, period: Period): Set<number> {
  const periods = touched.get(accountId) ?? new Map<Period, Set<number>>();
  touched.set(accountId, periods);
  const positions = periods.get(period) ?? new Set();
  periods.set(period, positions);
  return positions;
}

/** Yields each cluster with a fact between two positions once. */
function* clustersBetween(model: LedgerModel, after: Position, upTo: Position): Generator<number> {
  const seen = new Uint8Array(model.clusters.size);
  for (let position = after + 1; position <= upTo; position++) {
    const cluster = model.facts.clusterAt(position);
    if (cluster === -1 || seen[cluster] === 1) continue;
    seen[cluster] = 1;
    yield cluster;
  }
}

function clustersOf(model: LedgerModel, accountId: string): Iterable<number> {
  const account = model.accounts.find(accountId);
  return account === undefined ? [] : model.clustersOf(account);
}

/**
 * Counts, sums and digests statements.
 * @param each is called with every statement and its canonical JSON.
 */
export async function tally(
  statements: AsyncIterable<Statement>,
  each: (statement: Statement, canonical: string) => void = () => undefined,
): Promise<Tally> {
  const totals = new AmountSum();
  const hash = createHash('sha256').update('[');
  let accounts = 0;
  for await (const statement of statements) {
    const canonical = canonicalStatement(statement);
    hash.update(accounts === 0 ? canonical : `,${canonical}`);
    accounts++;
    totals.add(statement.total);
    each(statement, canonical);
  }
  const statementsDigest = hash.update(']').digest('hex');
  return { accounts, totals: totals.total, statementsDigest, rules: RULES_VERSION };
}
