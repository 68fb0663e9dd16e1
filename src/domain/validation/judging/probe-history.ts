import type { InventoryStatus } from '../../inventory.ts';
import { DAY_MS, HOUR_MS, type Instant } from '../../time.ts';
import { MAX_FLIPS } from './policy.ts';
import { hasAnswered, isAmbiguous, isBad, saysNothing, type Verdict, type VerdictCode } from './verdict.ts';

/**
 * Summary of the verdicts about one cluster, as far as the next judgement needs it. It is folded from the recorded
 * verdicts only, so a replay yields the same history.
 */
export interface ProbeHistory {
  /** The verdict of the last run; `at` is when the cluster first had this verdict. */
  readonly last: Verdict | undefined;
  /** Number of runs in a row that had this verdict. */
  readonly lastRuns: number;
  /** Identity of the cluster, from the first time that it was seen alive. */
  readonly uid: string | undefined;
  /** When the cluster was last seen alive. */
  readonly aliveAt: Instant | undefined;
  /** The streak of good verdicts since the last bad one. */
  readonly good: Streak | undefined;
  /** The streak of bad verdicts since the last good one. */
  readonly bad: BadStreak | undefined;
  /** Instants at which verdicts turned from good to bad or back, in the 24 h before the last of them, oldest first. */
  readonly flips: readonly Instant[];
  readonly announced: Announced;
  /** Statuses in the inventory so far; `undefined` if no inventory ever listed or missed the cluster. */
  readonly listing: Listing | undefined;
}

/** Statuses of a cluster in the inventory, summarized. A run that could not read it changes only the last one. */
export interface Listing {
  readonly status: InventoryStatus;
  /** Tick of the last run that found the cluster listed. */
  readonly listedAt: Instant | undefined;
  /** Tick of the first run since then that found the cluster gone while its host was there. */
  readonly goneSince: Instant | undefined;
  /** Number of such runs. */
  readonly goneRuns: number;
}

/** Consecutive verdicts of one kind. */
export interface Streak {
  /** When the first verdict was seen. */
  readonly from: Instant;
  /** When the last verdict was seen. */
  readonly to: Instant;
  /** Tick of the run that had the first verdict, later by the time in which the ledger could not ask. */
  readonly tick: Instant;
  readonly count: number;
}

export interface BadStreak extends Streak {
  /** Number of verdicts per code. */
  readonly codes: Readonly<Record<string, number>>;
  /** Tick of the last verdict that leaves open whether the cluster is gone. */
  readonly ambiguousAt: Instant | undefined;
}

/**
 * Conclusion that was drawn in the current state of the cluster, so that it is drawn once. `recorded`: as a fact.
 * `would`: the mode did not allow the fact. `ended`: the mode did not allow the fact that ends a recorded one.
 */
export type AnnouncedState = 'recorded' | 'would' | 'ended';

export interface Announced {
  readonly unreachable?: AnnouncedState | undefined;
  readonly stopped?: AnnouncedState | undefined;
  readonly missing?: AnnouncedState | undefined;
  /** Whether probes have found that a deleted cluster is gone. */
  readonly gone?: true | undefined;
}

export const NO_HISTORY: ProbeHistory = {
  last: undefined,
  lastRuns: 0,
  uid: undefined,
  aliveAt: undefined,
  good: undefined,
  bad: undefined,
  flips: [],
  announced: {},
  listing: undefined,
};

/** Returns the verdict after the identity check: an alive cluster with another UID is a different cluster. */
export function withIdentityCheck({ uid }: ProbeHistory, verdict: Verdict): Verdict {
  const isOther = verdict.state === 'alive' && uid !== undefined && (verdict.uid ?? uid) !== uid;
  if (!isOther) return verdict;
  const detail = `kube-system has the UID ${verdict.uid}, and had ${uid}`;
  return { ...verdict, state: 'unreachable', code: 'identity-mismatch', detail };
}

/** Codes whose detail says what a person has to correct. It depends on the credential alone. */
const CORRECTABLE: ReadonlySet<string> = new Set<VerdictCode>(['credential-refused', 'no-credential']);

/**
 * Returns whether a verdict equals the one of the previous run. Only differing verdicts are recorded. Details differ
 * from run to run, such as in the address that was tried, and count only if they name another field to correct.
 */
export function isSameVerdict(last: Verdict | undefined, { state, code, uid, detail }: Verdict): boolean {
  if (last === undefined || last.state !== state || last.code !== code || last.uid !== uid) return false;
  return !CORRECTABLE.has(code) || last.detail === detail;
}

/**
 * Adds the verdict of a run. An unchanged verdict counts as seen at the tick of the run, which is not after the
 * probe, so the records need not hold the instant of each probe.
 * @param verdict as `withIdentityCheck` returns it.
 */
