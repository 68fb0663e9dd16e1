import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { leafText } from '../../../../src/audit/leaf.ts';
import { UnreadableFact } from '../../../../src/domain/facts/fact.ts';
import { runOfStream, runStream } from '../../../../src/domain/stream-table.ts';
import type { ProbeHistory } from '../../../../src/domain/validation/judging/probe-history.ts';
import { RunFold } from '../../../../src/domain/validation/records/run-fold.ts';
import { parseRunId, parseRunRecord, runId } from '../../../../src/domain/validation/records/run-record.ts';
import { MAX_RECORD_BYTES } from '../../../../src/domain/validation/records/write-run.ts';
import type { JsonObject } from '../../../../src/eventstore/json.ts';
import {
  alive,
  DAY_MS,
  Fleet,
  HOUR_MS,
  MINUTE_MS,
  type PlayedRun,
  refused,
  type Seen,
  START,
  stored,
  timeout,
  unverifiable,
} from '../fleet.ts';

const TICK = 5 * MINUTE_MS;

/** The events of a run as the log has them. */
function leaves({ run, records }: PlayedRun): string[] {
  return records.map(({ record: { type, data }, recordedAt }, revision) =>
    leafText({
      id: '00000000-0000-4000-8000-000000000000',
      type,
      data: data as unknown as JsonObject,
      metadata: { source: 'urn:cluster-ledger:validator', actor: 'validator' },
      recordedAt,
      stream: runStream(run),
      revision,
    }),
  );
}

const names = (count: number) =>
  Array.from({ length: count }, (_, n) => `k1a2b3.x9y8z7.customer-cluster-${n}.1776254400`);
const uid = (n: number) => `6f1c2d3e-4b5a-4987-8765-${String(n).padStart(12, '0')}`;

test('10,000 steady clusters with a run every 5 minutes need less than 2 MB a day', () => {
  const fleet = new Fleet({}, names(10_000));
  const steady = Object.fromEntries(names(10_000).map((name, n) => [name, alive(uid(n))]));
  const midnight = START + 12 * HOUR_MS;
  fleet.run(midnight - TICK, steady);
  // All runs of the day but the first have equal verdicts; the first has the full list.
  fleet.run(midnight, steady);
  fleet.run(midnight + TICK, steady);
  const bytes = fleet.played.map((run) =>
    leaves(run).reduce((sum, leaf) => sum + Buffer.byteLength(leaf), 0),
  );
  expect(fleet.played.at(-1)?.records).toHaveLength(2);
  const aDay = (bytes[1] as number) + 287 * (bytes[2] as number);
  expect(aDay).toBeLessThan(2_000_000);
  for (const run of fleet.played) {
    for (const leaf of leaves(run)) expect(Buffer.byteLength(leaf)).toBeLessThan(MAX_RECORD_BYTES + 4_096);
  }
});

test('a run in which everything changes is split into chunks', () => {
  const fleet = new Fleet(
    {
      mode: 'observe',
      outageRatio: '1',
      unreachableAfter: 1,
      unreachableFor: '0m',
      stopAfter: '0m',
      stopNeverSeen: true,
    },
    [...names(600), 'up'],
  );
  const bad = { ...refused, detail: '€'.repeat(2_000) };
  fleet.run(START, { ...Object.fromEntries(names(600).map((name) => [name, bad])), up: alive() });
  const [run] = fleet.played as [PlayedRun];
  expect(run.judgement.wouldHave).toHaveLength(1_200);
  for (const type of ['ValidationRecorded', 'ValidationJudged'])
    expect(run.records.filter(({ record }) => record.type === type).length).toBeGreaterThan(5);
  for (const leaf of leaves(run)) expect(Buffer.byteLength(leaf)).toBeLessThan(MAX_RECORD_BYTES + 4_096);
});

const verdicts: fc.Arbitrary<Seen | undefined> = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(alive(), alive('u1')) },
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      refused,
      { ...timeout, after: 1_900, detail: 'no answer' },
      alive('u2'),
      unverifiable,
    ),
  },
  // Not probed.
  { weight: 1, arbitrary: fc.constant(undefined) },
);
const runs = fc.array(fc.array(verdicts, { minLength: 6, maxLength: 6 }), { minLength: 2, maxLength: 30 });

