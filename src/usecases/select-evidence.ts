import type { Statement } from '../domain/billing/statement.ts';
import type { UsageBreakdown } from '../domain/billing/usage-meter.ts';
import { type Instant, type Period, periodWindow } from '../domain/time.ts';
import type { ClosedPeriod } from '../projections/model/closed-periods.ts';
import type { LedgerModel } from '../projections/model/ledger-model.ts';
import { accountUsage } from '../projections/queries/account-usage.ts';
import { toAccount } from '../projections/queries/differences.ts';
import {
  closedQuestion,
  earlierChanges,
  statementsInTurns,
} from '../projections/queries/period-statements.ts';
import { runYielding } from '../util/event-loop-yielder.ts';
import type { Position } from '../util/log-numbers.ts';

/** Maximum number of facts of an account in an evidence file: their proofs, about 700 bytes each, are held in memory. */
const MAX_FACTS = 100_000;

/** The figure that an evidence file proves: the statement of a closed period, or the usage of another period. */
export type EvidenceFigure =
  | { readonly kind: 'no-statement' }
  | { readonly kind: 'statement'; readonly statement: Statement; readonly closedAt: Instant }
  | { readonly kind: 'usage'; readonly usage: UsageBreakdown };

/** A cluster that any fact gives to the account, and the positions of all of its facts. */
interface EvidenceCluster {
  readonly clusterId: string;
  readonly positions: readonly number[];
}

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
  const clusters = isMinimal ? await neededClusters(model, { accountId, period, size, figure }, all) : all;
  const facts = clusters.reduce((sum, { positions }) => sum + positions.length, 0);
  if (facts > MAX_FACTS) return { outcome: 'too-many-facts', facts, limit: MAX_FACTS };
  return { outcome: 'selected', figure, clusters, closings };
}

/**
 * Returns the part of the clusters that the figure needs: the clusters that are billed to the account in the period, or in an
 * earlier one that the statement adjusts or in which changes cancel out, with the facts up to the watermark of the statement.
 * Of a cluster that is no longer billed to the account, the last facts are left out if they can change no figure of it and
 * cause no adjustment, since they may be those of another account.
 */
async function neededClusters(
  model: LedgerModel,
  {
    accountId,
    period,
    size,
    figure,
  }: { accountId: string; period: Period; size: number; figure: EvidenceFigure },
  clusters: readonly EvidenceCluster[],
): Promise<EvidenceCluster[]> {
  const question = closedQuestion(model, period);
  if (figure.kind === 'no-statement') return [];
  const changes =
    question === undefined
      ? new Map<Period, ReadonlySet<number>>()
      : await runYielding(earlierChanges(model, question, accountId));
  const causes = new Set([...changes.values()].flatMap((positions) => [...positions]));
  const windows = [period, ...changes.keys()].map(periodWindow);
  const end = question?.watermark ?? size;
  // An adjustment is also about what was billed as known at the previous closing.
  const previous = question?.earlier.at(-1)?.watermark;
  const asOfs = previous === undefined ? [end] : [end, previous];
  const windowsEnd = Math.max(...windows.map(({ to }) => to));
  return clusters.flatMap(({ clusterId, positions }) => {
    const cluster = model.clusters.find(clusterId) as number;
    const owned = asOfs.flatMap((asOf) => toAccount(model.intervals(cluster, asOf), accountId));
    const isNeeded = owned.some(({ from, to }) =>
      windows.some((window) => from < window.to && (to === null || to > window.from)),
    );
    if (!isNeeded) return [];
    const known = positions.filter((position) => position <= end);
    const ends = owned.map(({ to }) => to);
    if (ends.includes(null)) return [{ clusterId, positions: known }];
    const ownedUntil = Math.max(...ends.map(Number));
    const last = known.findLastIndex((position) => {
      const effectiveAt = model.facts.effectiveAt(position);
      return (
        causes.has(position) ||
        // A void has its effect at the time of the fact that it voids.
        model.facts.typeAt(position) === 'FactVoided' ||
        (effectiveAt < windowsEnd && effectiveAt <= ownedUntil)
      );
    });
    return [{ clusterId, positions: known.slice(0, last + 1) }];
  });
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
