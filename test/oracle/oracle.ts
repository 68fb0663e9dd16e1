/**
 * A second implementation of billing, written from docs/billing-rules.md alone. It is as literal, as slow and as obvious as
 * possible. It shares no code with src/, so a mistake there does not meet the same mistake here. Instants and amounts are
 * bigints of milliseconds.
 */

/** A fact that the ledger has accepted, with the position that the ledger answered. */
export interface OracleFact {
  readonly eventId: string;
  readonly position: number;
  readonly clusterId: string;
  readonly type: string;
  readonly effectiveAt: bigint;
  readonly accountId?: string | undefined;
  readonly clusterType?: string | undefined;
  readonly region?: string | undefined;
  readonly cloudProvider?: string | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly billable?: boolean | undefined;
  readonly cause?: string | undefined;
  /** Event id of the fact that this one voids. */
  readonly voids?: string | undefined;
}

/** The six measures of usage. */
export interface OracleUsage {
  readonly billableClusters: number;
  readonly clusterSeconds: string;
  readonly peakClusters: number;
  readonly clustersAtStart: number;
  readonly clustersAtEnd: number;
  readonly averageClusters: string;
}

/** The measures of one cluster type; `null` if no type was posted. */
export interface OracleTypeUsage extends OracleUsage {
  readonly clusterType: string | null;
}

type Window = readonly [from: bigint, to: bigint];
type Attribute = 'accountId' | 'clusterType' | 'region' | 'cloudProvider' | 'labels' | 'billable';

const CAUSES = ['unreachable', 'missing', 'manual'];

/** "`F`: the facts of one cluster known at a position `w`, less the voided ones", for each cluster. */
function clustersKnownAt(facts: readonly OracleFact[], w: number): Map<string, OracleFact[]> {
  const known = facts.filter((fact) => fact.position <= w);
  const voided = new Set(known.map((fact) => `${fact.clusterId} ${fact.voids}`));
  const active = known.filter((fact) => !voided.has(`${fact.clusterId} ${fact.eventId}`));
  const clusters = new Map<string, OracleFact[]>();
  for (const fact of active) clusters.set(fact.clusterId, []);
  for (const fact of active) clusters.get(fact.clusterId)?.push(fact);
  return clusters;
}

/** "The earliest `effectiveAt`" of the facts of a type, or never. */
function earliest(F: readonly OracleFact[], type: string): bigint | undefined {
  const instants = F.filter((fact) => fact.type === type).map((fact) => fact.effectiveAt);
  return inOrder(instants)[0];
}

function inOrder(instants: readonly bigint[]): bigint[] {
  return instants.toSorted((a, b) => (a < b ? -1 : Number(a > b)));
}

/**
 * "Attribute `x` at instant `t`: what the latest fact says of it, of those `ClusterRegistered` and `ClusterChanged` that
 * carry `x` and have `effectiveAt <= t`; at equal times the fact with the greater event id."
 */
function attributeAt<X extends Attribute>(
  F: readonly OracleFact[],
  x: X,
  t: bigint,
): OracleFact[X] | undefined {
  const says = F.filter(
    (fact) =>
      (fact.type === 'ClusterRegistered' || fact.type === 'ClusterChanged') &&
      fact[x] !== undefined &&
      fact.effectiveAt <= t,
  );
  const isLater = (a: OracleFact, b: OracleFact) =>
    a.effectiveAt > b.effectiveAt || (a.effectiveAt === b.effectiveAt && a.eventId > b.eventId);
  return says.find((fact) => says.every((other) => other === fact || isLater(fact, other)))?.[x];
}

