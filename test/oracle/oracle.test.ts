import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  accountsAt,
  billedAt,
  monthOf,
  type OracleFact,
  type OracleTypeUsage,
  type OracleUsage,
  statementsAt,
  usageAt,
  usageByAttributeAt,
  usageByTypeAt,
} from './oracle.ts';

/** The oracle itself is compared with the cases that were computed by hand. */

type GoldenFact = Omit<OracleFact, 'eventId' | 'position' | 'effectiveAt'> & {
  id: string;
  effectiveAt: string;
};
interface GoldenInterval {
  readonly from: string;
  readonly to: string | null;
  readonly accountId: string;
  readonly clusterType: string | null;
}
interface GoldenStatement {
  readonly usage: OracleUsage;
  readonly adjustments: readonly object[];
  readonly total: object;
}
interface GoldenCase {
  readonly name: string;
  readonly period: string;
  readonly through?: string;
  readonly begun?: string;
  readonly facts: readonly GoldenFact[];
  readonly closes?: readonly { readonly period: string; readonly watermark: number }[];
  readonly expect: {
    readonly accounts: Readonly<Record<string, OracleUsage>>;
    readonly byType?: Readonly<Record<string, readonly OracleTypeUsage[]>>;
    readonly intervals: Readonly<Record<string, readonly GoldenInterval[]>>;
    readonly statements?: Readonly<Record<string, Readonly<Record<string, GoldenStatement>>>>;
  };
}

const file = new URL('../golden/billing.json', import.meta.url);
const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { cases: readonly GoldenCase[] };

const instant = (text: string) => BigInt(Date.parse(text));

describe.each(cases)('the oracle, in the golden case "$name",', (golden) => {
  const { period, through, expect: expected } = golden;
  const facts = golden.facts.map(({ id, effectiveAt, ...fact }, i) => ({
    ...fact,
    eventId: id,
    position: i + 1,
    effectiveAt: instant(effectiveAt),
  }));
  const month = monthOf(period);
  const end = through === undefined ? month[1] : instant(through);

  test('computes the usage of every account, whole and by type', () => {
    const accounts = accountsAt(facts, facts.length);
    const usage = accounts.map((account) => [account, usageAt(facts, facts.length, account, month, end)]);
    expect(Object.fromEntries(usage)).toEqual(expected.accounts);
    const byType = accounts.map((account) => [
      account,
      usageByTypeAt(facts, facts.length, account, month, end),
    ]);
    if (expected.byType !== undefined) expect(Object.fromEntries(byType)).toEqual(expected.byType);
  });

  test('bills each cluster within its intervals, to their account and as their type, and not outside', () => {
    for (const [clusterId, intervals] of Object.entries(expected.intervals)) {
      const own = facts.filter((fact) => fact.clusterId === clusterId);
      const edges = intervals.flatMap(({ from, to }) => [
        instant(from),
        ...(to === null ? [] : [instant(to)]),
      ]);
      const probes = [...edges, ...own.map((fact) => fact.effectiveAt)].flatMap((t) => [t - 1n, t, t + 1n]);
      for (const t of probes) {
        const interval = intervals.find(
          ({ from, to }) => instant(from) <= t && (to === null || t < instant(to)),
        );
        const owner = interval && { accountId: interval.accountId, clusterType: interval.clusterType };
        expect(billedAt(own, t), `${clusterId} at ${t}`).toEqual(owner);
      }
    }
  });

  test('computes the statements of every closed period', () => {
    const closes = golden.closes ?? [];
    const statements = closes.map((close, i) => {
      const ofPeriod = statementsAt(facts, closes.slice(0, i + 1), golden.begun !== undefined);
      return [
        close.period,
        Object.fromEntries(
          ofPeriod.map(({ accountId, usage, adjustments, total }) => [
            accountId,
            {
              usage,
              adjustments: adjustments.map(({ period: q, delta }) => ({ period: q, ...delta })),
              total: { billableClusters: total.billableClusters, clusterSeconds: total.clusterSeconds },
            },
          ]),
        ),
      ];
    });
    expect(Object.fromEntries(statements)).toEqual(expected.statements ?? {});
  });
});

test('the oracle divides the seconds of a cluster that moves to another region between both regions', () => {
  const fact = (position: number, type: string, day: string, fields: object): OracleFact => {
    const effectiveAt = BigInt(Date.parse(`${day}T00:00:00Z`));
    return { eventId: String(position), position, type, clusterId: 'c1', effectiveAt, ...fields };
  };
  const facts = [
    fact(1, 'ClusterRegistered', '2026-03-01', { accountId: 'acme', name: 'one', region: 'eu' }),
    fact(2, 'ClusterChanged', '2026-03-11', { region: 'us' }),
  ];
  const window = [BigInt(Date.parse('2026-03-01')), BigInt(Date.parse('2026-04-01'))] as const;
  const groups = usageByAttributeAt(facts, 2, 'acme', window, window[1], 'region');
  expect(groups.map(({ value, usage }) => [value, usage.clusterSeconds])).toEqual([
    ['eu', `${10 * 86_400}.000`],
    ['us', `${21 * 86_400}.000`],
  ]);
});
