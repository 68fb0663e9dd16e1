import { type AccountProfile, readableProfile, useOfLimits } from '../../domain/account-profile.ts';
import { type Beginning, parseBeginning } from '../../domain/billing/beginning.ts';
import {
  type BillingFact,
  type ClusterBilling,
  type Interval,
  valueAt,
} from '../../domain/billing/billing.ts';
import type { AttributeValues, GroupBy } from '../../domain/billing/group.ts';
import type { Calendar, PeriodClosing } from '../../domain/billing/period.ts';
import { changesWithin, firstChange, type OwnedInterval } from '../../domain/billing/statement.ts';
import type { UsageBreakdown } from '../../domain/billing/usage.ts';
import {
  BILLING_ATTRIBUTES,
  type ClusterAttributes,
  type Fact,
  type KnownFact,
} from '../../domain/facts/fact.ts';
import { isUnreachable } from '../../domain/facts/latest-observation.ts';
import { parseStoredFact } from '../../domain/facts/recorded-fact.ts';
import {
  accountOfStream,
  BILLING_STREAM,
  clusterOfStream,
  periodOfStream,
} from '../../domain/stream-table.ts';
import { type Instant, periodOf, periodWindow, type Window } from '../../domain/time.ts';
import type { LogEvent } from '../../eventstore/event-store.ts';
import type { Position, Revision } from '../../util/log-numbers.ts';
import { messageOf } from '../../util/message-of.ts';
import { AlertBook } from '../alerts/alert-book.ts';
import type { AlertedState } from '../alerts/raised-alert.ts';
import { ValidationBook } from '../validation-book.ts';
import type { BilledChange } from './bill-history.ts';
import { BillingIndex } from './billing-index.ts';
import { ClosedPeriods, type UnreadableEvent } from './closed-periods.ts';
import { type BillingChange, FactTable } from './fact-table.ts';
import { IdCases } from './id-cases.ts';
import type { AccountNumber, ClusterNumber } from './interned-numbers.ts';
import { StringInterner } from './string-interner.ts';

/** The attributes of a cluster that billing does not read. */
export type Details = Omit<ClusterAttributes, 'accountId' | 'clusterType' | 'billable'>;

/** The beginning of statements, with its place in the log. */
export interface RecordedBeginning extends Beginning {
  readonly position: Position;
  readonly at: Instant;
}

/** Place of an event in the log and in its stream. */
export interface EventLocation {
  readonly position: Position;
  readonly revision: Revision;
  /** Milliseconds since the epoch, by the clock of the process that recorded the event. */
  readonly recordedAt: number;
  /** `undefined` if the event is not a fact of a cluster. */
  readonly clusterId: string | undefined;
}

/** The latest profile of an account, with its place in the log. */
export interface RecordedProfile {
  readonly profile: AccountProfile;
  readonly position: Position;
  readonly at: Instant;
}

/** The parts of a model that a snapshot restores. */
interface ModelParts {
  readonly clusters?: StringInterner<ClusterNumber>;
  readonly accounts?: StringInterner<AccountNumber>;
  readonly clusterTypes?: StringInterner<number>;
  readonly closedPeriods?: ClosedPeriods;
  readonly validations?: ValidationBook;
  readonly alerts?: AlertBook;
}

/**
 * State of the ledger in memory, folded from the log by one follower, so that every answer holds at one position. Results per
 * cluster are computed on the first request and cached until the next fact of that cluster.
 */
export class LedgerModel {
  readonly facts = new FactTable();
  readonly clusters: StringInterner<ClusterNumber>;
  readonly accounts: StringInterner<AccountNumber>;
  readonly clusterTypes: StringInterner<number>;
  /** Position of the last fact, by number of the cluster. */
  readonly #last: Position[] = [];
  /** Numbers of the clusters ever registered to an account, by number of the account. */
  readonly #clustersOf: ClusterNumber[][] = [];
  /** Attributes that billing does not read, by position of the fact that sets them. */
  readonly #details = new Map<Position, Details>();
  readonly #unreadable = new Map<ClusterNumber, UnreadableEvent>();
  readonly closedPeriods: ClosedPeriods;
  #beginning: RecordedBeginning | undefined;
  /** By account id. */
  readonly #profiles = new Map<string, RecordedProfile>();
  #firstBilled: { readonly asOf: Position; readonly at: Instant | undefined } | undefined;
  readonly #idCases: IdCases;
  readonly #billing: BillingIndex;
  readonly validations: ValidationBook;
  readonly alerts: AlertBook;