export function withVerdict(history: ProbeHistory, verdict: Verdict, tick: Instant): ProbeHistory {
  if (isSameVerdict(history.last, verdict)) return withSameVerdict(history, 1, tick);
  const { latencyMs: _, ...last } = verdict;
  const changed = { ...history, last, lastRuns: 1 };
  if (changesNothing(history, verdict)) return changed;
  return isBad(verdict)
    ? addBad(withoutPause(changed, history.last, tick), verdict, verdict.at, tick, 1)
    : addGood({ ...changed, uid: history.uid ?? verdict.uid }, verdict.at, tick, 1);
}

/**
 * Returns whether a verdict leaves the streaks as they are: it says nothing, or a front refused the ledger while the cluster
 * was bad or had never been seen alive.
 */
function changesNothing({ good }: ProbeHistory, verdict: Verdict): boolean {
  return saysNothing(verdict) || (!isBad(verdict) && !hasAnswered(verdict) && good === undefined);
}

/**
 * Leaves out of a streak the time in which the ledger could not ask: a cluster that was bad before and after it is not known
 * to have been bad in between.
 */
function withoutPause(history: ProbeHistory, before: Verdict | undefined, tick: Instant): ProbeHistory {
  const { bad } = history;
  if (bad === undefined || before === undefined || isBad(before)) return history;
  return { ...history, bad: { ...bad, tick: bad.tick + Math.max(0, tick - bad.to) } };
}

/** Adds the last verdict again for `runs` more runs, of which the last one has the given tick. */
export function withSameVerdict(history: ProbeHistory, runs: number, tick: Instant): ProbeHistory {
  const { last } = history;
  if (last === undefined || runs === 0) return history;
  const again = { ...history, lastRuns: history.lastRuns + runs };
  if (changesNothing(history, last)) return again;
  return isBad(last) ? addBad(again, last, tick, tick, runs) : addGood(again, tick, tick, runs);
}

function addGood(history: ProbeHistory, at: Instant, tick: Instant, runs: number): ProbeHistory {
  const good = extended(history.good, at, tick, runs);
  return { ...history, good, bad: undefined, aliveAt: good.to, flips: flipsOf(history, history.bad, at) };
}

function addBad(
  history: ProbeHistory,
  verdict: Verdict,
  at: Instant,
  tick: Instant,
  runs: number,
): ProbeHistory {
  const { code } = verdict;
  const codes = { ...history.bad?.codes, [code]: (history.bad?.codes[code] ?? 0) + runs };
  const ambiguousAt = isAmbiguous(verdict) ? tick : history.bad?.ambiguousAt;
  const bad = { ...extended(history.bad, at, tick, runs), codes, ambiguousAt };
  return { ...history, bad, good: undefined, flips: flipsOf(history, history.good, at) };
}

function extended(streak: Streak | undefined, at: Instant, tick: Instant, runs: number): Streak {
  if (streak === undefined) return { from: at, to: at, tick, count: runs };
  const { from, to, count } = streak;
  return { from, to: Math.max(to, at), tick: streak.tick, count: count + runs };
}

/** Adds what the inventory said in a run. */
export function withListing(history: ProbeHistory, status: InventoryStatus, tick: Instant): ProbeHistory {
  if (status === history.listing?.status) return withSameListing(history, 1, tick);
  if (history.listing === undefined && status === 'unknown') return history;
  const before = history.listing ?? { listedAt: undefined, goneSince: undefined, goneRuns: 0 };
  return { ...history, listing: extendedListing({ ...before, status }, 1, tick) };
}

/** Adds the last status again for `runs` more runs, of which the last one has the given tick. */
export function withSameListing(history: ProbeHistory, runs: number, tick: Instant): ProbeHistory {
  const { listing } = history;
  return listing === undefined || runs === 0
    ? history
    : { ...history, listing: extendedListing(listing, runs, tick) };
}

function extendedListing(listing: Listing, runs: number, tick: Instant): Listing {
  const { status, listedAt, goneSince, goneRuns } = listing;
  if (status === 'listed') return { status, listedAt: tick, goneSince: undefined, goneRuns: 0 };
  if (status === 'gone') return { status, listedAt, goneSince: goneSince ?? tick, goneRuns: goneRuns + runs };
  return listing;
}

/** @param ended the streak of the other kind that this verdict ends; if there is one, the verdict is a flip. */
function flipsOf({ flips }: ProbeHistory, ended: Streak | undefined, at: Instant): readonly Instant[] {
  if (ended === undefined) return flips;
  return [...flips, at].filter((flip) => flip > at - DAY_MS).slice(-MAX_FLIPS - 1);
}

/** Time without a flip after which a cluster is steady again. */
export const STEADY_MS = HOUR_MS;

/** Returns whether a cluster flipped too often in the last 24 h and has not been steady for an hour since. */
export function isFlapping({ flips }: ProbeHistory, limit: number, now: Instant): boolean {
  const last = flips.at(-1);
  if (last === undefined || now - last >= STEADY_MS) return false;
  return flips.filter((flip) => flip > now - DAY_MS).length > limit;
}
