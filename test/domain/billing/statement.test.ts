import { describe, expect, test } from 'vitest';
import {
  adjustmentsOf,
  type Change,
  canonicalStatement,
  changesWithin,
  firstChange,
  isWithin,
  type OwnedInterval,
  RULES_VERSION,
  statementOf,
} from '../../../src/domain/billing/statement.ts';
import type { TypeUsage, Usage, UsageBreakdown } from '../../../src/domain/billing/usage-meter.ts';

const NONE: Usage = {
  billableClusters: 0,
  clusterSeconds: '0.000',
  peakClusters: 0,
  clustersAtStart: 0,
  clustersAtEnd: 0,
  averageClusters: '0.000000',
};
const used = (billableClusters: number, clusterSeconds: string, more: Partial<Usage> = {}): Usage => ({
  ...NONE,
  billableClusters,
  clusterSeconds,
  ...more,
});
const ofType = (clusterType: string | null, usage: Usage): TypeUsage => ({ clusterType, ...usage });
const breakdown = (usage: Usage, ...byType: readonly TypeUsage[]): UsageBreakdown => ({ usage, byType });
const nothing = breakdown(NONE);

const key = { statementId: 's1', accountId: 'acme', period: '2026-03', watermark: 17 };
const inMarch = used(2, '100.000', { peakClusters: 2, clustersAtStart: 1, clustersAtEnd: 2 });
const march = breakdown(inMarch, ofType(null, used(1, '40.000')), ofType('mgmt', used(1, '60.000')));

/** In January, a cluster turned out to be a workload and another one was billed for 5 s less. */
const january: Change = {
  period: '2026-01',
  before: breakdown(
    used(3, '30.000'),
    ofType(null, used(1, '10.000')),
    ofType('mgmt', used(1, '10.000')),
    ofType('same', used(1, '10.000')),
  ),
  after: breakdown(
    used(3, '25.000'),
    ofType('mgmt', used(1, '5.000')),
    ofType('same', used(1, '10.000')),
    ofType('workload', used(1, '10.000')),
  ),
  facts: ['f1', 'f2'],
};

test('statements are made by the second version of the rules', () => {
  expect(RULES_VERSION).toBe(2);
});

describe('the statement of an account', () => {
  test('has the usage of the period as its total if there is nothing to adjust', () => {
    expect(statementOf(key, march, [])).toEqual({
      statementId: 's1',
      accountId: 'acme',
      period: '2026-03',
      watermark: '17',
      usage: inMarch,
      byType: march.byType,
      adjustments: [],
      total: {
        billableClusters: 2,
        clusterSeconds: '100.000',
        byType: [
          { clusterType: null, billableClusters: 1, clusterSeconds: '40.000' },
          { clusterType: 'mgmt', billableClusters: 1, clusterSeconds: '60.000' },
        ],
      },
    });
  });

  test('adds the adjustments to its total, whole and by type, with the types in order', () => {
    expect(statementOf(key, march, [january])?.total).toEqual({
      billableClusters: 2,
      clusterSeconds: '95.000',
      byType: [
        { clusterType: null, billableClusters: 0, clusterSeconds: '30.000' },
        { clusterType: 'mgmt', billableClusters: 1, clusterSeconds: '55.000' },
        { clusterType: 'workload', billableClusters: 1, clusterSeconds: '10.000' },
      ],
    });
  });

  test('adds up the adjustments of several periods', () => {
    const february = { ...january, period: '2026-02' };
    expect(statementOf(key, nothing, [january, february])?.total).toEqual({
      billableClusters: 0,
      clusterSeconds: '-10.000',
      byType: [
        { clusterType: null, billableClusters: -2, clusterSeconds: '-20.000' },
        { clusterType: 'mgmt', billableClusters: 0, clusterSeconds: '-10.000' },
        { clusterType: 'workload', billableClusters: 2, clusterSeconds: '20.000' },
      ],
    });
  });

  test('is absent if nothing was billed and nothing is adjusted', () => {
    const unchanged = { ...january, after: january.before };
    expect(statementOf(key, nothing, [])).toBeUndefined();
    expect(statementOf(key, nothing, [unchanged])).toBeUndefined();
    expect(statementOf(key, march, [unchanged])?.adjustments).toEqual([]);
  });
});