  constructor(parts: ModelParts = {}) {
    this.clusters = parts.clusters ?? new StringInterner();
    this.accounts = parts.accounts ?? new StringInterner();
    this.clusterTypes = parts.clusterTypes ?? new StringInterner();
    this.closedPeriods = parts.closedPeriods ?? new ClosedPeriods();
    this.validations = parts.validations ?? new ValidationBook();
    this.alerts = parts.alerts ?? new AlertBook();
    this.#idCases = new IdCases(this.clusters);
    const { facts, accounts, clusterTypes } = this;
    this.#billing = new BillingIndex({ facts, accounts, clusterTypes, last: this.#last });
  }

  /** Position of the last applied event. */
  get position(): Position {
    return this.facts.head;
  }

  /** Applies the next event of the log. @throws RangeError if it is not the next one. */
  apply(event: LogEvent): void {
    if (event.position !== this.position + 1) {
      throw new RangeError(`event ${event.position} does not follow ${this.position}`);
    }
    const clusterId = clusterOfStream(event.stream);
    if (clusterId === undefined) {
      this.facts.pushOther(event.id, event.revision, event.recordedAt);
      this.#applyOther(event);
      return;
    }
    const cluster = this.clusters.intern(clusterId);
    if (cluster === this.#last.length) this.#last.push(0);
    const fact = this.#unreadable.has(cluster) ? undefined : this.#read(clusterId, cluster, event);
    if (fact === undefined) this.facts.pushOther(event.id, event.revision, event.recordedAt);
    else this.#applyFact(cluster, fact, event);
  }

  #applyOther(event: LogEvent): void {
    const period = periodOfStream(event.stream);
    const closed = period === undefined ? undefined : this.closedPeriods.apply(period, event);
    if (closed !== undefined) {
      // The first closing did not know a beginning that was recorded after its watermark. It stands, so the beginning has no effect.
      if (closed.watermark < (this.#beginning?.position ?? 0)) this.#beginning = undefined;
      this.#reportLateAt(closed, event);
    }
    if (event.stream === BILLING_STREAM) this.#applyBeginning(event);
    const accountId = accountOfStream(event.stream);
    if (accountId !== undefined) this.#applyProfile(accountId, event);
    this.alerts.applyOther(event, this.validations.apply(event));
  }

  /** The first beginning decides; an operator cannot record a second one. */
  #applyBeginning({ type, data, position, recordedAt: at }: LogEvent): void {
    if (this.#beginning !== undefined || this.closedPeriods.last !== undefined) return;
    try {
      this.#beginning = { ...parseBeginning(type, data), position, at };
    } catch (error) {
      this.closedPeriods.reportUnreadable(position, error);
    }
  }

  #applyProfile(accountId: string, { type, data, position, recordedAt: at }: LogEvent): void {
    const profile = readableProfile(type, data);
    if (profile === undefined) return;
    this.#profiles.set(accountId, { profile, position, at });
    this.#reportLimits(accountId, at);
  }

  /** Parses a fact. An unreadable fact blocks its own cluster only. */
  #read(clusterId: string, cluster: ClusterNumber, event: LogEvent): Fact | undefined {
    try {
      return parseStoredFact(clusterId, event);
    } catch (error) {
      const why = messageOf(error);
      this.#unreadable.set(cluster, { position: event.position, why });
      return undefined;
    }
  }

