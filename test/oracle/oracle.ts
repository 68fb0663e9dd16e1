/**
 * Billing a second time, from docs/billing-rules.md alone: as literal, as slow and as obvious as can be. It shares nothing
 * with src/, so that a mistake there finds no like one here. Instants and amounts are bigints of milliseconds.
 */

/** A fact that the ledger has accepted, and the position that it answered. */
export interface OracleFact {
  readonly eventId: string;
  readonly position: number;
  readonly clusterId: string;
  readonly type: string;
  readonly effectiveAt: bigint;
  readonly accountId?: string;
  /** Of a registration; by default true. */
  readonly billable?: boolean;
  readonly cause?: string;
  /** Event id of the fact that this one voids. */
  readonly voids?: string;
}

export interface OracleUsage {
  readonly billableClusters: number;
  readonly clusterSeconds: string;
  readonly peakClusters: number;
  readonly clustersAtStart: number;
  readonly clustersAtEnd: number;
  readonly averageClusters: string;
}

/** "`F`: the facts of one cluster known at a position `w`, less the voided ones", for each cluster. */
function clustersKnownAt(facts: readonly OracleFact[], w: number): Map<string, OracleFact[]> {
  const known = facts.filter((fact) => fact.position <= w);
  const counting = known.filter(
    (fact) => !known.some((other) => other.voids === fact.eventId && other.clusterId === fact.clusterId),
  );
  const clusters = new Map<string, OracleFact[]>();
  for (const fact of counting) clusters.set(fact.clusterId, []);
  for (const fact of counting) clusters.get(fact.clusterId)?.push(fact);
  return clusters;
}

/** "The earliest `effectiveAt`; equal times: the lower position." */
function earliest(F: readonly OracleFact[], type: string): OracleFact | undefined {
  return F.filter((fact) => fact.type === type).reduce<OracleFact | undefined>((first, fact) => {
    if (first === undefined) return fact;
    if (fact.effectiveAt < first.effectiveAt) return fact;
    if (fact.effectiveAt === first.effectiveAt && fact.position < first.position) return fact;
    return first;
  }, undefined);
}

/** "Of the stops and resumptions of cause `k` with `effectiveAt <= t`, the latest is a stop. At equal times the stop wins." */
function holds(F: readonly OracleFact[], k: string, t: bigint): boolean {
  const soFar = F.filter(
    (fact) =>
      (fact.type === 'BillingStopped' || fact.type === 'BillingResumed') &&
      fact.cause === k &&
      fact.effectiveAt <= t,
  );
  return soFar.some(
    (stop) => stop.type === 'BillingStopped' && soFar.every((other) => other.effectiveAt <= stop.effectiveAt),
  );
}

/** "A cluster is billed at instant `t` when `R <= t < D` and no cause holds it at `t`." @param F less the voided ones. */
function isBilled(F: readonly OracleFact[], t: bigint): boolean {
  const registration = earliest(F, 'ClusterRegistered');
  if (registration === undefined || registration.billable === false) return false;
  const deletion = earliest(F, 'ClusterDeleted');
  if (t < registration.effectiveAt) return false;
  if (deletion !== undefined && t >= deletion.effectiveAt) return false;
  return !holds(F, 'unreachable', t) && !holds(F, 'manual', t);
}

/** Whether one cluster is billed at an instant. @param facts of that cluster, voids and voided ones among them. */
export function isBilledAt(facts: readonly OracleFact[], t: bigint, w = Number.POSITIVE_INFINITY): boolean {
  return [...clustersKnownAt(facts, w).values()].some((F) => isBilled(F, t));
}

/** The accounts that a cluster is registered to, in order, as known at `w`. */
export function accountsAt(facts: readonly OracleFact[], w: number): string[] {
  const owners = [...clustersKnownAt(facts, w).values()].map(
    (F) => earliest(F, 'ClusterRegistered')?.accountId,
  );
  return [...new Set(owners)].filter((owner) => owner !== undefined).sort();
}

/** The usage of an account in `[from, to)`, counted up to `through`, as known at `w`. */
export function usageAt(
  facts: readonly OracleFact[],
  w: number,
  account: string,
  [from, to]: readonly [bigint, bigint],
  through: bigint,
): OracleUsage {
  const end = through < to ? through : to;
  const clusters = [...clustersKnownAt(facts, w).values()].filter(
    (F) => earliest(F, 'ClusterRegistered')?.accountId === account,
  );
  if (end <= from) return inWords(0, 0n, 0, 0, 0, 0n);

  // Nothing changes but at the instants of facts: what holds at the beginning of a stretch holds to its end.
  const changes = clusters
    .flat()
    .map((fact) => fact.effectiveAt)
    .filter((at) => from < at && at < end);
  const starts = [...new Set([from, ...changes])].sort((a, b) => (a < b ? -1 : 1));
  let billedMs = 0n;
  let peak = 0;
  const billed = new Set<OracleFact[]>();
  for (const [i, start] of starts.entries()) {
    const stretch = (starts[i + 1] ?? end) - start;
    const now = clusters.filter((F) => isBilled(F, start));
    for (const F of now) billed.add(F);
    billedMs += stretch * BigInt(now.length);
    peak = Math.max(peak, now.length);
  }
  const atStart = clusters.filter((F) => isBilled(F, from)).length;
  const atEnd = clusters.filter((F) => isBilled(F, end - 1n)).length;
  return inWords(billed.size, billedMs, peak, atStart, atEnd, end - from);
}