describe('the lines that correct earlier periods', () => {
  test('say what was billed, what is, and the difference, whole and for each type that changed', () => {
    expect(adjustmentsOf([january])).toEqual([
      {
        period: '2026-01',
        before: used(3, '30.000'),
        after: used(3, '25.000'),
        delta: { billableClusters: 0, clusterSeconds: '-5.000' },
        byType: [
          {
            clusterType: null,
            before: used(1, '10.000'),
            after: NONE,
            delta: { billableClusters: -1, clusterSeconds: '-10.000' },
          },
          {
            clusterType: 'mgmt',
            before: used(1, '10.000'),
            after: used(1, '5.000'),
            delta: { billableClusters: 0, clusterSeconds: '-5.000' },
          },
          {
            clusterType: 'workload',
            before: NONE,
            after: used(1, '10.000'),
            delta: { billableClusters: 1, clusterSeconds: '10.000' },
          },
        ],
        facts: ['f1', 'f2'],
      },
    ]);
  });

  test('leave out periods without any change', () => {
    expect(adjustmentsOf([{ ...january, after: january.before }, january])).toHaveLength(1);
    expect(adjustmentsOf([])).toEqual([]);
  });

  test.each<readonly [measure: keyof Usage, value: number | string]>([
    ['billableClusters', 2],
    ['clusterSeconds', '0.001'],
    ['peakClusters', 2],
    ['clustersAtStart', 1],
    ['clustersAtEnd', 1],
    ['averageClusters', '0.000001'],
  ])('are there if only %s changed, even if each type has the same usage', (measure, value) => {
    const after = { ...NONE, [measure]: value };
    expect(
      adjustmentsOf([{ period: '2026-01', before: nothing, after: breakdown(after), facts: [] }]),
    ).toEqual([expect.objectContaining({ before: NONE, after, byType: [] })]);
  });

  test('are there if types changed and the whole did not', () => {
    const [before, after] = ['mgmt', 'workload'].map((type) => breakdown(inMarch, ofType(type, inMarch)));
    const change = { period: '2026-01', before, after, facts: [] } as Change;
    expect(adjustmentsOf([change])).toMatchObject([
      { delta: { billableClusters: 0, clusterSeconds: '0.000' }, byType: { length: 2 } },
    ]);
  });
});

describe('the canonical text of a statement', () => {
  test('has its members sorted by name at every depth', () => {
    const small = used(1, '40.000', { averageClusters: '0.500000', peakClusters: 1 });
    const change: Change = {
      period: '2026-01',
      before: nothing,
      after: breakdown(used(1, '1.000'), ofType('mgmt', used(1, '1.000'))),
      facts: ['f1'],
    };
    const statement = statementOf(key, breakdown(small, ofType(null, small)), [change]);
    const zeros = '"averageClusters":"0.000000","billableClusters":0,"clusterSeconds":"0.000"';
    const one = '"averageClusters":"0.000000","billableClusters":1,"clusterSeconds":"1.000"';
    const edges = '"clustersAtEnd":0,"clustersAtStart":0,"peakClusters"';
    const half = '"averageClusters":"0.500000","billableClusters":1,"clusterSeconds":"40.000"';
    const delta = '"delta":{"billableClusters":1,"clusterSeconds":"1.000"}';
    expect(statement && canonicalStatement(statement)).toBe(
      `{"accountId":"acme","adjustments":[{"after":{${one},${edges}:0},"before":{${zeros},${edges}:0},` +
        `"byType":[{"after":{${one},${edges}:0},"before":{${zeros},${edges}:0},"clusterType":"mgmt",${delta}}],` +
        `${delta},"facts":["f1"],"period":"2026-01"}],` +
        `"byType":[{${half},"clusterType":null,${edges}:1}],"period":"2026-03","statementId":"s1",` +
        '"total":{"billableClusters":2,"byType":[' +
        '{"billableClusters":1,"clusterSeconds":"40.000","clusterType":null},' +
        '{"billableClusters":1,"clusterSeconds":"1.000","clusterType":"mgmt"}],"clusterSeconds":"41.000"},' +
        `"usage":{${half},${edges}:1},"watermark":"17"}`,
    );
  });
});

const interval = (from: number, to: number | null, more: Partial<OwnedInterval> = {}): OwnedInterval => ({
  from,
  to,
  accountId: 'acme',
  clusterType: null,
  ...more,
});
const [mgmt, globex] = [{ clusterType: 'mgmt' }, { accountId: 'globex' }];