  #applyFact(cluster: ClusterNumber, fact: Fact, event: LogEvent): void {
    const { id, revision, recordedAt, position } = event;
    const previous = this.#last[cluster] as Position;
    const names = { account: -1, clusterType: -1 };
    if (fact.type === 'ClusterRegistered' || fact.type === 'ClusterChanged') {
      if (fact.accountId !== undefined) names.account = this.#ownedBy(cluster, fact.accountId, previous);
      if (fact.clusterType !== undefined) names.clusterType = this.clusterTypes.intern(fact.clusterType);
      const { type: _, clusterId: __, effectiveAt: ___, accountId, clusterType, billable, ...details } = fact;
      if (Object.keys(details).length > 0) this.#details.set(position, details);
    }
    this.facts.pushFact(id, revision, recordedAt, fact, cluster, previous, names);
    this.#last[cluster] = position;
    this.#billing.invalidate(cluster);
    const clusterId = this.clusters.text(cluster);
    const isFirst = previous === 0;
    if (isFirst) this.#reportCase(clusterId, recordedAt);
    this.alerts.applyFact({ clusterId, event, fact, isFirst }, () => this.clusterState(cluster));
    this.#reportLate(cluster, fact, event);
    if (this.#profiles.size > 0 && this.facts.decidesBilling(position))
      this.#reportLimitsOf(cluster, recordedAt);
  }

