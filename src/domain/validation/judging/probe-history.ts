import { DAY_MS, HOUR_MS, type Instant } from '../../time.ts';
import { MAX_FLIPS } from './policy.ts';
import type { Verdict } from './verdict.ts';

/**
 * What must be remembered of the verdicts about one cluster to judge the next: folded from the recorded verdicts alone, so
 * that whoever replays them comes to the same.
 */
export interface ProbeHistory {
  /** The verdict of the last run; its `at` is when it was first so. */
  readonly last: Verdict | undefined;
  /** Identity of the cluster, learnt the first time that it was seen alive. */
  readonly uid: string | undefined;
  /** When it was last seen alive. */
  readonly aliveAt: Instant | undefined;
  /** Good verdicts since the last bad one. */
  readonly good: Streak | undefined;
  /** Bad verdicts since the last good one. */
  readonly bad: BadStreak | undefined;
  /** When it turned from good to bad or back, in the last 24 h before the last of them; oldest first. */
  readonly flips: readonly Instant[];
  readonly announced: Announced;
}

/** Verdicts of one kind without a break. */
export interface Streak {
  /** When the first of them was seen. */
  readonly from: Instant;
  /** When the last of them was seen. */
  readonly to: Instant;
  /** The tick of the run that saw the first. */
  readonly tick: Instant;
  readonly count: number;
}

export interface BadStreak extends Streak {
  /** How often each code was seen. */
  readonly codes: Readonly<Record<string, number>>;
}

/**
 * What the validator has concluded in the present state of the cluster, so that it says it once: `recorded` as a fact;
 * `would`, where the mode did not allow it; `ended`, where the mode did not allow to end what is recorded.
 */
export type AnnouncedState = 'recorded' | 'would' | 'ended';

export interface Announced {
  readonly unreachable?: AnnouncedState | undefined;
  readonly stopped?: AnnouncedState | undefined;
  /** A deleted cluster that the probes have seen gone. */
  readonly gone?: true | undefined;
}

export const NO_HISTORY: ProbeHistory = {
  last: undefined,
  uid: undefined,
  aliveAt: undefined,
  good: undefined,
  bad: undefined,
  flips: [],
  announced: {},
};

export const isBad = ({ state }: Pick<Verdict, 'state'>): boolean =>
  state === 'unreachable' || state === 'unknown';

/** The verdict in the light of what is known of the cluster: alive under another identity is somebody else. */
export function withIdentityCheck({ uid }: ProbeHistory, verdict: Verdict): Verdict {
  const isOther = verdict.state === 'alive' && uid !== undefined && (verdict.uid ?? uid) !== uid;
  if (!isOther) return verdict;
  const detail = `kube-system has the UID ${verdict.uid}, and had ${uid}`;
  return { ...verdict, state: 'unreachable', code: 'identity-mismatch', detail };
}

/** Whether a verdict says what the one of the run before did; only what differs is recorded. */
export function isSameVerdict(last: Verdict | undefined, { state, code, uid }: Verdict): boolean {
  return last !== undefined && last.state === state && last.code === code && last.uid === uid;
}

/**
 * Adds the verdict of a run. One that is the same as before counts as seen at the tick of the run, which is not after the
 * probe: so the records need not hold the instant of each probe.
 * @param verdict as `verdictOn` gave it.
 */
export function withVerdict(history: ProbeHistory, verdict: Verdict, tick: Instant): ProbeHistory {
  if (isSameVerdict(history.last, verdict)) return withSameVerdict(history, 1, tick);
  const { latencyMs: _, ...last } = verdict;
  const changed = { ...history, last };
  if (verdict.state === 'unverifiable') return changed;
  return isBad(verdict)
    ? addBad(changed, verdict, verdict.at, tick, 1)
    : addGood({ ...changed, uid: history.uid ?? verdict.uid }, verdict.at, tick, 1);
}

/** Adds the same verdict as the last one `runs` times, the last time at a tick. */
export function withSameVerdict(history: ProbeHistory, runs: number, tick: Instant): ProbeHistory {
  const { last } = history;
  if (last === undefined || last.state === 'unverifiable' || runs === 0) return history;
  return isBad(last) ? addBad(history, last, tick, tick, runs) : addGood(history, tick, tick, runs);
}

function addGood(history: ProbeHistory, at: Instant, tick: Instant, runs: number): ProbeHistory {
  const good = extended(history.good, at, tick, runs);
  return { ...history, good, bad: undefined, aliveAt: good.to, flips: flipsOf(history, history.bad, at) };
}

function addBad(
  history: ProbeHistory,
  { code }: Verdict,
  at: Instant,
  tick: Instant,
  runs: number,
): ProbeHistory {
  const codes = { ...history.bad?.codes, [code]: (history.bad?.codes[code] ?? 0) + runs };
  const bad = { ...extended(history.bad, at, tick, runs), codes };
  return { ...history, bad, good: undefined, flips: flipsOf(history, history.good, at) };
}

function extended(streak: Streak | undefined, at: Instant, tick: Instant, runs: number): Streak {
  if (streak === undefined) return { from: at, to: at, tick, count: runs };
  const { from, to, count } = streak;
  return { from, to: Math.max(to, at), tick: streak.tick, count: count + runs };
}

/** @param ended the streak of the other kind; where there was one, this is a flip. */
function flipsOf({ flips }: ProbeHistory, ended: Streak | undefined, at: Instant): readonly Instant[] {
  if (ended === undefined) return flips;
  return [...flips, at].filter((flip) => flip > at - DAY_MS).slice(-MAX_FLIPS - 1);
}

/** How long a cluster must not have turned before it is steady again. */
export const STEADY_MS = HOUR_MS;

/** Whether it turned too often in the last 24 h, and has not been steady for an hour since. */
export function isFlapping({ flips }: ProbeHistory, limit: number, now: Instant): boolean {
  const last = flips.at(-1);
  if (last === undefined || now - last >= STEADY_MS) return false;
  return flips.filter((flip) => flip > now - DAY_MS).length > limit;
}