describe('the first instant that is billed differently', () => {
  test.each<
    readonly [
      string,
      first: number | undefined,
      before: readonly OwnedInterval[],
      after: readonly OwnedInterval[],
    ]
  >([
    ['nowhere if nothing is billed', undefined, [], []],
    [
      'nowhere if both are the same',
      undefined,
      [interval(1, 5), interval(7, null)],
      [interval(1, 5), interval(7, null)],
    ],
    ['at the start of an added interval', 3, [], [interval(3, 5)]],
    ['at the start of a removed interval', 3, [interval(3, 5)], []],
    [
      'at the start of an interval that is added at the end',
      7,
      [interval(1, 5)],
      [interval(1, 5), interval(7, 9)],
    ],
    [
      'at the start of an interval that is added in front',
      1,
      [interval(3, 5)],
      [interval(1, 2), interval(3, 5)],
    ],
    ['at the earlier start, before', 2, [interval(2, 5)], [interval(3, 5)]],
    ['at the earlier start, after', 2, [interval(3, 5)], [interval(2, 5)]],
    ['at the start, if the account differs', 2, [interval(2, 5)], [interval(2, 5, globex)]],
    ['at the start, if the type differs', 2, [interval(2, 5)], [interval(2, 5, mgmt)]],
    ['at the earlier end, before', 4, [interval(2, 4)], [interval(2, 6)]],
    ['at the earlier end, after', 4, [interval(2, 6)], [interval(2, 4)]],
    ['at the end, if it went on before', 4, [interval(2, null)], [interval(2, 4)]],
    ['at the former end, if it goes on', 4, [interval(2, 4)], [interval(2, null)]],
    ['in a later interval', 8, [interval(1, 2), interval(4, 8)], [interval(1, 2), interval(4, 9)]],
  ])('is %s', (_, first, before, after) => {
    expect(firstChange(before, after)).toBe(first);
  });
});

describe('two bills within a window from 10 to 20', () => {
  const window = { from: 10, to: 20 };
  test.each<readonly [string, before: readonly OwnedInterval[], after: readonly OwnedInterval[]]>([
    ['nothing is billed', [], []],
    ['both are the same', [interval(12, 14), interval(15, null)], [interval(12, 14), interval(15, null)]],
    ['they differ before it', [interval(5, 15)], [interval(10, 15)]],
    ['they differ after it', [interval(15, 20)], [interval(15, null)]],
    ['one has an interval that ends as it begins', [interval(5, 10)], []],
    ['one has an interval that begins as it ends', [], [interval(20, 25, globex)]],
    [
      'one has others before, and the types before it differ',
      [interval(1, 2), interval(3, 4, mgmt), interval(12, 14)],
      [interval(5, 9), interval(12, 14), interval(21, 22)],
    ],
    ['an interval of an empty length is in it', [interval(15, 15)], []],
  ])('are the same if %s', (_, before, after) => {
    expect(changesWithin(before, after, window)).toBe(false);
    expect(changesWithin(after, before, window)).toBe(false);
  });

  test.each<readonly [string, before: readonly OwnedInterval[], after: readonly OwnedInterval[]]>([
    ['one has an interval at its first instant', [interval(10, 11)], []],
    ['one has an interval at its last instant', [interval(19, 25)], []],
    ['the starts differ', [interval(10, 15)], [interval(11, 15)]],
    ['the ends differ', [interval(10, 20)], [interval(10, 19)]],
    ['one goes on', [interval(10, 15)], [interval(10, null)]],
    ['the accounts differ', [interval(10, 15)], [interval(10, 15, globex)]],
    ['the types differ', [interval(10, 15)], [interval(10, 15, mgmt)]],
    [
      'the second interval differs',
      [interval(10, 11), interval(12, 14)],
      [interval(10, 11), interval(12, 15)],
    ],
    ['one has another interval at the end', [interval(10, 11)], [interval(10, 11), interval(12, 15)]],
  ])('differ if %s', (_, before, after) => {
    expect(changesWithin(before, after, window)).toBe(true);
    expect(changesWithin(after, before, window)).toBe(true);
  });

  test.each<readonly [from: number, to: number | null, isIn: boolean]>([
    [5, 10, false],
    [5, 11, true],
    [10, 20, true],
    [19, null, true],
    [5, null, true],
    [20, null, false],
    [20, 25, false],
  ])('have an interval from %s to %s in it: %s', (from, to, isIn) => {
    expect(isWithin(interval(from, to), window)).toBe(isIn);
  });
});