/** "Of the stops and resumptions of cause `k` with `effectiveAt <= t`, the latest is a stop. At equal times the stop wins." */
function stops(F: readonly OracleFact[], k: string, t: bigint): boolean {
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

/** "A cluster is billed at `t` when `R <= t < D`, it is `billable` at `t`, and no cause stops it at `t`." */
function isBilled(F: readonly OracleFact[], t: bigint): boolean {
  const R = earliest(F, 'ClusterRegistered');
  const D = earliest(F, 'ClusterDeleted');
  if (R === undefined || t < R || (D !== undefined && t >= D)) return false;
  return attributeAt(F, 'billable', t) !== false && !CAUSES.some((cause) => stops(F, cause, t));
}

/** Who is billed for a cluster at an instant, and as which type; `undefined` if it is not billed then. */
export function billedAt(
  facts: readonly OracleFact[],
  t: bigint,
  w = Number.POSITIVE_INFINITY,
): { readonly accountId: string; readonly clusterType: string | null } | undefined {
  for (const F of clustersKnownAt(facts, w).values()) {
    const accountId = attributeAt(F, 'accountId', t);
    if (isBilled(F, t) && accountId !== undefined)
      return { accountId, clusterType: attributeAt(F, 'clusterType', t) ?? null };
  }
  return undefined;
}

/** Returns the earliest billed instant of any cluster, as known at `w`. It is the effective instant of a fact, because billing changes at no other. */
export function firstBilledAt(
  facts: readonly OracleFact[],
  w = Number.POSITIVE_INFINITY,
): bigint | undefined {
  const billed = [...clustersKnownAt(facts, w).values()].flatMap((F) =>
    F.map((fact) => fact.effectiveAt).filter((t) => isBilled(F, t)),
  );
  return inOrder(billed)[0];
}

/** Accounts that own a registered cluster at any instant from its registration on, as known at `w`, in order. */
export function accountsAt(facts: readonly OracleFact[], w: number): string[] {
  const owners = [...clustersKnownAt(facts, w).values()].flatMap((F) => {
    const R = earliest(F, 'ClusterRegistered');
    if (R === undefined) return [];
    const instants = F.map((fact) => fact.effectiveAt).filter((at) => at >= R);
    return instants.map((t) => attributeAt(F, 'accountId', t));
  });
  return [...new Set(owners.filter((owner) => owner !== undefined))].sort();
}

/** Every account that any fact names, in order. */
function everyAccount(facts: readonly OracleFact[]): string[] {
  const named = facts.map((fact) => fact.accountId).filter((account) => account !== undefined);
  return [...new Set(named)].sort();
}

/** How each cluster may be counted at an instant: whether it is billed to the account, within the group. */
type IsCounted = (F: readonly OracleFact[], t: bigint) => boolean;

/** The usage of an account in `[from, to)`, counted up to `through`, as known at `w`. */
export function usageAt(
  facts: readonly OracleFact[],
  w: number,
  account: string,
  window: Window,
  through: bigint,
): OracleUsage {
  return measure(clustersNaming(facts, w, account), window, through, isBilledTo(account));
}

/** The facts of the clusters that any fact gives to an account. No other cluster is ever billed to it. */
function clustersNaming(facts: readonly OracleFact[], w: number, account: string): OracleFact[][] {
  return [...clustersKnownAt(facts, w).values()].filter((F) => F.some((fact) => fact.accountId === account));
}

/** "`byType`: the same measures for each cluster type that was billed there, in order of the type." */
export function usageByTypeAt(
  facts: readonly OracleFact[],
  w: number,
  account: string,
  window: Window,
  through: bigint,
): OracleTypeUsage[] {
  const clusters = clustersNaming(facts, w, account);
  const typeAt = (F: readonly OracleFact[], t: bigint) => attributeAt(F, 'clusterType', t) ?? null;
  return groups(facts, 'clusterType').flatMap((clusterType) => {
    const isCounted: IsCounted = (F, t) => isBilledTo(account)(F, t) && typeAt(F, t) === clusterType;
    const usage = measure(clusters, window, through, isCounted);
    return usage.billableClusters === 0 ? [] : [{ clusterType, ...usage }];
  });
}

/** Usage of an account grouped by another attribute of the clusters. */
export function usageByAttributeAt(
  facts: readonly OracleFact[],
  w: number,
  account: string,
  window: Window,
  through: bigint,
  attribute: 'region' | 'cloudProvider' | { readonly label: string },
): { readonly value: string | null; readonly usage: OracleUsage }[] {
  const valueAt = (F: readonly OracleFact[], t: bigint) =>
    typeof attribute === 'string'
      ? (attributeAt(F, attribute, t) ?? null)
      : (attributeAt(F, 'labels', t)?.[attribute.label] ?? null);
  const clusters = clustersNaming(facts, w, account);
  const values = facts.map((fact) =>
    typeof attribute === 'string' ? fact[attribute] : fact.labels?.[attribute.label],
  );
  return nullsFirst(values).flatMap((value) => {
    const isCounted: IsCounted = (F, t) => isBilledTo(account)(F, t) && valueAt(F, t) === value;
    const usage = measure(clusters, window, through, isCounted);
    return usage.billableClusters === 0 ? [] : [{ value, usage }];
  });
}

const isBilledTo =
  (account: string): IsCounted =>
  (F, t) =>
    isBilled(F, t) && attributeAt(F, 'accountId', t) === account;

function groups(facts: readonly OracleFact[], attribute: 'clusterType'): (string | null)[] {
  return nullsFirst(facts.map((fact) => fact[attribute]));
}

function nullsFirst(values: readonly (string | undefined)[]): (string | null)[] {
  return [null, ...[...new Set(values.filter((value) => value !== undefined))].sort()];
}

function measure(
  clusters: readonly OracleFact[][],
  [from, to]: Window,
  through: bigint,
  isCounted: IsCounted,
): OracleUsage {
  const end = through < to ? through : to;
  if (end <= from) return inWords(0, 0n, 0, 0, 0, 0n);

  // Nothing changes except at the instants of facts, so each stretch between two of them is counted as its first instant is.
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
    const counted = clusters.filter((F) => isCounted(F, start));
    for (const F of counted) billed.add(F);
    billedMs += stretch * BigInt(counted.length);
    peak = Math.max(peak, counted.length);
  }
  const atStart = clusters.filter((F) => isCounted(F, from)).length;
  const atEnd = clusters.filter((F) => isCounted(F, end - 1n)).length;
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

/** Returns the nearest integer; of two equally near ones the even one. */
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

const YEAR_2010 = BigInt(Date.UTC(2010, 0));

/** Returns the code with which a fact is rejected, given those accepted before; `undefined` if it must be accepted. */
export function rejectionOf(facts: readonly OracleFact[], fact: OracleFact, now: bigint): string | undefined {
  if (fact.effectiveAt < YEAR_2010) return 'effective-implausible';
  if (fact.effectiveAt > now + 300_000n) return 'effective-in-future';
  const F = clustersKnownAt(facts, Number.POSITIVE_INFINITY).get(fact.clusterId) ?? [];
  if (fact.type === 'ClusterRegistered') {
    const R = earliest(F, 'ClusterRegistered');
    // "Before its first registration: than it has then".
    if (R !== undefined) {
      const account = attributeAt(F, 'accountId', inOrder([fact.effectiveAt, R])[1] as bigint);
      if (account !== fact.accountId) return 'registration-conflict';
    }
    const D = earliest(F, 'ClusterDeleted');
    if (D !== undefined && fact.effectiveAt >= D) return 'cluster-deleted';
  }
  if (fact.type === 'FactVoided') {
    const target = facts.find((other) => other.eventId === fact.voids && other.clusterId === fact.clusterId);
    if (target === undefined) return 'void-target-unknown';
    if (target.type === 'FactVoided') return 'void-target-not-voidable';
  }
  return undefined;
}

/** A period that was closed, with its watermark. */
export interface OracleClose {
  readonly period: string;
  readonly watermark: number;
}

interface OracleAmounts {
  readonly billableClusters: number;
  readonly clusterSeconds: string;
}

type OracleTypeAmounts = OracleAmounts & { readonly clusterType: string | null };

export interface OracleStatement {
  readonly accountId: string;
  readonly period: string;
  readonly usage: OracleUsage;
  readonly byType: readonly OracleTypeUsage[];
  readonly adjustments: readonly {
    readonly period: string;
    readonly before: OracleUsage;
    readonly after: OracleUsage;
    readonly delta: OracleAmounts;
    readonly byType: readonly {
      readonly clusterType: string | null;
      readonly before: OracleUsage;
      readonly after: OracleUsage;
      readonly delta: OracleAmounts;
    }[];
  }[];
  readonly total: OracleAmounts & { readonly byType: readonly OracleTypeAmounts[] };
}

const NO_USAGE_IN = ([from, to]: Window) => inWords(0, 0n, 0, 0, 0, to - from);

/**
 * The statements of the last of these closes, which are in order.
 * @param hasBegun whether a `BillingBegan` says where statements begin: then nothing before the first close is adjusted.
 */
export function statementsAt(
  facts: readonly OracleFact[],
  closes: readonly OracleClose[],
  hasBegun = false,
): OracleStatement[] {
  const [last, previous] = [...closes].reverse();
  if (last === undefined) return [];
  const { period, watermark } = last;
  const first = closes[0]?.period ?? period;
  const unclosed = hasBegun || previous === undefined ? [] : monthsBefore(facts, first);
  const earlier = [...unclosed, ...closes.slice(0, -1).map((close) => close.period)];
  return everyAccount(facts).flatMap((accountId) => {
    const usageIn = (q: string, w: number) => usageAt(facts, w, accountId, monthOf(q), monthOf(q)[1]);
    const typesIn = (q: string, w: number) => usageByTypeAt(facts, w, accountId, monthOf(q), monthOf(q)[1]);
    const usage = usageIn(period, watermark);
    const byType = typesIn(period, watermark);
    const adjustments = earlier.flatMap((q) => {
      const [w0, w1] = [previous?.watermark ?? 0, watermark];
      const [before, after] = [usageIn(q, w0), usageIn(q, w1)];
      const [typesBefore, typesAfter] = [typesIn(q, w0), typesIn(q, w1)];
      const types = nullsFirst(
        [...typesBefore, ...typesAfter].map(({ clusterType }) => clusterType ?? undefined),
      );
      const ofTypes = types.flatMap((clusterType) => {
        const b = usageOfType(typesBefore, clusterType) ?? NO_USAGE_IN(monthOf(q));
        const a = usageOfType(typesAfter, clusterType) ?? NO_USAGE_IN(monthOf(q));
        return isSame(b, a) ? [] : [{ clusterType, before: b, after: a, delta: difference(b, a) }];
      });
      if (isSame(before, after) && ofTypes.length === 0) return [];
      return [{ period: q, before, after, delta: difference(before, after), byType: ofTypes }];
    });
    if (usage.billableClusters === 0 && adjustments.length === 0) return [];
    const amounts = [usage, ...adjustments.map(({ delta }) => delta)];
    const typeAmounts = [
      ...byType,
      ...adjustments.flatMap((line) =>
        line.byType.map(({ clusterType, delta }) => ({ clusterType, ...delta })),
      ),
    ];
    const types = nullsFirst(typeAmounts.map(({ clusterType }) => clusterType ?? undefined));
    const total = {
      ...sum(amounts),
      byType: types.flatMap((clusterType) => {
        const own = typeAmounts.filter((line) => line.clusterType === clusterType);
        return own.length === 0 ? [] : [{ clusterType, ...sum(own) }];
      }),
    };
    return [{ accountId, period, usage, byType, adjustments, total }];
  });
}

function usageOfType(
  byType: readonly OracleTypeUsage[],
  clusterType: string | null,
): OracleUsage | undefined {
  const own = byType.find((line) => line.clusterType === clusterType);
  if (own === undefined) return undefined;
  const { clusterType: _, ...usage } = own;
  return usage;
}

function isSame(a: OracleUsage, b: OracleUsage): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function difference(before: OracleUsage, after: OracleUsage): OracleAmounts {
  return {
    billableClusters: after.billableClusters - before.billableClusters,
    clusterSeconds: signed(msOf(after.clusterSeconds) - msOf(before.clusterSeconds)),
  };
}

function sum(amounts: readonly OracleAmounts[]): OracleAmounts {
  return {
    billableClusters: amounts.reduce((total, amount) => total + amount.billableClusters, 0),
    clusterSeconds: signed(amounts.reduce((total, amount) => total + msOf(amount.clusterSeconds), 0n)),
  };
}

/** Every month before a period in which any fact is effective, or a month after such a one. */
function monthsBefore(facts: readonly OracleFact[], period: string): string[] {
  const months: string[] = [];
  const [first = 0n] = inOrder(facts.map((fact) => fact.effectiveAt));
  for (let month = monthAt(first); month < period; month = monthAt(monthOf(month)[1])) months.push(month);
  return months;
}

const monthAt = (instant: bigint) => new Date(Number(instant)).toISOString().slice(0, 7);

/** The instants between which a period lies. */
export function monthOf(period: string): Window {
  const [year = 0, month = 0] = period.split('-').map(Number);
  return [BigInt(Date.UTC(year, month - 1)), BigInt(Date.UTC(year, month))];
}

/** The amount in ms: the inverse of `signed`. */
function msOf(seconds: string): bigint {
  const ms = BigInt(seconds.replace('-', '').replace('.', ''));
  return seconds.startsWith('-') ? -ms : ms;
}

const signed = (ms: bigint) => (ms < 0n ? `-${decimal(-ms, 3)}` : decimal(ms, 3));