function inWords(
  billableClusters: number,
  billedMs: bigint,
  peakClusters: number,
  clustersAtStart: number,
  clustersAtEnd: number,
  lengthMs: bigint,
): OracleUsage {
  return {
    billableClusters,
    clusterSeconds: decimal(billedMs, 3),
    peakClusters,
    clustersAtStart,
    clustersAtEnd,
    averageClusters: lengthMs === 0n ? '0.000000' : decimal(halfToEven(billedMs * 1_000_000n, lengthMs), 6),
  };
}

/** The nearest integer; of two equally near ones the even one. */
function halfToEven(numerator: bigint, denominator: bigint): bigint {
  const below = numerator / denominator;
  const above = below + 1n;
  const toBelow = numerator - below * denominator;
  const toAbove = above * denominator - numerator;
  if (toBelow < toAbove) return below;
  if (toAbove < toBelow) return above;
  return below % 2n === 0n ? below : above;
}

function decimal(value: bigint, places: number): string {
  const digits = value.toString().padStart(places + 1, '0');
  return `${digits.slice(0, digits.length - places)}.${digits.slice(digits.length - places)}`;
}

/** Why http-api.md has a fact refused, in the light of those accepted before; `undefined` where it must be accepted. */
export function refusalOf(facts: readonly OracleFact[], fact: OracleFact, now: bigint): string | undefined {
  if (fact.effectiveAt > now + 300_000n) return 'effective-in-future';
  const F = clustersKnownAt(facts, Number.POSITIVE_INFINITY).get(fact.clusterId) ?? [];
  if (fact.type === 'ClusterRegistered') {
    const known = earliest(F, 'ClusterRegistered');
    if (known !== undefined && known.accountId !== fact.accountId) return 'registration-conflict';
    const deletion = earliest(F, 'ClusterDeleted');
    if (deletion !== undefined && fact.effectiveAt >= deletion.effectiveAt) return 'cluster-deleted';
  }
  if (fact.type === 'FactVoided') {
    const target = facts.find((other) => other.eventId === fact.voids && other.clusterId === fact.clusterId);
    if (target === undefined) return 'void-target-unknown';
    if (target.type === 'FactVoided') return 'void-target-not-voidable';
  }
  return undefined;
}

/** A period that was closed, and its watermark. */
export interface OracleClose {
  readonly period: string;
  readonly watermark: number;
}

interface OracleAmounts {
  readonly billableClusters: number;
  readonly clusterSeconds: string;
}

export interface OracleStatement {
  readonly accountId: string;
  readonly period: string;
  readonly usage: OracleUsage;
  readonly adjustments: readonly {
    readonly period: string;
    readonly before: OracleUsage;
    readonly after: OracleUsage;
    readonly delta: OracleAmounts;
  }[];
  readonly total: OracleAmounts;
}

/** The statements of the last of these closes, which are in order. */
export function statementsAt(
  facts: readonly OracleFact[],
  closes: readonly OracleClose[],
): OracleStatement[] {
  const [last, previous] = [...closes].reverse();
  if (last === undefined) return [];
  const { period, watermark } = last;
  // Everybody who ever was anybody's owner; who was not billed and has no adjustment is left out below.
  const everybody = facts.map((fact) => fact.accountId).filter((account) => account !== undefined);
  return [...new Set(everybody)].sort().flatMap((accountId) => {
    const usageOf = (q: string, w: number) => usageAt(facts, w, accountId, monthOf(q), monthOf(q)[1]);
    const usage = usageOf(period, watermark);
    const adjustments = closes.slice(0, -1).flatMap(({ period: q }) => {
      const before = usageOf(q, previous?.watermark ?? 0);
      const after = usageOf(q, watermark);
      if (JSON.stringify(before) === JSON.stringify(after)) return [];
      const delta = {
        billableClusters: after.billableClusters - before.billableClusters,
        clusterSeconds: signed(msOf(after.clusterSeconds) - msOf(before.clusterSeconds)),
      };
      return [{ period: q, before, after, delta }];
    });
    if (usage.billableClusters === 0 && adjustments.length === 0) return [];
    const deltas = adjustments.map(({ delta }) => delta);
    const billed = [usage, ...deltas].reduce((sum, each) => sum + msOf(each.clusterSeconds), 0n);
    const clusters = [usage, ...deltas].reduce((sum, each) => sum + each.billableClusters, 0);
    const total = { billableClusters: clusters, clusterSeconds: signed(billed) };
    return [{ accountId, period, usage, adjustments, total }];
  });
}

function monthOf(period: string): readonly [bigint, bigint] {
  const [year = 0, month = 0] = period.split('-').map(Number);
  return [BigInt(Date.UTC(year, month - 1)), BigInt(Date.UTC(year, month))];
}

const msOf = (seconds: string) => BigInt(seconds.replace('.', ''));
const signed = (ms: bigint) => (ms < 0n ? `-${decimal(-ms, 3)}` : decimal(ms, 3));