/** Hours apart, so that days pass, and with full lists in between. */
function play(seen: readonly (readonly (Seen | undefined)[])[]): Fleet {
  const fleet = new Fleet({ outageRatio: '1' }, ['c0', 'c1', 'c2', 'c3', 'c4', 'c5']);
  for (const [n, row] of seen.entries()) {
    const known = row.flatMap((verdict, i) => (verdict === undefined ? [] : [[`c${i}`, verdict] as const]));
    fleet.run(START + n * 3 * HOUR_MS, Object.fromEntries(known));
  }
  return fleet;
}

describe('folding the records of runs', () => {
  test('rebuilds the verdicts of every run exactly, and the histories for the next one', () =>
    fc.assert(
      fc.property(runs, (seen) => {
        const fleet = play(seen);
        const fold = new RunFold();
        for (const { run, tick, records, judgement } of fleet.played) {
          for (const { record, recordedAt } of records) fold.apply(run, stored(record), recordedAt);
          const judged = judgement.verdicts.map(({ clusterId, verdict, isChanged }) => {
            const { latencyMs: _, detail: __, ...rest } = verdict;
            return [clusterId, { ...rest, at: isChanged ? verdict.at : tick }] as const;
          });
          const rebuilt = Array.from(
            fold.verdictsOf('1of1'),
            ([clusterId, { detail: _, ...rest }]) => [clusterId, rest] as const,
          );
          expect(new Map(rebuilt)).toEqual(new Map(judged));
          const histories = [...judgement.histories].map(
            ([clusterId, history]) => [history, fold.historyOf(clusterId)] as const,
          );
          for (const [judgedBy, folded] of histories) expect(plain(folded)).toEqual(plain(judgedBy));
        }
      }),
      { numRuns: 200 },
    ));

  test('gives the same state after a restore at any cut', () =>
    fc.assert(
      fc.property(runs, fc.nat(), (seen, cut) => {
        const all = play(seen).played.flatMap(({ run, records }) =>
          records.map((record) => ({ run, ...record })),
        );
        const fold = new RunFold();
        let restored = new RunFold();
        for (const [i, { run, record, recordedAt }] of all.entries()) {
          if (i === cut % all.length) restored = RunFold.restore(JSON.parse(JSON.stringify(fold.parts)));
          fold.apply(run, stored(record), recordedAt);
          if (i >= cut % all.length) restored.apply(run, stored(record), recordedAt);
        }
        expect(JSON.stringify(restored.parts)).toBe(JSON.stringify(fold.parts));
      }),
      { numRuns: 200 },
    ));
});

/** Without undefined members, and without details, which a full list need not contain. */
const plain = (history: ProbeHistory | undefined) =>
  JSON.parse(JSON.stringify({ ...history, last: { ...history?.last, detail: '' } }));

