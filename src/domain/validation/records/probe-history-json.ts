import type { Instant } from '../../time.ts';
import type { AnnouncedState, ProbeHistory, Streak } from '../judging/probe-history.ts';
import type { Verdict } from '../judging/verdict.ts';

/** A watch as plain JSON, short and always the same: there is one for every cluster in every snapshot. */
export type SerializedProbeHistory = readonly [
  last: readonly [Verdict['state'], string, Instant, uid: string | null, detail: string | null] | null,
  uid: string | null,
  aliveAt: Instant | null,
  good: WrittenStreak | null,
  bad: readonly [WrittenStreak, codes: Readonly<Record<string, number>>] | null,
  flips: readonly Instant[],
  marks: readonly [AnnouncedState | null, AnnouncedState | null, true | null],
];
type WrittenStreak = readonly [from: Instant, to: Instant, tick: Instant, count: number];

export function serializeProbeHistory({
  last,
  uid,
  aliveAt,
  good,
  bad,
  flips,
  announced: marks,
}: ProbeHistory): SerializedProbeHistory {
  return [
    last === undefined ? null : [last.state, last.code, last.at, last.uid ?? null, last.detail ?? null],
    uid ?? null,
    aliveAt ?? null,
    good === undefined ? null : writeStreak(good),
    bad === undefined ? null : [writeStreak(bad), bad.codes],
    flips,
    [marks.unreachable ?? null, marks.stopped ?? null, marks.gone ?? null],
  ];
}

export function parseProbeHistory([
  last,
  uid,
  aliveAt,
  good,
  bad,
  flips,
  marks,
]: SerializedProbeHistory): ProbeHistory {
  const [unreachable, stopped, gone] = marks;
  return {
    last: last === null ? undefined : readVerdict(last),
    uid: uid ?? undefined,
    aliveAt: aliveAt ?? undefined,
    good: good === null ? undefined : readStreak(good),
    bad: bad === null ? undefined : { ...readStreak(bad[0]), codes: bad[1] },
    flips,
    announced: {
      unreachable: unreachable ?? undefined,
      stopped: stopped ?? undefined,
      gone: gone ?? undefined,
    },
  };
}

function writeStreak({ from, to, tick, count }: Streak): WrittenStreak {
  return [from, to, tick, count];
}

function readStreak([from, to, tick, count]: WrittenStreak): Streak {
  return { from, to, tick, count };
}

function readVerdict([state, code, at, uid, detail]: NonNullable<SerializedProbeHistory[0]>): Verdict {
  return { state, code, at, ...(uid !== null && { uid }), ...(detail !== null && { detail }) };
}
