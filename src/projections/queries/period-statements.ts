import { createHash } from 'node:crypto';
import type { PeriodClosing } from '../../domain/billing/period.ts';
import { AmountSum } from '../../domain/billing/quantity.ts';
import {
  type Change,
  canonicalStatement,
  changesWithin,
  firstChange,
  type Statement,
  statementOf,
} from '../../domain/billing/statement.ts';
import { type Period, periodWindow } from '../../domain/time.ts';
import { compareCodeUnits } from '../../util/compare-code-units.ts';
import { yieldingToEventLoop } from '../../util/event-loop-yielder.ts';
import type { Position } from '../../util/log-numbers.ts';
import type { AccountNumber } from '../model/interned-numbers.ts';
import type { LedgerModel } from '../model/ledger-model.ts';
import { rebilled, type Span, toAccount } from './differences.ts';

/** A period, and the position up to which its statements know facts. */
type Closed = Pick<PeriodClosing, 'period' | 'watermark'>;

export interface StatementsQuestion extends Closed {
  /** Periods closed before this one, in order. */
  readonly earlier: readonly Closed[];
}

/** What a close says of the statements it stands for. */
export type Tally = Pick<PeriodClosing, 'accounts' | 'totals' | 'statementsDigest'>;

/** What the statements of a period that is closed were made from; `undefined` where it is not closed. */
export function closedQuestion(model: LedgerModel, period: Period): StatementsQuestion | undefined {
  const i = model.closedPeriods.findIndex((close) => close.period === period);
  const close = model.closedPeriods[i];
  if (close === undefined) return undefined;
  return { period, watermark: close.watermark, earlier: model.closedPeriods.slice(0, i) };
}

/** Which of the accounts are asked about; by default all. */
interface Choice {
  readonly only?: string;
  /** Those behind this one, in order of the ids. */
  readonly behind?: string | undefined;
}

/**
 * The statements of a period, in order of the accounts: a function of the facts up to the watermark. Only what was recorded
 * since the close before is looked at for adjustments.
 */
export function* statementsOf(
  model: LedgerModel,
  question: StatementsQuestion,
  choice: Choice = {},
): Generator<Statement> {
  for (const statement of workOut(model, question, choice)) if (statement !== undefined) yield statement;
}

/** The same, a slice at a time. What is recorded meanwhile changes nothing: it stands behind the watermark. */
export function statementsInTurns(
  model: LedgerModel,
  question: StatementsQuestion,
  choice: Choice = {},
): AsyncGenerator<Statement> {
  return yieldingToEventLoop(workOut(model, question, choice));
}

/** Yields every statement, and `undefined` wherever it may pause. */
function* workOut(
  model: LedgerModel,
  { period, watermark, earlier }: StatementsQuestion,
  { only, behind }: Choice,
): Generator<Statement | undefined> {
  const window = periodWindow(period);
  const before = earlier.at(-1)?.watermark ?? watermark;
  const touched = yield* touchedAccounts(model, { period, watermark, earlier }, only);
  for (const accountId of only === undefined ? model.accounts.texts.toSorted(compareCodeUnits) : [only]) {
    const account = model.accounts.find(accountId);
    if (account === undefined || (behind !== undefined && accountId <= behind)) continue;
    const periods = touched.get(accountId);
    const changes =
      periods === undefined ? [] : changesOf(model, account, periods, { before, after: watermark });
    yield statementOf({ accountId, period, watermark }, model.usage(account, watermark, window), changes);
  }
}

/** @param periods the positions of what changed in each. */
function changesOf(
  model: LedgerModel,
  account: AccountNumber,
  periods: ReadonlyMap<Period, ReadonlySet<number>>,
  { before, after }: Span,
): Change[] {
  const inOrder = [...periods].sort(([a], [b]) => compareCodeUnits(a, b));
  return inOrder.map(([period, positions]) => ({
    period,
    before: model.usage(account, before, periodWindow(period)),
    after: model.usage(account, after, periodWindow(period)),
    facts: [...positions].sort((a, b) => a - b).map((position) => model.facts.ids.at(position)),
  }));
}

/** Clusters after which it may pause. */
const PAUSE_EVERY = 50;

/** By account and earlier closed period: the positions of the facts by which a cluster of it is billed otherwise there. */
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
  const windows = earlier.map(({ period }) => ({ period, window: periodWindow(period) })).reverse();
  const lastEnd = windows[0]?.window.to ?? 0;
  for (const cluster of clusters) {
    if (++looked % PAUSE_EVERY === 0) yield undefined;
    if (model.unchangedUntil(cluster, before, watermark) >= lastEnd) continue;
    const cause = rebilled(model, cluster, { before, after: watermark });
    if (cause === undefined) continue;
    const { was, is, changes } = cause;
    const since = firstChange(was, is);
    if (since === undefined) continue;
    for (const { period, window } of windows) {
      if (window.to <= since) break;
      // What is effective from the end of a period on cannot have changed it.
      const causes = changes.filter(({ effectiveAt }) => effectiveAt < window.to);
      for (const accountId of new Set([was.accountId, is.accountId])) {
        if (accountId === undefined) continue;
        if (!changesWithin(toAccount(was, accountId), toAccount(is, accountId), window)) continue;
        const positions = positionsOf(touched, accountId, period);
        for (const { causePosition: by } of causes) positions.add(by);
      }
    }
  }
  return touched;
}

function positionsOf(touched: Touched, accountId: string, period: Period): Set<number> {
  const periods = touched.get(accountId) ?? new Map<Period, Set<number>>();
  touched.set(accountId, periods);
  const positions = periods.get(period) ?? new Set();
  periods.set(period, positions);
  return positions;
}

/** Numbers of the clusters with a fact between two positions, each once. */
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
 * Counts, adds up and digests statements.
 * @param each is given every statement, and its canonical JSON.
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
  return { accounts, totals: totals.total, statementsDigest: hash.update(']').digest('hex') };
}
