import type { Instant } from '../../time.ts';
import type { BreakerSettings } from './policy.ts';
import { isBad, type ProbeHistory } from './probe-history.ts';

/**
 * The verdicts since the breaker last kept something back: what was bad before them is not counted, so that what is slow to
 * come back after an outage of ours is not taken for gone since it began.
 */
export interface CountedRuns {
  /** Tick of the first of these runs; of the last that was kept back, where there is none yet. */
  readonly from: Instant;
  /** How many there are. */
  readonly runs: number;
}

/** The breaker: while it is open, so much is bad that it is more likely us, and nothing is concluded from it. */
export type Breaker = Outage & {
  /** Absent where nothing was ever kept back. */
  readonly countedRuns?: CountedRuns;
};

type Outage =
  | { readonly open: false }
  | {
      readonly open: true;
      /** Tick of the run that opened it. */
      readonly since: Instant;
      /** `canary`: a cluster known to be up is bad. `all`: every cluster asked is. `ratio`: too many turned bad. */
      readonly why: 'canary' | 'all' | 'ratio';
      /** Clusters that are bad and count against `of`. */
      readonly bad: number;
      readonly of: number;
      /** The canaries that are bad. */
      readonly canaries: readonly string[];
    };

/** A cluster that is registered and not deleted, with the verdict of this run in its history. */
export interface AssessedCluster {
  readonly clusterId: string;
  readonly history: ProbeHistory;
}

/**
 * Whether too much is bad at once. Once open, it looks at all that turned bad since it opened (and in the window before), so
 * that an outage that lasts longer than the window does not close it: only clusters that answer again do.
 */
export function assessOutage(
  clusters: readonly AssessedCluster[],
  breaker: Breaker,
  settings: BreakerSettings,
  tick: Instant,
): Outage {
  const probed = clusters.filter(
    ({ history: { last } }) => last !== undefined && last.state !== 'unverifiable',
  );
  // Nobody was asked, so nothing was learnt.
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

  const turnedBad = clusters.filter(({ history }) =>
    hasTurnedBad(history, since - settings.outageWindow),
  ).length;
  const reachable = probed.length - bad.length + turnedBad;
  const isMass =
    turnedBad >= settings.outageMinClusters && turnedBad * 1_000 > settings.outageRatio * reachable;
  return isMass
    ? { open: true, since, why: 'ratio', bad: turnedBad, of: reachable, canaries }
    : { open: false };
}

function isBadNow({ last }: ProbeHistory): boolean {
  return last !== undefined && isBad(last);
}

/** Whether it was reachable and is bad since then; one that cannot be asked any more is still bad. */
function hasTurnedBad({ aliveAt, bad }: ProbeHistory, since: Instant): boolean {
  return aliveAt !== undefined && bad !== undefined && bad.tick >= since;
}

/** @param isWithheld whether this run keeps something back. */
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
