import { describe, expect, onTestFinished, test } from 'vitest';
import { accountsAt, billedAt, type OracleFact, usageAt, usageByTypeAt } from '../oracle/oracle.ts';
import { type Answer, openLedger, type TestLedger } from '../support/ledger.ts';
import { historyOf, MONTHS } from '../support/random-posts.ts';
import { stores } from '../support/stores.ts';
import { Player } from './player.ts';

/**
 * Posts random histories over HTTP and compares every figure with the oracle, which gets the answers of the ledger as input.
 * A failing seed goes into `SEEDS`.
 */
const SEEDS: readonly number[] = [1, 2026];
const RANDOM_SEEDS = Array.from({ length: 6 }, () => Math.floor(Math.random() * 2 ** 31));

describe.each(stores)('a ledger on $name', ({ connection }) => {
  test.each([...SEEDS, ...RANDOM_SEEDS])('bills the history of seed %i as the oracle does', async (seed) => {
    const ledger = await openLedger({ store: connection });
    onTestFinished(ledger.discard);
    const player = new Player(ledger);
    for (const post of historyOf(seed)) await player.play(post);
    expect(player.accepted.length).toBeGreaterThan(50);

    await comparesWithOracle(ledger, player.accepted);

    const before = await figures(ledger);
    await ledger.reopen();
    expect(await figures(ledger)).toEqual(before);
    await player.postAllAgain();
  });
});

async function comparesWithOracle(ledger: TestLedger, facts: readonly OracleFact[]): Promise<void> {
  const head = await ledger.head();
  const earlier = Array.from({ length: 10 }, (_, i) => Math.floor((head * i) / 10));
  for (const month of MONTHS) {
    await comparesUsage(ledger, facts, { window: monthOf(month), query: `period=${month}`, w: head });
    await comparesUsage(ledger, facts, {
      window: monthOf(month),
      query: `period=${month}&granularity=day`,
      w: head,
    });
    for (const w of earlier) {
      await comparesUsage(ledger, facts, { window: monthOf(month), query: `period=${month}&asOf=${w}`, w });
    }
  }
  await comparesOddWindow(ledger, facts, head);
  await comparesIntervals(ledger, facts);
}

interface Question {
  readonly window: readonly [from: bigint, to: bigint];
  readonly query: string;
  readonly w: number;
  readonly through?: bigint;
}

async function comparesUsage(
  ledger: TestLedger,
  facts: readonly OracleFact[],
  question: Question,
): Promise<void> {
  const { window, query, w } = question;
  const through = question.through ?? BigInt(ledger.now);
  const byDay = query.includes('granularity=day');
  const { body } = await answered(ledger, `/v1/usage?${query}`);
  const expected = accountsAt(facts, w).map((accountId) => ({
    accountId,
    usage: usageAt(facts, w, accountId, window, through),
    byType: usageByTypeAt(facts, w, accountId, window, through),
    ...(byDay && {
      days: daysOf(window, through).map((day) => ({
        date: new Date(Number(day[0])).toISOString().slice(0, 10),
        usage: usageAt(facts, w, accountId, day, through),
        byType: usageByTypeAt(facts, w, accountId, day, through),
      })),
    }),
  }));
  expect(body.items, `${query} at position ${w}`).toEqual(expected);
}

/** A window that begins and ends at no round instant, counted up to another. */
async function comparesOddWindow(ledger: TestLedger, facts: readonly OracleFact[], w: number): Promise<void> {
  const instants = facts.map(({ effectiveAt }) => effectiveAt).sort((a, b) => Number(a - b));
  const from = instants[Math.floor(instants.length / 5)] as bigint;
  const to = (instants.at(-1) as bigint) + 1n;
  const through = instants[Math.floor(instants.length / 2)] as bigint;
  const text = [from, to, through].map((instant) => new Date(Number(instant)).toISOString());
  const query = `from=${text[0]}&to=${text[1]}&through=${text[2]}`;
  await comparesUsage(ledger, facts, { window: [from, to], query, w, through });
}

interface Interval {
  readonly from: string;
  readonly to: string | null;
  readonly accountId: string;
  readonly clusterType: string | null;
}

/** Each cluster is billed in its intervals and not outside, at every instant at which anything happened. */
async function comparesIntervals(ledger: TestLedger, facts: readonly OracleFact[]): Promise<void> {
  for (const [clusterId, own] of Map.groupBy(facts, (fact) => fact.clusterId)) {
    const { body } = await answered(ledger, `/v1/clusters/${clusterId}/billing`);
    const intervals: Interval[] = body.intervals;
    for (const t of own.flatMap(({ effectiveAt }) => [effectiveAt - 1n, effectiveAt, effectiveAt + 1n])) {
      const interval = intervals.find(
        ({ from, to }) => Date.parse(from) <= t && (to === null || t < Date.parse(to)),
      );
      const owner = interval && { accountId: interval.accountId, clusterType: interval.clusterType };
      expect(owner, `${clusterId} at ${t}`).toEqual(billedAt(own, t));
    }
  }
}

/** Answers that must be equal byte for byte after a restart. */
function figures(ledger: TestLedger): Promise<string[]> {
  const paths = [
    ...MONTHS.map((month) => `/v1/usage?period=${month}&granularity=day`),
    ...MONTHS.map((month) => `/v1/usage?period=${month}&asOf=20`),
    '/v1/clusters',
    '/v1/accounts',
    '/v1/feed',
    '/v1/rejected-events',
  ];
  return Promise.all(paths.map(async (path) => (await answered(ledger, path)).text));
}

async function answered(ledger: TestLedger, path: string): Promise<Answer> {
  const answer = await ledger.get(path);
  expect(answer.status, `${path}: ${answer.text}`).toBe(200);
  return answer;
}

function monthOf(month: string): readonly [bigint, bigint] {
  const [year = 0, number = 0] = month.split('-').map(Number);
  return [BigInt(Date.UTC(year, number - 1)), BigInt(Date.UTC(year, number))];
}

/** The UTC days of a month, as far as they are counted. */
function daysOf([from, to]: readonly [bigint, bigint], through: bigint): [bigint, bigint][] {
  const days: [bigint, bigint][] = [];
  for (let day = from; day < to && day < through; day += 86_400_000n) days.push([day, day + 86_400_000n]);
  return days;
}
