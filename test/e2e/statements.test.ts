import { describe, expect, onTestFinished, test } from 'vitest';
import { firstBilledAt, type OracleClose, type OracleFact, statementsAt, usageAt } from '../oracle/oracle.ts';
import { openLedger, type TestLedger } from '../support/ledger.ts';
import { historyOf } from '../support/random-posts.ts';
import { stores } from '../support/stores.ts';
import { Player } from './player.ts';

/** Random histories in which three periods are closed on the way, so that facts are late for one, two or all of them. */
const SEEDS: readonly number[] = [1, 2026];
const RANDOM_SEEDS = Array.from({ length: 3 }, () => Math.floor(Math.random() * 2 ** 31));

describe.each(stores)('a ledger on $name', ({ connection }) => {
  test.each([...SEEDS, ...RANDOM_SEEDS])(
    'has the statements of the oracle for the history of seed %i',
    async (seed) => {
      const ledger = await openLedger({ store: connection });
      onTestFinished(ledger.discard);
      const player = new Player(ledger);
      const closes: OracleClose[] = [];
      const posts = historyOf(seed);
      for (const [i, post] of posts.entries()) {
        await player.play(post);
        if (i % 17 === 16) closes.push(await closesNext(ledger, player.accepted, closes.at(-1)));
      }
      expect(closes).toHaveLength(3);

      const closed = await comparesStatements(ledger, player.accepted, closes);
      await ledger.reopen();
      expect(await comparesStatements(ledger, player.accepted, closes)).toEqual(closed);
    },
  );
});

/** Closes the period that is next by the rules, and expects that no other one can be closed. */
async function closesNext(
  ledger: TestLedger,
  facts: readonly OracleFact[],
  last: OracleClose | undefined,
): Promise<OracleClose> {
  const first = firstBilledAt(facts);
  const period = last === undefined ? monthsFrom(Number(first), 0) : monthsFrom(startOf(last.period), 1);
  const post = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' };
  const other = monthsFrom(startOf(period), last === undefined ? -1 : 1);
  const refused = await ledger.fetch(`/v1/periods/${other}/close`, post);
  expect(refused.body.type, refused.text).toMatch(/^urn:cluster-ledger:problem:period-not-(next|ended)$/);
  const head = await ledger.head();
  const answer = await ledger.fetch(`/v1/periods/${period}/close`, post);
  expect(answer.body, answer.text).toMatchObject({ outcome: 'closed', period, watermark: String(head) });
  expect(answer.body.position).toBe(String(head + 1));
  return { period, watermark: Number(answer.body.watermark) };
}

const startOf = (period: string) => Date.parse(`${period}-01T00:00:00Z`);

function monthsFrom(instant: number, months: number): string {
  const date = new Date(instant);
  return new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + months)).toISOString().slice(0, 7);
}

type Line = { period: string; before: object; facts: string[] };

/** @returns the bytes of all statements. */
async function comparesStatements(
  ledger: TestLedger,
  facts: readonly OracleFact[],
  closes: readonly OracleClose[],
): Promise<string[]> {
  const bytes: string[] = [];
  for (const [i, { period, watermark }] of closes.entries()) {
    const { body, text, status } = await ledger.get(`/v1/periods/${period}/statements`);
    expect(status, text).toBe(200);
    bytes.push(text);
    const items = body.items as { accountId: string; adjustments: Line[]; closedAt: string }[];
    const figures = items.map(({ adjustments, closedAt, ...rest }) => {
      expect(closedAt).toBe(body.closedAt);
      return { ...rest, adjustments: adjustments.map(({ facts: _, ...line }) => line) };
    });
    const expected = statementsAt(facts, closes.slice(0, i + 1));
    expect(figures, `${period} at ${watermark}`).toEqual(
      expected.map((statement) => ({
        ...statement,
        statementId: expect.stringMatching(/^st_[a-z2-7]{26}$/),
        watermark: String(watermark),
      })),
    );
    for (const { accountId, adjustments } of items) {
      for (const line of adjustments)
        expectsCause(facts, accountId, line, closes[i - 1]?.watermark ?? 0, watermark);
    }
  }
  return bytes;
}

/** Without the facts that an adjustment names, nothing would have changed: and they are all late ones. */
function expectsCause(
  facts: readonly OracleFact[],
  accountId: string,
  { period, before, facts: named }: Line,
  after: number,
  upTo: number,
): void {
  const causes = facts.filter(({ eventId }) => named.includes(eventId));
  expect(causes.map(({ eventId }) => eventId).sort()).toEqual(named.toSorted());
  expect(causes.length).toBeGreaterThan(0);
  expect(causes.every(({ position }) => position > after && position <= upTo)).toBe(true);
  const undone = causes.flatMap(({ voids }) => (voids === undefined ? [] : [voids]));
  const without = facts.filter(
    (fact) => !causes.includes(fact) && (fact.voids === undefined || !undone.includes(fact.voids)),
  );
  const end = startOf(monthsFrom(startOf(period), 1));
  const window = [BigInt(startOf(period)), BigInt(end)] as const;
  expect(usageAt(without, upTo, accountId, window, window[1])).toEqual(before);
}