describe('a run', () => {
  const one = () => {
    const fleet = new Fleet({}, ['c1', 'c2']);
    fleet.run(START, { c1: alive(), c2: alive() });
    return fleet;
  };
  const folded = (played: readonly PlayedRun[], last?: number, at?: (recordedAt: number) => number) => {
    const fold = new RunFold();
    const ends = played.flatMap(({ run, records }, i) =>
      records
        .slice(0, i === played.length - 1 ? last : undefined)
        .flatMap(({ record, recordedAt }) => fold.apply(run, stored(record), at?.(recordedAt) ?? recordedAt)),
    );
    return { fold, ends };
  };

  test('has no effect if it is cut off or completed after its deadline', () => {
    const fleet = one();
    fleet.run(START + TICK, { c1: refused, c2: alive() });
    const cutOff = folded(fleet.played, -1);
    expect(cutOff.fold.historyOf('c1')).toMatchObject({ last: { state: 'alive' }, good: { count: 1 } });
    expect([...cutOff.fold.activeRuns.keys()]).toEqual(['20260415T120500.000Z']);
    const late = folded(
      fleet.played,
      undefined,
      (recordedAt) => recordedAt + (recordedAt > START + TICK ? HOUR_MS : 0),
    );
    expect(late.ends.map(({ outcome }) => outcome)).toEqual(['completed', 'abandoned']);
    expect(late.fold.historyOf('c1')).toEqual(cutOff.fold.historyOf('c1'));
  });

  test('is abandoned once another begins after its deadline', () => {
    const fleet = one();
    const [first] = fleet.played as [PlayedRun];
    const { fold } = folded([first], 1);
    fleet.run(START + HOUR_MS, { c1: alive(), c2: alive() });
    const { run, records } = fleet.played.at(-1) as PlayedRun;
    const [ended] = fold.apply(run, stored((records[0] as (typeof records)[number]).record), START + HOUR_MS);
    expect(ended).toMatchObject({
      outcome: 'abandoned',
      why: 'late',
      run: { run: '20260415T120000.000Z' },
    });
  });

  test('has no effect if it is not relative to the last completed run', () => {
    const fleet = one();
    fleet.run(START + TICK, { c1: refused, c2: alive() });
    fleet.run(START + 2 * TICK, { c1: refused, c2: alive() });
    const { ends } = folded(fleet.played.toSpliced(1, 1));
    expect(ends.map((end) => end.outcome === 'abandoned' && end.why)).toEqual([false, 'out-of-order']);
  });

  test('has a full list once a day and after a change of policy', () => {
    const fleet = one();
    const isFull = () =>
      fleet.played
        .map(({ records }) => records.at(-1)?.record)
        .map((record) => record?.type === 'ValidationCompleted' && record.data.full);
    fleet.run(START + TICK, { c1: alive(), c2: alive() });
    fleet.run(START + DAY_MS / 2, { c1: alive(), c2: alive() });
    fleet.policies = new Fleet({ unreachableAfter: 7 }).policies;
    fleet.run(START + DAY_MS / 2 + TICK, { c1: alive(), c2: alive() });
    expect(isFull()).toEqual([true, false, true, true]);
  });

  test('has an id made of its tick and shard, and a stream of that name', () => {
    expect(runId(START)).toBe('20260415T120000.000Z');
    const shard = { index: 2, count: 3 };
    expect(runId(START, shard)).toBe('20260415T120000.000Z-2of3');
    expect(runOfStream(runStream(runId(START, shard)))).toBe('20260415T120000.000Z-2of3');
    expect(runOfStream('cluster-c1')).toBeUndefined();
    expect(parseRunId(runId(START, shard))).toEqual({ tick: START, shard });
    for (const text of [
      '',
      'x',
      '20260415T120000.000Z-4of3',
      '20260415T120000.000Z-1of1',
      '20260230T120000.000Z',
    ])
      expect(parseRunId(text), text).toBeUndefined();
  });

  test('throws UnreadableFact for an unreadable record', () => {
    expect(() => parseRunRecord('ValidationForgotten', {})).toThrow(UnreadableFact);
    expect(() => parseRunRecord('ValidationProgressed', { done: -1, total: 3 })).toThrow(
      'ValidationProgressed cannot be read: done',
    );
  });
});

describe('shards', () => {
  test('are judged separately, and histories are kept when the number of shards changes', () => {
    const fleet = new Fleet({}, ['c1', 'c2', 'c3']);
    fleet.shard = { index: 1, count: 2 };
    fleet.run(START, { c1: alive('u1'), c2: alive() });
    fleet.shard = { index: 2, count: 2 };
    fleet.run(START, { c3: refused });
    expect([fleet.fold.breakerOf('1of2').open, fleet.fold.breakerOf('2of2').open]).toEqual([false, true]);
    fleet.shard = { index: 1, count: 1 };
    fleet.run(START + TICK, { c1: alive('u1'), c2: refused, c3: refused });
    expect([...fleet.fold.shards.keys()]).toEqual(['1of1']);
    expect(fleet.fold.historyOf('c1')).toMatchObject({ uid: 'u1', good: { count: 2 } });
    expect(fleet.fold.historyOf('c3')).toMatchObject({ bad: { count: 2 } });
  });
});
