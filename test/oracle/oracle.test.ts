import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { accountsAt, isBilledAt, type OracleFact, type OracleUsage, usageAt } from './oracle.ts';

/** The oracle itself is held against the cases that were worked out by hand. */

type GoldenFact = Omit<OracleFact, 'eventId' | 'position' | 'effectiveAt'> & {
  id: string;
  effectiveAt: string;
};
interface GoldenUsage {
  readonly name: string;
  readonly period: string;
  readonly through?: string;
  readonly facts: readonly GoldenFact[];
  readonly expect: {
    readonly accounts: Readonly<Record<string, OracleUsage>>;
    readonly intervals: Readonly<Record<string, readonly { from: string; to: string | null }[]>>;
  };
}

const file = new URL('../golden/billing.json', import.meta.url);
const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { cases: readonly GoldenUsage[] };

const instant = (text: string) => BigInt(Date.parse(text));

function monthOf(period: string): [from: bigint, to: bigint] {
  const [year = 0, month = 0] = period.split('-').map(Number);
  return [BigInt(Date.UTC(year, month - 1)), BigInt(Date.UTC(year, month))];
}

describe.each(cases)('$name', ({ facts: golden, period, through, expect: expected }) => {
  const facts = golden.map(({ id, effectiveAt, ...fact }, i) => ({
    ...fact,
    eventId: id,
    position: i + 1,
    effectiveAt: instant(effectiveAt),
  }));

  test('accounts used this much', () => {
    const month = monthOf(period);
    const usage = accountsAt(facts, facts.length).map((account) => [
      account,
      usageAt(facts, facts.length, account, month, through === undefined ? month[1] : instant(through)),
    ]);
    expect(Object.fromEntries(usage)).toEqual(expected.accounts);
  });

  test('clusters are billed within their intervals and not outside', () => {
    for (const [clusterId, intervals] of Object.entries(expected.intervals)) {
      const own = facts.filter((fact) => fact.clusterId === clusterId);
      const edges = intervals.flatMap(({ from, to }) => [
        instant(from),
        ...(to === null ? [] : [instant(to)]),
      ]);
      const probes = [...edges, ...own.map((fact) => fact.effectiveAt)].flatMap((t) => [t - 1n, t, t + 1n]);
      for (const t of probes) {
        const isInside = intervals.some(
          ({ from, to }) => instant(from) <= t && (to === null || t < instant(to)),
        );
        expect(isBilledAt(own, t), `${clusterId} at ${t}`).toBe(isInside);
      }
    }
  });
});
