import type { InventoryStatus } from '../../inventory.ts';
import type { Instant } from '../../time.ts';
import type { AnnouncedState, ProbeHistory, Streak } from '../judging/probe-history.ts';
import type { Verdict } from '../judging/verdict.ts';

/** A probe history as compact, deterministic JSON: every snapshot has one per cluster. */
export type SerializedProbeHistory = readonly [
  last: readonly [Verdict['state'], string, Instant, uid: string | null, detail: string | null] | null,
  uid: string | null,
  aliveAt: Instant | null,
  good: SerializedStreak | null,
  bad:
    | readonly [SerializedStreak, codes: Readonly<Record<string, number>>, ambiguousAt: Instant | null]
    | null,
  flips: readonly Instant[],
  announced: readonly [AnnouncedState | null, AnnouncedState | null, true | null, AnnouncedState | null],
  lastRuns: number,
  listing:
    | readonly [InventoryStatus, listedAt: Instant | null, goneSince: Instant | null, goneRuns: number]
    | null,
];
type SerializedStreak = readonly [from: Instant, to: Instant, tick: Instant, count: number];

export function serializeProbeHistory({
  last,
  uid,
  aliveAt,
  good,
  bad,
  flips,
  announced,
  lastRuns,
  listing,
}: ProbeHistory): SerializedProbeHistory {
  return [
    last === undefined ? null : [last.state, last.code, last.at, last.uid ?? null, last.detail ?? null],
    uid ?? null,
    aliveAt ?? null,
    good === undefined ? null : serializeStreak(good),
    bad === undefined ? null : [serializeStreak(bad), bad.codes, bad.ambiguousAt ?? null],
    flips,
    [
      announced.unreachable ?? null,
      announced.stopped ?? null,
      announced.gone ?? null,
      announced.missing ?? null,
    ],
    lastRuns,
    listing === undefined
      ? null
      : [listing.status, listing.listedAt ?? null, listing.goneSince ?? null, listing.goneRuns],
  ];
}

export function parseProbeHistory([
  last,
  uid,
  aliveAt,
  good,
  bad,
  flips,
  announced,
  lastRuns,
  listing,
]: SerializedProbeHistory): ProbeHistory {
  const [unreachable, stopped, gone, missing] = announced;
  return {
    last: last === null ? undefined : parseVerdict(last),
    uid: uid ?? undefined,
    aliveAt: aliveAt ?? undefined,
    good: good === null ? undefined : parseStreak(good),
    bad:
      bad === null ? undefined : { ...parseStreak(bad[0]), codes: bad[1], ambiguousAt: bad[2] ?? undefined },
    flips,
    announced: {
      unreachable: unreachable ?? undefined,
      stopped: stopped ?? undefined,
      gone: gone ?? undefined,
      missing: missing ?? undefined,
    },
    lastRuns,
    listing:
      listing === null
        ? undefined
        : {
            status: listing[0],
            listedAt: listing[1] ?? undefined,
            goneSince: listing[2] ?? undefined,
            goneRuns: listing[3],
          },
  };
}

function serializeStreak({ from, to, tick, count }: Streak): SerializedStreak {
  return [from, to, tick, count];
}

function parseStreak([from, to, tick, count]: SerializedStreak): Streak {
  return { from, to, tick, count };
}

function parseVerdict([state, code, at, uid, detail]: NonNullable<SerializedProbeHistory[0]>): Verdict {
  return { state, code, at, ...(uid !== null && { uid }), ...(detail !== null && { detail }) };
}
