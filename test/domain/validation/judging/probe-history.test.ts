import { describe, expect, test } from 'vitest';
import {
  isFlapping,
  isSameVerdict,
  NO_HISTORY,
  type ProbeHistory,
  withIdentityCheck,
  withListing,
  withSameListing,
  withSameVerdict,
  withVerdict,
} from '../../../../src/domain/validation/judging/probe-history.ts';
import type { Verdict } from '../../../../src/domain/validation/judging/verdict.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const at = (ms: number, more: Partial<Verdict> = {}): Verdict => ({
  state: 'alive',
  code: 'ok',
  at: ms,
  ...more,
});
const refused = (ms: number): Verdict => ({ state: 'unreachable', code: 'refused', at: ms });
const silent = (ms: number): Verdict => ({ state: 'unverifiable', code: 'network-down', at: ms });
const front = (ms: number): Verdict => ({ state: 'alive', code: 'front', at: ms });
/** The history after verdicts in runs, each with its tick and 40 ms later its verdict. */
const historyOf = (...runs: readonly (readonly [tick: number, verdict: (ms: number) => Verdict])[]) =>
  runs.reduce<ProbeHistory>(
    (history, [tick, verdict]) => withVerdict(history, verdict(tick + 40), tick),
    NO_HISTORY,
  );

describe('the identity check', () => {
  const known = { ...NO_HISTORY, uid: 'u1' };

  test('finds another cluster by its UID', () => {
    const verdict = at(10, { uid: 'u2', latencyMs: 3 });
    expect(withIdentityCheck(known, verdict)).toEqual({
      state: 'unreachable',
      code: 'identity-mismatch',
      detail: 'kube-system has the UID u2, and had u1',
      at: 10,
      uid: 'u2',
      latencyMs: 3,
    });
  });

  test.each<[string, ProbeHistory, Verdict]>([
    ['the same UID', known, at(10, { uid: 'u1' })],
    ['no UID', known, at(10)],
    ['the first UID', NO_HISTORY, at(10, { uid: 'u2' })],
    ['the UID of something that is not alive', known, { ...refused(10), uid: 'u2' }],
  ])('leaves a verdict as it is with %s', (_, history, verdict) => {
    expect(withIdentityCheck(history, verdict)).toBe(verdict);
  });
});

describe('two verdicts', () => {
  const base = at(1, { uid: 'u1', detail: 'a' });
  const credential = (code: string, detail?: string): Verdict => ({
    ...silent(1),
    code,
    ...(detail && { detail }),
  });

  test.each<[string, Verdict | undefined, Verdict, boolean]>([
    ['without a previous one', undefined, base, false],
    ['that are equal but for time and detail', base, { ...base, at: 2, detail: 'b' }, true],
    ['of different states', base, { ...base, state: 'unknown' }, false],
    ['of different codes', base, { ...base, code: 'degraded' }, false],
    ['of different UIDs', base, { ...base, uid: 'u2' }, false],
    [
      'that name the same field of a credential',
      credential('credential-refused', 'a'),
      credential('credential-refused', 'a'),
      true,
    ],
    [
      'that name different fields of a credential',
      credential('credential-refused', 'a'),
      credential('credential-refused', 'b'),
      false,
    ],
    [
      'that name different reasons for no credential',
      credential('no-credential', 'a'),
      credential('no-credential'),
      false,
    ],
    [
      'that name different sources',
      credential('source-unreadable', 'a'),
      credential('source-unreadable', 'b'),
      true,
    ],
  ])('are compared by all that is recorded: %s', (_, last, verdict, expected) => {
    expect(isSameVerdict(last, verdict)).toBe(expected);
  });
});

