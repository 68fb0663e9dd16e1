import type { Instant } from '../../time.ts';
import type { BreakerSettings } from './policy.ts';
import type { ProbeHistory } from './probe-history.ts';
import { isBad, saysNothing } from './verdict.ts';

/**
 * The runs since the breaker last withheld facts. Bad verdicts before them do not count, so a cluster that recovers
 * slowly after an outage of the ledger's network is not taken as gone since the outage began.
 */
export interface CountedRuns {
  /** Tick of the first of these runs; if there is none yet, tick of the last run that withheld facts. */
  readonly from: Instant;
  /** Number of these runs. */
  readonly runs: number;
}

/**
 * State of the breaker. While it is open, so many clusters are bad that the ledger's own network is probably at
 * fault, and nothing is concluded from bad verdicts.
 */
export type Breaker = Outage & {
  /** Absent if the breaker never withheld facts. */
  readonly countedRuns?: CountedRuns;
};

type Outage =
  | { readonly open: false }
  | {
      readonly open: true;
      /** Tick of the run that opened the breaker. */
      readonly since: Instant;
      /**
       * `canary`: a cluster that is known to be up is bad. `all`: every probed cluster is bad. `ratio`: too many
       * clusters turned bad.
       */
      readonly why: 'canary' | 'all' | 'ratio';
      /** Number of bad clusters, out of `of`. */
      readonly bad: number;
      readonly of: number;
      /** Ids of the bad canaries. */
      readonly canaries: readonly string[];
    };

/** A cluster that is registered and not deleted, with the verdict of this run in its history. */
export interface AssessedCluster {
  readonly clusterId: string;
  readonly history: ProbeHistory;
}

/**
 * Decides whether the breaker is open. Once open, it counts all clusters that turned bad since it opened and in the
 * window before, so an outage that is longer than the window does not close it. Only clusters that answer again do.
 */
export function assessOutage(
  clusters: readonly AssessedCluster[],
  breaker: Breaker,
  settings: BreakerSettings,
  tick: Instant,
): Outage {
  const probed = clusters.filter(({ history: { last } }) => last !== undefined && !saysNothing(last));
  // No cluster could be probed, so the state of the breaker does not change.
  if (probed.length === 0 && clusters.length > 0) {
    const { countedRuns: _, ...unchanged } = breaker;
    return unchanged;
  }
  const since = breaker.open ? breaker.since : tick;
  const bad = probed.filter(({ history }) => isBadNow(history));
  const canaries = bad
    .map(({ clusterId }) => clusterId)
    .filter((clusterId) => settings.canaries.includes(clusterId))
    .sort();
  const details = { bad: bad.length, of: probed.length, canaries };
  if (canaries.length > 0) return { open: true, since, why: 'canary', ...details };
  if (bad.length > 0 && bad.length === probed.length) return { open: true, since, why: 'all', ...details };

  const turnedBad = clusters.filter(
    ({ history }) =>
      hasTurnedBad(history, since - settings.outageWindow) ||
      hasNeverAnswered(history, tick - settings.outageWindow),
  ).length;
  const reachable = probed.length - bad.length + turnedBad;
  const isMass =
    turnedBad >= settings.outageMinClusters && turnedBad * 1_000 >= settings.outageRatio * reachable;
  return isMass
    ? { open: true, since, why: 'ratio', bad: turnedBad, of: reachable, canaries }
    : { open: false };
}

function isBadNow({ last }: ProbeHistory): boolean {
  return last !== undefined && isBad(last);
}

/**
 * Returns whether a cluster was reachable and turned bad since an instant. A cluster that can no longer be probed
 * stays bad.
 */
function hasTurnedBad({ aliveAt, bad }: ProbeHistory, since: Instant): boolean {
  return aliveAt !== undefined && bad !== undefined && bad.tick >= since;
}

/**
 * Returns whether a cluster was asked for the first time after an instant, and has not answered. Such a cluster
 * counts for the window only: an old platform has clusters that will never answer, and they must not keep the breaker open.
 */
function hasNeverAnswered({ aliveAt, bad }: ProbeHistory, since: Instant): boolean {
  return aliveAt === undefined && bad !== undefined && bad.tick > since;
}

/**
 * Returns the ids of the clusters that disappeared from the inventory together with so many others that the inventory
 * is more likely at fault: within the window of the breaker, and by its numbers.
 */
export function massDisappearance(
  clusters: readonly AssessedCluster[],
  { outageWindow, outageMinClusters, outageRatio }: BreakerSettings,
): ReadonlySet<string> {
  const listed = clusters.filter(({ history }) => history.listing?.status === 'listed').length;
  const gone = clusters
    .flatMap(({ clusterId, history: { listing } }) =>
      listing?.goneSince === undefined ? [] : [{ clusterId, since: listing.goneSince }],
    )
    .sort((a, b) => a.since - b.since);
  const mass = new Set<string>();
  let from = 0;
  let to = 0;
  for (const { clusterId, since } of gone) {
    while ((gone[from]?.since ?? since) < since - outageWindow) from++;
    while (to < gone.length && (gone[to]?.since ?? 0) <= since + outageWindow) to++;
    const together = to - from;
    if (together >= outageMinClusters && together * 1_000 >= outageRatio * (listed + together))
      mass.add(clusterId);
  }
  return mass;
}

/** Returns the counted runs after a run. @param isWithheld whether the run withholds facts. */
export function countedRunsAfter(
  { countedRuns }: Breaker,
  isWithheld: boolean,
  tick: Instant,
): { readonly countedRuns?: CountedRuns } {
  if (isWithheld) return { countedRuns: { from: tick, runs: 0 } };
  if (countedRuns === undefined) return {};
  const { from, runs } = countedRuns;
  return { countedRuns: { from: runs === 0 ? tick : from, runs: runs + 1 } };
}
