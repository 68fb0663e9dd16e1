import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import canonicalize from 'canonicalize';
import { describe, expect, test } from 'vitest';
import type { Amounts } from '../../../src/domain/billing/quantity.ts';
import type { Fact } from '../../../src/domain/facts/fact.ts';
import {
  type StatementsQuestion,
  statementsInTurns,
  statementsOf,
  tally,
} from '../../../src/projections/queries/period-statements.ts';
import { deleted, registered, resumed, seen, stopped, voided } from '../../domain/facts/facts.ts';
import { applyTo, begin, type GoldenFact, goldenFacts, idAt, modelOf } from '../../support/models.ts';

interface GoldenStatement {
  readonly usage: object;
  readonly adjustments: readonly { period: string; billableClusters: number; clusterSeconds: string }[];
  readonly total: object;
}
interface GoldenCase {
  readonly name: string;
  readonly begun?: string;
  readonly facts: readonly GoldenFact[];
  readonly closes?: readonly { period: string; watermark: number }[];
  readonly expect: { readonly statements?: Readonly<Record<string, Record<string, GoldenStatement>>> };
}

const file = new URL('../../golden/billing.json', import.meta.url);
const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { cases: readonly GoldenCase[] };
const closed = cases.filter(({ closes }) => closes !== undefined);

test('there are golden statements', () => {
  expect(closed.length).toBeGreaterThanOrEqual(3);
});

describe.each(closed)(
  'the golden case "$name"',
  ({ facts, closes = [], begun, expect: { statements: expected } }) => {
    const model = modelOf([]);
    if (begun !== undefined) begin(model, begun);
    // The golden cases count positions of facts alone.
    const first = model.position;
    for (const fact of goldenFacts(facts, first)) applyTo(model, fact);
    const placed = closes.map(({ period, watermark }) => ({ period, watermark: watermark + first }));

    test.each(placed.map((close, i) => ({ ...close, i })))(
      'has the statements of $period',
      ({ period, watermark, i }) => {
        const statements = [...statementsOf(model, { period, watermark, earlier: placed.slice(0, i) })];
        const figures = statements.map(({ accountId, usage, adjustments, total }) => [
          accountId,
          {
            usage,
            adjustments: adjustments.map(({ period, delta }) => ({ period, ...delta })),
            total: wholeOf(total),
          },
        ]);
        expect(Object.fromEntries(figures)).toEqual(expected?.[period]);
      },
    );
  },
);

const wholeOf = ({ billableClusters, clusterSeconds }: Amounts) => ({ billableClusters, clusterSeconds });

/** The adjustments in the statements of a period, of facts of which the first `before` were known when January was closed. */
function adjustments(before: number, ...facts: Fact[]) {
  const question: StatementsQuestion = {
    period: '2026-02',
    watermark: facts.length,
    earlier: [{ period: '2026-01', watermark: before }],
  };
  return [...statementsOf(modelOf(facts), question)].flatMap(({ accountId, adjustments }) =>
    adjustments.map(({ delta, facts }) => ({
      accountId,
      ...delta,
      facts: facts.map((id) => Number(id.slice(-12))),
    })),
  );
}

const DAY = (24 * 3_600).toString();

describe('an adjustment', () => {
  const since = registered('2026-01-10');

  test('names the late facts that caused it, and no others', () => {
    const late = [
      seen('2026-01-20', 'ClusterUnreachable'),
      stopped('2026-01-30'),
      stopped('2026-01-30', 'deleted'),
      resumed('2026-01-31'),
      stopped('2026-02-10', 'unreachable'),
    ];
    expect(adjustments(1, since, ...late)).toEqual([
      { accountId: 'acme', billableClusters: 0, clusterSeconds: `-${DAY}.000`, facts: [3, 5] },
    ]);
  });

  test('names the void of a known fact, and no fact that was recorded and voided in between', () => {
    const facts = [since, deleted('2026-01-11'), voided('2026-02-01', idAt(2))];
    const gone = [stopped('2026-01-20'), voided('2026-02-01', idAt(4)), voided('2026-02-01', idAt(2))];
    expect(adjustments(2, ...facts, ...gone)).toEqual([
      { accountId: 'acme', billableClusters: 0, clusterSeconds: `${21 * 86_400}.000`, facts: [3] },
    ]);
  });

  test('is not made if nothing changed, or only later time', () => {
    expect(adjustments(1, since, stopped('2026-02-01'))).toEqual([]);
    expect(adjustments(1, since, stopped('2025-12-01'), resumed('2025-12-02'))).toEqual([]);
    expect(adjustments(1, since, stopped('2026-01-12'), voided('2026-02-01', idAt(2)))).toEqual([]);
  });

  test('credits the account that a cluster was wrongly registered to, and charges the other', () => {
    const other = { ...registered('2026-01-10'), accountId: 'globex' };
    const whole = 22 * 86_400;
    expect(adjustments(1, since, voided('2026-02-01', idAt(1)), other)).toEqual([
      { accountId: 'acme', billableClusters: -1, clusterSeconds: `-${whole}.000`, facts: [2, 3] },
      { accountId: 'globex', billableClusters: 1, clusterSeconds: `${whole}.000`, facts: [2, 3] },
    ]);
  });

  const other = (fact: Fact): Fact => ({ ...fact, clusterId: 'c2' });

  test('is a line with two zero deltas if only the peak changed', () => {
    const oneAfterTheOther = [since, deleted('2026-01-15')].concat(
      [registered('2026-01-15'), deleted('2026-01-20')].map(other),
    );
    const overlapping = [registered('2026-01-14'), deleted('2026-01-19')].map(other);
    expect(adjustments(4, ...oneAfterTheOther, ...overlapping)).toEqual([
      { accountId: 'acme', billableClusters: 0, clusterSeconds: '0.000', facts: [5, 6] },
    ]);
  });

  test('is not made if clusters changed and no measure did', () => {
    const known = [since, registered('2026-01-10'), deleted('2026-01-20')].map((fact, i) =>
      i === 0 ? fact : other(fact),
    );
    const swap = [stopped('2026-01-15'), resumed('2026-01-20')];
    const longer = [voided('2026-02-01', idAt(3)), deleted('2026-01-25')].map(other);
    expect(adjustments(3, ...known, ...swap, ...longer)).toEqual([]);
  });
});

test('a tally digests the canonical JSON of all statements', async () => {
  const model = modelOf([
    registered('2026-01-10'),
    { ...registered('2026-01-01'), clusterId: 'c2', accountId: 'b' },
  ]);
  const question = { period: '2026-01', watermark: 2, earlier: [] };
  const statements = [...statementsOf(model, question)];
  const digest = createHash('sha256')
    .update(canonicalize(statements) as string)
    .digest('hex');
  expect(await tally(statementsInTurns(model, question))).toMatchObject({
    accounts: 2,
    statementsDigest: digest,
  });
  expect([...statementsOf(model, question, { only: 'b' })]).toEqual(statements.slice(1));
});