describe('a history', () => {
  test('begins a good streak with the first answer, and keeps the first UID', () => {
    const first = historyOf([1_000, (ms) => at(ms, { uid: 'u1', latencyMs: 7 })]);
    expect(first).toStrictEqual({
      last: { state: 'alive', code: 'ok', at: 1_040, uid: 'u1' },
      lastRuns: 1,
      uid: 'u1',
      aliveAt: 1_040,
      good: { from: 1_040, to: 1_040, tick: 1_000, count: 1 },
      bad: undefined,
      flips: [],
      announced: {},
      listing: undefined,
    });
    expect(withVerdict(first, at(2_040, { uid: 'u2' }), 2_000)).toMatchObject({
      uid: 'u1',
      last: { uid: 'u2' },
      good: { from: 1_040, to: 2_040, tick: 1_000, count: 2 },
    });
    expect(withVerdict(NO_HISTORY, at(1_040), 1_000).uid).toBeUndefined();
  });

  test('begins a bad streak with the first bad verdict, and counts by code', () => {
    const down = historyOf(
      [1_000, refused],
      [2_000, (ms) => ({ state: 'unknown', code: 'timeout', at: ms })],
      [3_000, refused],
    );
    expect(down).toMatchObject({
      last: { state: 'unreachable', code: 'refused', at: 3_040 },
      lastRuns: 1,
      uid: undefined,
      aliveAt: undefined,
      good: undefined,
      bad: {
        from: 1_040,
        to: 3_040,
        tick: 1_000,
        count: 3,
        codes: { refused: 2, timeout: 1 },
        ambiguousAt: undefined,
      },
      flips: [],
    });
  });

  test('knows the tick of the last bad verdict that a running cluster gives too', () => {
    const mismatch = (ms: number): Verdict => ({ state: 'unreachable', code: 'tls-mismatch', at: ms });
    expect(historyOf([1_000, refused]).bad?.ambiguousAt).toBeUndefined();
    expect(historyOf([1_000, mismatch]).bad?.ambiguousAt).toBe(1_000);
    expect(historyOf([1_000, mismatch], [2_000, mismatch]).bad?.ambiguousAt).toBe(2_000);
    expect(historyOf([1_000, mismatch], [2_000, refused]).bad?.ambiguousAt).toBe(1_000);
  });

  test('takes an unchanged verdict as seen at the tick of its run', () => {
    expect(historyOf([1_000, at], [2_000, at], [3_000, at])).toMatchObject({
      last: { at: 1_040 },
      lastRuns: 3,
      aliveAt: 3_000,
      good: { from: 1_040, to: 3_000, tick: 1_000, count: 3 },
    });
    expect(historyOf([1_000, refused], [2_000, refused])).toMatchObject({
      lastRuns: 2,
      bad: { from: 1_040, to: 2_000, tick: 1_000, count: 2, codes: { refused: 2 } },
    });
  });

  test('never goes back in time within a streak', () => {
    const late = withVerdict(NO_HISTORY, at(9_000), 1_000);
    expect(withVerdict(late, at(9_000), 2_000)).toMatchObject({
      aliveAt: 9_000,
      good: { to: 9_000, count: 2 },
    });
  });

  test('turns from good to bad and back, each with a flip at the verdict', () => {
    const turned = historyOf([1_000, at], [2_000, refused]);
    expect(turned).toMatchObject({
      good: undefined,
      bad: { from: 2_040, count: 1 },
      aliveAt: 1_040,
      flips: [2_040],
    });
    expect(withVerdict(turned, at(3_040), 3_000)).toMatchObject({
      bad: undefined,
      good: { from: 3_040, count: 1 },
      flips: [2_040, 3_040],
    });
    expect(historyOf([1_000, at], [2_000, refused], [3_000, refused]).flips).toEqual([2_040]);
  });

  test('keeps the flips of 24 hours, and at most 49', () => {
    const flips = (earlier: readonly number[]) =>
      withVerdict({ ...historyOf([1_000, at]), flips: earlier }, refused(2 * DAY), 2 * DAY).flips;
    expect(flips([DAY - 1, DAY, DAY + 1])).toEqual([DAY + 1, 2 * DAY]);
    const many = Array.from({ length: 49 }, (_, n) => DAY + 1 + n);
    expect(flips(many)).toEqual([...many.slice(1), 2 * DAY]);
  });

  test('has its streaks unchanged by verdicts that say nothing', () => {
    expect(historyOf([1_000, silent])).toMatchObject({
      last: { code: 'network-down', at: 1_040 },
      lastRuns: 1,
      good: undefined,
      bad: undefined,
      aliveAt: undefined,
    });
    const paused = historyOf([1_000, at], [2_000, silent], [3_000, silent]);
    expect(paused).toMatchObject({
      lastRuns: 2,
      aliveAt: 1_040,
      good: { count: 1, to: 1_040 },
      bad: undefined,
    });
    expect(historyOf([1_000, refused], [2_000, silent]).bad).toMatchObject({ count: 1, to: 1_040 });
  });

  test('is extended by a front that refuses the ledger only if the cluster was good before', () => {
    expect(historyOf([1_000, at], [2_000, front], [3_000, front])).toMatchObject({
      lastRuns: 2,
      aliveAt: 3_000,
      good: { from: 1_040, to: 3_000, count: 3 },
    });
    expect(historyOf([1_000, front])).toMatchObject({ lastRuns: 1, aliveAt: undefined, good: undefined });
    const down = historyOf([1_000, refused], [2_000, front]);
    expect(down).toMatchObject({
      last: { code: 'front' },
      aliveAt: undefined,
      good: undefined,
      bad: { count: 1 },
    });
  });

  test('leaves out of a bad streak the time in which the ledger could not ask', () => {
    const paused = historyOf([1_000, refused], [2_000, silent], [9_000, refused]);
    expect(paused.bad).toMatchObject({ from: 1_040, to: 9_040, tick: 1_000 + (9_000 - 1_040), count: 2 });
    expect(
      historyOf([1_000, refused], [2_000, (ms) => ({ ...refused(ms), code: 'no-route' })]).bad?.tick,
    ).toBe(1_000);
    const late = {
      ...historyOf([1_000, refused], [2_000, silent]),
      bad: { ...historyOf([1_000, refused]).bad, to: 20_000 },
    };
    expect(withVerdict(late as ProbeHistory, refused(9_040), 9_000).bad?.tick).toBe(1_000);
  });
});