  #reportCase(clusterId: string, at: Instant): void {
    const other = this.#idCases.add(clusterId);
    if (other !== undefined) this.alerts.differsByCase(clusterId, other, at);
  }

  #reportLimitsOf(cluster: ClusterNumber, at: Instant): void {
    const { attributes } = this.billing(cluster, this.position);
    for (const accountId of new Set(attributes.accountId.map(({ value }) => value)))
      if (this.#profiles.get(accountId)?.profile.limits !== undefined) this.#reportLimits(accountId, at);
  }

  /** Notes that a fact gives the cluster to an account. @returns the number of the account. */
  #ownedBy(cluster: ClusterNumber, accountId: string, previous: Position): AccountNumber {
    const account = this.accounts.intern(accountId);
    const owned = this.#clustersOf[account];
    if (owned === undefined) this.#clustersOf.push([cluster]);
    else if (!this.facts.namesOwner(previous, account)) owned.push(cluster);
    return account;
  }

  /** The state of a cluster for alerts and the validator: all active facts, whenever they are effective. */
  clusterState(cluster: ClusterNumber): AlertedState {
    const { registration, deletion, switches, attributes } = this.billing(cluster, this.position);
    const stop = switches.unreachable.at(-1);
    return {
      accountId: registration === undefined ? undefined : attributes.accountId.at(-1)?.value,
      registered: registration !== undefined,
      hasActiveFacts: registration !== undefined || this.activeFacts(cluster, this.position).length > 0,
      deleted: deletion !== undefined,
      unreachable: this.isUnreachable(cluster),
      stoppedSince: stop?.stops === true ? stop.at : undefined,
    };
  }

  /** Returns whether the latest observation of a cluster says that it is unreachable. */
  isUnreachable(cluster: ClusterNumber): boolean {
    return isUnreachable(this.activeFacts(cluster, this.position));
  }

  /** Raises an alert if a fact changes the usage of an account before the end of the last closed period. */
  #reportLate(cluster: ClusterNumber, fact: Fact, { position, recordedAt: at }: LogEvent): void {
    const { last } = this.closedPeriods;
    if (last === undefined) return;
    const { to } = periodWindow(last.period);
    if (fact.type !== 'FactVoided' && fact.effectiveAt >= to) return;
    const changes = this.#billing.lastChanges(cluster);
    if (changes === undefined) {
      const was = this.intervals(cluster, position - 1);
      this.#reportChange(was, this.intervals(cluster, position), to, { position, at });
    } else if (changes.length > 0) {
      const [was, is] = [-1, 1].map((sign) =>
        this.#toIntervals(changes.filter((change) => change.sign === sign)),
      );
      this.#reportChange(was as OwnedInterval[], is as OwnedInterval[], to, { position, at });
    }
  }

  #toIntervals(changes: readonly BilledChange[]): OwnedInterval[] {
    return changes
      .toSorted((a, b) => a.from - b.from)
      .map(({ from, to, account, type }) => ({
        from,
        to: to === Number.POSITIVE_INFINITY ? null : to,
        accountId: this.accounts.text(account),
        clusterType: type === -1 ? null : this.clusterTypes.text(type),
      }));
  }

  /** Raises alerts for the facts between the watermark of a closing and the closing itself. */
  #reportLateAt({ period, watermark }: PeriodClosing, { position, recordedAt: at }: LogEvent): void {
    const { to } = periodWindow(period);
    this.alerts.closed(watermark, at);
    const clusters = new Set<ClusterNumber>();
    for (let known = watermark + 1; known < position; known++) clusters.add(this.facts.clusterAt(known));
    clusters.delete(-1);
    for (const cluster of clusters) {
      const last = this.#last[cluster] as Position;
      const [was, is] = [this.intervals(cluster, watermark), this.intervals(cluster, last)];
      this.#reportChange(was, is, to, { position: last, at });
    }
  }

  #reportChange(
    was: readonly OwnedInterval[],
    is: readonly OwnedInterval[],
    closedTo: Instant,
    { position, at }: { readonly position: Position; readonly at: Instant },
  ): void {
    const begins = this.#beginning === undefined ? undefined : periodWindow(this.#beginning.period).from;
    const eventId = this.facts.ids.at(position);
    const statement = periodOf(closedTo);
    for (const accountId of new Set([...was, ...is].map((interval) => interval.accountId))) {
      const [before, after] = [was, is].map((all) =>
        all.filter((interval) => interval.accountId === accountId),
      );
      const since = firstChange(before ?? [], after ?? []);
      if (since === undefined || since >= closedTo) continue;
      // Statements never have what was used before they begin.
      const isAdjusted =
        begins === undefined || changesWithin(before ?? [], after ?? [], { from: begins, to: closedTo });
      const period = periodOf(isAdjusted && begins !== undefined ? Math.max(since, begins) : since);
      this.alerts.late({ accountId, position, at, period, eventId, isAdjusted, statement });
    }
  }

  /** Returns the billing of a cluster as known at a position. */
  billing(cluster: ClusterNumber, asOf: Position): ClusterBilling {
    return this.#billing.billing(cluster, asOf);
  }

  /** Returns the billed intervals of a cluster as known at a position, in order. */
  intervals(cluster: ClusterNumber, asOf: Position): readonly Interval[] {
    return this.#billing.intervals(cluster, asOf);
  }

  /** Returns the usage of an account, whole and by type, in a clipped window, as known at a position. */
  usage(account: AccountNumber, asOf: Position, counted: Window): UsageBreakdown {
    return this.#billing.usage(account, this.clustersOf(account), asOf, counted);
  }

  /** Returns whether an account owns a registered cluster at any instant, billed or not, as known at a position. */
  ownsAny(account: AccountNumber, asOf: Position): boolean {
    const accountId = this.accounts.text(account);
    return this.clustersOf(account).some((cluster) => {
      const { registration, attributes } = this.billing(cluster, asOf);
      if (registration === undefined) return false;
      const registeredAt = registration.fact.effectiveAt;
      const { accountId: owners } = attributes;
      return owners.some(
        ({ value }, i) =>
          value === accountId && (owners[i + 1]?.at ?? Number.POSITIVE_INFINITY) > registeredAt,
      );
    });
  }

  /** Returns an instant before which nothing of a cluster is billed differently at the two positions. */
  unchangedUntil(cluster: ClusterNumber, before: Position, after: Position): Instant {
    return this.#billing.unchangedUntil(cluster, before, after);
  }

  /** Returns by position how the billed intervals of a cluster change there; `undefined` if that is not kept. */
  billedChanges(cluster: ClusterNumber): ReadonlyMap<Position, readonly BilledChange[]> | undefined {
    return this.#billing.changes(cluster);
  }

  /** Computes the histories of all clusters before the first request. The caller may pause after each. */
  *prepare(): Generator<undefined> {
    for (let cluster = 0; cluster < this.clusters.size; cluster++) {
      this.#billing.prepare(cluster);
      yield undefined;
    }
  }

  /** Returns the active facts of a cluster as known at a position, in no particular order. */
  activeFacts(cluster: ClusterNumber, asOf: Position): KnownFact<BillingFact>[] {
    return this.#billing.activeFacts(cluster, asOf);
  }

  /** Returns how the active facts that decide the billing of a cluster differ between two positions. */
  changes(cluster: ClusterNumber, after: Position, upTo: Position): BillingChange[] {
    return this.facts.changes(this.#last[cluster] as Position, after, upTo);
  }

  /** Returns the latest profile of an account; `undefined` if it has none. */
  profileOf(accountId: string): RecordedProfile | undefined {
    return this.#profiles.get(accountId);
  }

  /** Ids of the accounts that have a profile, in no particular order. */
  get describedAccounts(): Iterable<string> {
    return this.#profiles.keys();
  }

  /** Returns how many clusters of each type are billed to an account at an instant, by all facts that are known. */
  billedByType(accountId: string, at: Instant): Map<string | null, number> {
    const billed = new Map<string | null, number>();
    const account = this.accounts.find(accountId);
    if (account === undefined) return billed;
    for (const cluster of this.clustersOf(account)) {
      const own = this.intervals(cluster, this.position).find(
        ({ from, to, accountId: owner }) => owner === accountId && from <= at && (to === null || at < to),
      );
      if (own !== undefined) billed.set(own.clusterType, (billed.get(own.clusterType) ?? 0) + 1);
    }
    return billed;
  }

  /** Raises an alert for each limit of an account that is reached, and resolves those that no longer are. */
  #reportLimits(accountId: string, at: Instant): void {
    const limits = this.#profiles.get(accountId)?.profile.limits ?? {};
    this.alerts.limits(accountId, useOfLimits(limits, this.billedByType(accountId, at)), at);
  }

  /** The decision with which period statements begin, if there is one. */
  get beginning(): RecordedBeginning | undefined {
    return this.#beginning;
  }

  get calendar(): Calendar {
    return this.calendarAt(this.position);
  }

  /** Returns what decides which periods have statements, as known at a position. */
  calendarAt(asOf: Position): Calendar {
    const closed = this.closedPeriods.knownAt(asOf);
    const begun = this.#beginning !== undefined && this.#beginning.position <= asOf;
    return {
      firstClosed: closed[0]?.period,
      lastClosed: closed.at(-1)?.period,
      begun: begun ? this.#beginning?.period : undefined,
      firstBilledAt: this.firstBilledAt(asOf),
    };
  }

  /** Returns the earliest billed instant of any cluster as known at a position; `undefined` if nothing is billed. */
  firstBilledAt(asOf: Position): Instant | undefined {
    if (this.#firstBilled?.asOf === asOf) return this.#firstBilled.at;
    let first = Number.POSITIVE_INFINITY;
    for (let cluster = 0; cluster < this.clusters.size; cluster++)
      if (this.#last[cluster] !== 0) first = Math.min(first, this.#billing.firstBilledAt(cluster, asOf));
    const at = first === Number.POSITIVE_INFINITY ? undefined : first;
    if (asOf <= this.position) this.#firstBilled = { asOf, at };
    return at;
  }

  lastPositionOf(cluster: ClusterNumber): Position {
    return this.#last[cluster] as Position;
  }

  /** Returns the positions of the facts of a cluster that are known at a position, in order. */
  positionsOf(cluster: ClusterNumber, asOf: Position = Number.POSITIVE_INFINITY): Position[] {
    const positions: Position[] = [];
    for (const position of this.facts.chain(this.#last[cluster] as Position))
      if (position <= asOf) positions.push(position);
    return positions.reverse();
  }

  /** Returns the positions of at most `limit` facts of a cluster from a revision on, in order. */
  positionsFrom(cluster: ClusterNumber, from: Revision, limit: number): Position[] {
    return this.facts.positionsOf(cluster, this.#last[cluster] as Position, from, limit);
  }

  /** Returns the clusters ever registered to an account. Some may belong to another account by now. */
  clustersOf(account: AccountNumber): readonly ClusterNumber[] {
    return this.#clustersOf[account] ?? [];
  }

  /** Returns the clusters ever registered to an account, as known at a position, ordered by id. */
  clustersEverOf(accountId: string, asOf: Position): ClusterNumber[] {
    const account = this.accounts.find(accountId);
    if (account === undefined) return [];
    const owned = this.clustersOf(account).filter((cluster) =>
      this.facts.namesOwner(this.#last[cluster] as Position, account, asOf),
    );
    const ids = this.clusters;
    return owned.sort((a, b) => (ids.text(a) < ids.text(b) ? -1 : 1));
  }

  /** Returns the attributes of a registered cluster at an instant, or at its registration if that is later. */
  attributes(cluster: ClusterNumber, at: Instant, asOf = this.position): ClusterAttributes {
    const { registration, described, attributes } = this.billing(cluster, asOf);
    const until = Math.max(at, registration?.fact.effectiveAt ?? at);
    const found: Record<string, unknown> = {};
    for (const { at: effectiveAt, order } of described)
      if (effectiveAt <= until) Object.assign(found, this.#details.get(order));
    for (const attribute of BILLING_ATTRIBUTES) {
      const value = valueAt<unknown>(attributes[attribute], until);
      if (value !== undefined) found[attribute] = value;
    }
    return found as ClusterAttributes;
  }

  /** Returns the values of an attribute that billing does not read over time, as known at a position. */
  valuesOf(
    cluster: ClusterNumber,
    groupBy: Exclude<GroupBy, 'clusterType'>,
    asOf: Position,
  ): AttributeValues {
    const values: { at: Instant; value: string | null }[] = [];
    for (const { at, order } of this.billing(cluster, asOf).described) {
      const details = this.#details.get(order) ?? {};
      const value = typeof groupBy === 'string' ? details[groupBy] : labelIn(details, groupBy.label);
      if (value === undefined) continue;
      if (values.at(-1)?.at === at) values.pop();
      values.push({ at, value });
    }
    return values;
  }

  /** Returns why the facts of a cluster cannot be read from a position on; `undefined` if they can. */
  unreadable(cluster: ClusterNumber): UnreadableEvent | undefined {
    return this.#unreadable.get(cluster);
  }

  /** Clusters whose facts cannot be read from a position on, by number. */
  get unreadableClusters(): ReadonlyMap<ClusterNumber, UnreadableEvent> {
    return this.#unreadable;
  }

  /** Returns the place of an event; `undefined` if the model has not seen it. */
  locate(eventId: string): EventLocation | undefined {
    const position = this.facts.ids.find(eventId);
    return position === undefined ? undefined : this.placeAt(position);
  }

  placeAt(position: Position): EventLocation {
    const cluster = this.facts.clusterAt(position);
    const clusterId = cluster === -1 ? undefined : this.clusters.text(cluster);
    return {
      position,
      revision: this.facts.revisionAt(position),
      recordedAt: this.facts.recordedAt(position),
      clusterId,
    };
  }

  /** Everything but the columns, for a snapshot. */
  get parts() {
    return {
      clusters: this.clusters.texts,
      accounts: this.accounts.texts,
      clusterTypes: this.clusterTypes.texts,
      last: this.#last,
      clustersOf: this.#clustersOf,
      details: [...this.#details],
      unreadable: [...this.#unreadable],
      openVoids: [...this.facts.openVoids],
      voidedEarly: [...this.facts.voidedEarly],
      closedPeriods: this.closedPeriods.all,
      unreadableClosings: this.closedPeriods.unreadable,
      beginning: this.#beginning,
      profiles: [...this.#profiles],
      validations: this.validations.parts,
      alerts: this.alerts.parts,
    };
  }

  static restore(columns: readonly Uint8Array[], parts: LedgerModel['parts']): LedgerModel {
    const model = new LedgerModel({
      clusters: StringInterner.of(parts.clusters),
      accounts: StringInterner.of(parts.accounts),
      clusterTypes: StringInterner.of(parts.clusterTypes),
      closedPeriods: new ClosedPeriods(parts.closedPeriods, parts.unreadableClosings),
      validations: ValidationBook.restore(parts.validations),
      alerts: AlertBook.restore(parts.alerts),
    });
    model.facts.restore(columns);
    for (const last of parts.last) model.#last.push(last);
    for (const clusters of parts.clustersOf) model.#clustersOf.push([...clusters]);
    for (const [position, details] of parts.details) model.#details.set(position, details);
    for (const [cluster, event] of parts.unreadable) model.#unreadable.set(cluster, event);
    for (const [id, positions] of parts.openVoids) model.facts.openVoids.set(id, positions);
    for (const position of parts.voidedEarly) model.facts.voidedEarly.add(position);
    model.#beginning = parts.beginning;
    for (const [accountId, profile] of parts.profiles) model.#profiles.set(accountId, profile);
    return model;
  }
}

/** Returns the value of a label; `null` if there are labels without it, `undefined` if there are no labels. */
function labelIn({ labels }: Details, label: string): string | null | undefined {
  if (labels === undefined) return undefined;
  return Object.hasOwn(labels, label) ? (labels[label] as string) : null;
}
