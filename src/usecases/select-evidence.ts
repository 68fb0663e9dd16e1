import type { Statement } from '../domain/billing/statement.ts';
import type { UsageBreakdown } from '../domain/billing/usage-meter.ts';
import { type Instant, type Period, periodWindow } from '../domain/time.ts';
import type { ClosedPeriod } from '../projections/model/closed-periods.ts';
import type { LedgerModel } from '../projections/model/ledger-model.ts';
import { accountUsage } from '../projections/queries/account-usage.ts';
import { closedQuestion, statementsInTurns } from '../projections/queries/period-statements.ts';
import type { Position } from '../util/log-numbers.ts';
import { type EvidenceCluster, neededClusters } from './needed-clusters.ts';

/** Maximum number of facts of an account in an evidence file: their proofs, about 700 bytes each, are held in memory. */
const MAX_FACTS = 100_000;

/** The figure that an evidence file proves: the statement of a closed period, or the usage of another period. */
export type EvidenceFigure =
  | { readonly kind: 'no-statement' }
  | { readonly kind: 'statement'; readonly statement: Statement; readonly closedAt: Instant }
  | { readonly kind: 'usage'; readonly usage: UsageBreakdown };

export type EvidenceSelection =
  /** A cluster cannot be read, so that no figure can be proved. */
  | { readonly outcome: 'halted'; readonly clusterId: string; readonly why: string }
  | { readonly outcome: 'too-many-facts'; readonly facts: number; readonly limit: number }
  | {
      readonly outcome: 'selected';
      readonly figure: EvidenceFigure;
      readonly clusters: readonly EvidenceCluster[];
      readonly closings: readonly ClosedPeriod[];
    };

/** Which events are selected. */
interface EvidenceScope {
  /** Number of events that the checkpoint covers; later events are left out. */
  readonly size: number;
  /** The usage of a period that is not closed is counted up to this instant. */
  readonly now: Instant;
  /** Whether to leave out everything that the figure does not need: for the customer, who must not see facts of others. */
  readonly isMinimal?: boolean;
}

/**
 * Selects what an evidence file must contain: the figure of an account and a period, and the positions of the facts and
 * closings that the figure follows from.
 */
export async function selectEvidence(
  model: LedgerModel,
  accountId: string,
  period: Period,
  { size, now, isMinimal = false }: EvidenceScope,
): Promise<EvidenceSelection> {
  for (const [cluster, { why }] of model.unreadableClusters)
    return { outcome: 'halted', clusterId: model.clusters.text(cluster), why };
  const closings = model.closedPeriods.knownAt(size);
  const figure = closings.some((closing) => closing.period === period)
    ? await statementFor(model, accountId, period)
    : usageFor(model, accountId, period, size, now);
  const all = clustersOf(model, accountId, size);
  const needed = () =>
    figure.kind === 'no-statement' ? [] : neededClusters(model, { accountId, period, size }, all);
  const clusters = isMinimal ? await needed() : all;
  const facts = clusters.reduce((sum, { positions }) => sum + positions.length, 0);
  if (facts > MAX_FACTS) return { outcome: 'too-many-facts', facts, limit: MAX_FACTS };
  return { outcome: 'selected', figure, clusters, closings };
}

/** Returns the clusters that any of the first `size` events gives to an account. */
function clustersOf(model: LedgerModel, accountId: string, size: number): EvidenceCluster[] {
  const account = model.accounts.find(accountId) as number;
  return model.owners.clustersKnownAt(account, size).map((cluster) => ({
    clusterId: model.clusters.text(cluster),
    positions: model.positionsOf(cluster, size),
  }));
}

async function statementFor(model: LedgerModel, accountId: string, period: Period): Promise<EvidenceFigure> {
  const closing = model.closedPeriods.of(period);
  const question = closedQuestion(model, period);
  if (closing === undefined || question === undefined) return { kind: 'no-statement' };
  for await (const statement of statementsInTurns(model, question, { only: accountId }))
    return { kind: 'statement', statement, closedAt: closing.closedAt };
  return { kind: 'no-statement' };
}

function usageFor(
  model: LedgerModel,
  accountId: string,
  period: Period,
  asOf: Position,
  now: Instant,
): EvidenceFigure {
  const window = periodWindow(period);
  return {
    kind: 'usage',
    usage: accountUsage(model, accountId, { window, through: now, asOf, byDay: false }),
  };
}