describe('the same verdict for several more runs', () => {
  test('is as the same verdict in each of them', () => {
    for (const verdict of [at, refused, silent]) {
      const once = historyOf([1_000, verdict]);
      const thrice = historyOf([1_000, verdict], [2_000, verdict], [3_000, verdict], [4_000, verdict]);
      expect(withSameVerdict(once, 3, 4_000)).toEqual(thrice);
    }
  });

  test('changes nothing for no more runs, or without a verdict', () => {
    const once = historyOf([1_000, at]);
    expect(withSameVerdict(once, 0, 4_000)).toBe(once);
    expect(withSameVerdict(NO_HISTORY, 3, 4_000)).toBe(NO_HISTORY);
  });
});

describe('the status in the inventory', () => {
  const listed = withListing(NO_HISTORY, 'listed', 1_000);

  test('is not kept while no inventory ever listed or missed the cluster', () => {
    expect(withListing(NO_HISTORY, 'unknown', 1_000)).toBe(NO_HISTORY);
    expect(withSameListing(NO_HISTORY, 3, 1_000)).toBe(NO_HISTORY);
    expect(withSameListing(listed, 0, 2_000)).toBe(listed);
  });

  test('is listed as of the last run that found it', () => {
    expect(listed.listing).toEqual({ status: 'listed', listedAt: 1_000, goneSince: undefined, goneRuns: 0 });
    expect(withListing(listed, 'listed', 2_000).listing?.listedAt).toBe(2_000);
    expect(withSameListing(listed, 4, 5_000).listing?.listedAt).toBe(5_000);
  });

  test('is gone since the first run that did not find it, with the number of such runs', () => {
    const gone = withListing(listed, 'gone', 2_000);
    expect(gone.listing).toEqual({ status: 'gone', listedAt: 1_000, goneSince: 2_000, goneRuns: 1 });
    expect(withListing(gone, 'gone', 3_000).listing).toMatchObject({ goneSince: 2_000, goneRuns: 2 });
    expect(withSameListing(gone, 4, 6_000).listing).toMatchObject({ goneSince: 2_000, goneRuns: 5 });
    expect(withListing(gone, 'listed', 3_000).listing).toEqual({
      status: 'listed',
      listedAt: 3_000,
      goneSince: undefined,
      goneRuns: 0,
    });
    expect(withListing(NO_HISTORY, 'gone', 2_000).listing).toEqual({
      status: 'gone',
      listedAt: undefined,
      goneSince: 2_000,
      goneRuns: 1,
    });
  });

  test.each(['unknown', 'gone-with-host'] as const)(
    'keeps its times in a run that proves nothing: %s',
    (status) => {
      const gone = withListing(listed, 'gone', 2_000);
      const unread = withListing(gone, status, 3_000);
      expect(unread.listing).toEqual({ status, listedAt: 1_000, goneSince: 2_000, goneRuns: 1 });
      expect(withListing(unread, status, 4_000).listing).toEqual(unread.listing);
      expect(withListing(unread, 'gone', 5_000).listing).toMatchObject({ goneSince: 2_000, goneRuns: 2 });
    },
  );
});

describe('a cluster is flapping', () => {
  const NOW = 10 * DAY;
  const flapping = (flips: readonly number[], limit = 2) => isFlapping({ ...NO_HISTORY, flips }, limit, NOW);

  test('if it flipped more often than the limit in 24 hours', () => {
    expect(flapping([])).toBe(false);
    expect(flapping([NOW - 2, NOW - 1])).toBe(false);
    expect(flapping([NOW - 3, NOW - 2, NOW - 1])).toBe(true);
    expect(flapping([NOW - DAY, NOW - 2, NOW - 1])).toBe(false);
    expect(flapping([NOW - DAY + 1, NOW - 2, NOW - 1])).toBe(true);
  });

  test('until it has been steady for an hour', () => {
    const lastAt = (last: number) => flapping([last - 2, last - 1, last]);
    expect(lastAt(NOW - HOUR + 1)).toBe(true);
    expect(lastAt(NOW - HOUR)).toBe(false);
  });
});
