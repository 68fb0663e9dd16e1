import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { billCluster, type ClusterBilling } from '../../../src/domain/billing/billing.ts';
import {
  clippedWindow,
  type TypeUsage,
  type Usage,
  usageOf,
} from '../../../src/domain/billing/usage-meter.ts';
import { type Fact, type KnownFact, parseFact, recordedType } from '../../../src/domain/facts/fact.ts';
import { formatInstant, LAST_INSTANT, parseInstant, periodWindow } from '../../../src/domain/time.ts';

interface GoldenFact {
  readonly id: string;
  readonly clusterId: string;
  readonly type: string;
  readonly [field: string]: unknown;
}

interface GoldenInterval {
  readonly from: string;
  readonly to: string | null;
  readonly accountId: string;
  readonly clusterType: string | null;
}

interface GoldenUsage {
  readonly name: string;
  readonly why: string;
  readonly period: string;
  readonly through?: string;
  readonly facts: readonly GoldenFact[];
  readonly expect: {
    readonly accounts: Readonly<Record<string, Usage>>;
    readonly byType?: Readonly<Record<string, readonly TypeUsage[]>>;
    readonly intervals: Readonly<Record<string, readonly GoldenInterval[]>>;
  };
}

const file = new URL('../../golden/billing.json', import.meta.url);
const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { cases: readonly GoldenUsage[] };

/** Returns the facts of a case, parsed as from the log. Fields that billing does not read are filled in. */
function known(facts: readonly GoldenFact[]): KnownFact<Fact>[] {
  return facts.map(({ id, type, ...data }, i) => {
    const filled = { name: 'a cluster', reason: 'a mistake', ...data };
    return {
      eventId: id,
      order: i + 1,
      fact: parseFact(data.clusterId, type === 'ClusterRegistered' ? recordedType(type) : type, filled),
    };
  });
}

function billsOf(facts: readonly GoldenFact[]): Map<string, ClusterBilling> {
  const clusters = Map.groupBy(known(facts), ({ fact }) => fact.clusterId);
  return new Map([...clusters].map(([clusterId, own]) => [clusterId, billCluster(own)]));
}

describe.each(cases)('$name: $why', ({ facts, period, through, expect: expected }) => {
  const bills = billsOf(facts);

  test('bills its clusters in the expected intervals', () => {
    const intervals = [...bills].map(([clusterId, billing]) => [
      clusterId,
      billing.intervals.map(({ from, to, accountId, clusterType }) => ({
        from: formatInstant(from),
        to: to === null ? null : formatInstant(to),
        accountId,
        clusterType,
      })),
    ]);
    expect(Object.fromEntries(intervals)).toEqual(expected.intervals);
  });

  test('has the expected usage of its accounts', () => {
    const counted = clippedWindow(
      periodWindow(period),
      through === undefined ? LAST_INSTANT : (parseInstant(through) as number),
    );
    const owners = new Set(
      [...bills.values()].flatMap(({ registration, attributes }) =>
        registration === undefined ? [] : ownersFrom(registration.fact.effectiveAt, attributes.accountId),
      ),
    );
    const usage: Record<string, Usage> = {};
    const byType: Record<string, readonly TypeUsage[]> = {};
    for (const accountId of owners) {
      const own = [...bills.values()].map(({ intervals }) =>
        intervals.filter((interval) => interval.accountId === accountId),
      );
      const breakdown = usageOf(own, counted);
      usage[accountId] = breakdown.usage;
      byType[accountId] = breakdown.byType;
    }
    if (expected.byType !== undefined) expect(byType).toEqual(expected.byType);
    expect(usage).toEqual(expected.accounts);
  });
});

/** The accounts that own a cluster at any instant from its registration on. */
function ownersFrom(registeredAt: number, owners: ClusterBilling['attributes']['accountId']): string[] {
  return owners.flatMap(({ value }, i) =>
    (owners[i + 1]?.at ?? Number.POSITIVE_INFINITY) > registeredAt ? [value] : [],
  );
}
