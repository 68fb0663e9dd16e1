import type { BillingFact, ClusterBilling, Interval } from '../../domain/billing/billing.ts';
import type { AttributeValues, GroupBy } from '../../domain/billing/group.ts';
import type { Calendar } from '../../domain/billing/period.ts';
import {
  GroupedUsageMeter,
  type TypeUsage,
  type Usage,
  type UsageBreakdown,
  usageFrom,
} from '../../domain/billing/usage-meter.ts';
import type { ClusterAttributes, Fact, KnownFact } from '../../domain/facts/fact.ts';
import { isUnreachable } from '../../domain/facts/latest-observation.ts';
import { originHashOf } from '../../domain/facts/origin-hash.ts';
import { parseStoredFact } from '../../domain/facts/recorded-fact.ts';
import {
  accountOfStream,
  BILLING_STREAM,
  clusterOfStream,
  periodOfStream,
} from '../../domain/stream-table.ts';
import { type Instant, periodWindow, type Window } from '../../domain/time.ts';
import type { LogEvent } from '../../eventstore/event-store.ts';
import { compareCodeUnits } from '../../util/compare-code-units.ts';
import { runAtOnce } from '../../util/event-loop-yielder.ts';
import type { Position, Revision } from '../../util/log-numbers.ts';
import { messageOf } from '../../util/message-of.ts';
import { AlertBook } from '../alerts/alert-book.ts';
import type { AlertedState } from '../alerts/raised-alert.ts';
import { ValidationBook } from '../validation-book.ts';
import { AccountProfiles, type RecordedProfile } from './account-profiles.ts';
import type { BilledAt, IntervalMeter } from './billed-rows.ts';
import { BillingIndex } from './billing-index.ts';
import { ClosedPeriods, type UnreadableEvent } from './closed-periods.ts';
import { ClusterDetails } from './cluster-details.ts';
import { type BillingChange, billingChanges } from './cluster-facts.ts';
import { ClusterOwners } from './cluster-owners.ts';
import { type CountJump, CountJumps } from './count-jumps.ts';
import { FactTable } from './fact-table.ts';
import { IdCases } from './id-cases.ts';
import type { AccountNumber, ClusterNumber } from './interned-numbers.ts';
import { LateFacts } from './late-facts.ts';
import { LimitWatch } from './limit-watch.ts';
import { NumericColumn } from './numeric-column.ts';
import { type CountedUsage, type Measured, PeriodUsage } from './period-usage.ts';
import { type RecordedBeginning, StatementCalendar } from './statement-calendar.ts';
import { StringInterner } from './string-interner.ts';

/** Place of an event in the log and in its stream. */
export interface EventLocation {
  readonly position: Position;
  readonly revision: Revision;
  /** Milliseconds since the epoch, by the clock of the process that recorded the event. */
  readonly recordedAt: number;
  /** `undefined` if the event is not a fact of a cluster. */
  readonly clusterId: string | undefined;
}

/** The parts of a model that a snapshot restores. */
interface ModelParts {
  readonly clusters?: StringInterner<ClusterNumber>;
  readonly accounts?: StringInterner<AccountNumber>;
  readonly clusterTypes?: StringInterner<number>;
  readonly owners?: ClusterOwners;
  readonly details?: ClusterDetails['parts'];
  readonly calendar?: StatementCalendar;
  readonly profiles?: Iterable<readonly [string, RecordedProfile]>;
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
  readonly #last = new NumericColumn<Uint32Array, Position>(Uint32Array);
  readonly owners: ClusterOwners;
  readonly #details: ClusterDetails;
  readonly #unreadable = new Map<ClusterNumber, UnreadableEvent>();
  readonly #calendar: StatementCalendar;
  readonly profiles: AccountProfiles;
  #firstBilled: { readonly asOf: Position; readonly at: Instant | undefined } | undefined;
  readonly #idCases: IdCases;
  readonly #billing: BillingIndex;
  readonly #periodUsage = new PeriodUsage();
  readonly #lateFacts: LateFacts;
  readonly #countJumps: CountJumps;
  readonly validations: ValidationBook;
  readonly alerts: AlertBook;

  constructor(parts: ModelParts = {}) {
    this.clusters = parts.clusters ?? new StringInterner();
    this.accounts = parts.accounts ?? new StringInterner();
    this.clusterTypes = parts.clusterTypes ?? new StringInterner();
    this.owners = parts.owners ?? new ClusterOwners();
    this.#details = new ClusterDetails(this.clusters, parts.details);
    this.#calendar = parts.calendar ?? new StatementCalendar();
    this.validations = parts.validations ?? new ValidationBook();
    this.alerts = parts.alerts ?? new AlertBook();
    this.#idCases = new IdCases(this.clusters);
    const { facts, accounts, clusterTypes, alerts, owners } = this;
    this.#billing = new BillingIndex({ facts, accounts, clusterTypes, last: this.#last });
    this.#countJumps = new CountJumps({ facts, owners, billing: this.#billing });
    this.#lateFacts = new LateFacts({
      ...{ facts, accounts, alerts },
      intervals: (cluster, asOf) => this.intervals(cluster, asOf),
      begins: () => this.#calendar.begins,
    });
    const limits = new LimitWatch(this.#billing, (account) => owners.clustersOf(account));
    this.profiles = new AccountProfiles({ accounts, clusterTypes, limits, alerts }, parts.profiles);
  }

  get closedPeriods(): ClosedPeriods {
    return this.#calendar.closedPeriods;
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
    const closed = period === undefined ? undefined : this.#calendar.applyClosing(period, event);
    if (closed !== undefined) {
      const at = { position: event.position, at: event.recordedAt };
      this.#lateFacts.reportClosing(closed, at, (cluster) => this.lastPositionOf(cluster));
    }
    if (event.stream === BILLING_STREAM) this.#calendar.applyBeginning(event);
    const accountId = accountOfStream(event.stream);
    if (accountId !== undefined) this.profiles.apply(accountId, event, this.facts.newestRecordedAt);
    this.alerts.applyOther(event, this.validations.apply(event));
  }

  /** Returns a fact, parsed unless this process has just recorded it. An unreadable fact blocks its own cluster only. */
  #read(clusterId: string, cluster: ClusterNumber, event: LogEvent): Fact | undefined {
    try {
      return (event.content as Fact | undefined) ?? parseStoredFact(clusterId, event);
    } catch (error) {
      const why = messageOf(error);
      this.#unreadable.set(cluster, { position: event.position, why });
      return undefined;
    }
  }

  #applyFact(cluster: ClusterNumber, fact: Fact, event: LogEvent): void {
    const { id, revision, recordedAt, position } = event;
    const previous = this.#last.at(cluster);
    const names = { account: -1, clusterType: -1 };
    if (fact.type === 'ClusterRegistered' || fact.type === 'ClusterChanged') {
      if (fact.accountId !== undefined) {
        names.account = this.accounts.intern(fact.accountId);
        this.owners.note(cluster, names.account, position);
      }
      if (fact.clusterType !== undefined) names.clusterType = this.clusterTypes.intern(fact.clusterType);
      this.#details.note(position, fact);
    }
    this.facts.pushFact(id, revision, recordedAt, fact, cluster, previous, names, originHashOf(event));
    this.#last.set(cluster, position);
    this.#billing.invalidate(cluster);
    const clusterId = this.clusters.text(cluster);
    const isFirst = previous === 0;
    if (isFirst) this.#reportCase(clusterId, recordedAt);
    this.alerts.applyFact({ clusterId, event, fact, isFirst }, () => this.clusterState(cluster));
    this.#reportLate(cluster, fact, event);
    if (fact.type === 'FactVoided' || this.facts.decidesBilling(position)) {
      const owners = this.owners.ownersOf(cluster);
      this.#periodUsage.note(owners, position);
      const times = { now: this.facts.newestRecordedAt, at: recordedAt };
      this.profiles.compareLimits(owners, cluster, times);
    }
  }

  #reportCase(clusterId: string, at: Instant): void {
    const other = this.#idCases.add(clusterId);
    if (other !== undefined) this.alerts.differsByCase(clusterId, other, at);
  }

  /** The state of a cluster for alerts and the validator: all active facts, whenever they are effective. */
  clusterState(cluster: ClusterNumber): AlertedState {
    const state = this.#billing.latestState(cluster);
    const { isRegistered, lastAccount } = state;
    return {
      accountId: isRegistered && lastAccount !== undefined ? this.accounts.text(lastAccount) : undefined,
      registered: isRegistered,
      hasActiveFacts: state.hasActiveFacts,
      deleted: state.isDeleted,
      unreachable: state.isUnreachable,
      stoppedSince: state.stoppedSince('unreachable'),
      missingSince: state.stoppedSince('missing'),
      mayBeBilled: state.isBillable && state.stoppedSince('manual') === undefined,
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
    this.#lateFacts.report(this.#billing.lastDifference(cluster), to, { position, at });
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
    return runAtOnce(this.usageWithPauses(account, asOf, counted));
  }

  /** Returns the same. The caller may pause where it yields. */
  *usageWithPauses(
    account: AccountNumber,
    asOf: Position,
    counted: Window,
  ): Generator<undefined, UsageBreakdown> {
    const meter = new GroupedUsageMeter<number>(counted);
    yield* this.measure(meter, account, asOf, counted);
    return { usage: meter.usage, byType: this.byType(meter.groups) };
  }

  /** Returns the position of the last fact that may have changed the billing of an account. */
  billingChangedAt(account: AccountNumber): Position {
    return this.#periodUsage.changedAt(account);
  }

  /**
   * Returns the usage of an account up to an instant if its measures are kept, as those of a whole period are until a fact changes
   * them; otherwise `undefined`.
   */
  knownUsage(counted: CountedUsage): UsageBreakdown | undefined {
    const known = this.#periodUsage.known(counted);
    return known && this.#formatted(known, counted);
  }

  /** Returns the same, and measures it if nothing is kept. */
  *countedUsage(counted: CountedUsage): Generator<undefined, UsageBreakdown> {
    const { account, asOf } = counted;
    const measured =
      this.#periodUsage.known(counted) ??
      (yield* this.#periodUsage.measured(counted, (meter, within) =>
        this.measure(meter, account, asOf, within),
      ));
    return this.#formatted(measured, counted);
  }

  #formatted({ measures, through: measuredTo }: Measured, { window, through }: CountedUsage): UsageBreakdown {
    const { whole, groups } = measures;
    const part = { from: window.from, to: through };
    const later = through - measuredTo;
    const usage = usageFrom(whole, part, later);
    const byType = groups.map(
      ([type, own]) => [type, own === whole ? usage : usageFrom(own, part, later)] as const,
    );
    return { usage, byType: this.byType(byType) };
  }

  /** Measures what an account is billed for each of its clusters. The caller may pause where it yields. */
  measure(
    meter: IntervalMeter,
    account: AccountNumber,
    asOf: Position,
    counted: Window,
  ): Generator<undefined, void> {
    return this.#billing.measure(meter, account, this.owners.clustersOf(account), asOf, counted);
  }

  /** Names the types of usage, and returns it in order of the types. */
  byType(groups: readonly (readonly [type: number, usage: Usage])[]): TypeUsage[] {
    return this.#billing.byType(groups);
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
    return billingChanges(this.facts, this.lastPositionOf(cluster), after, upTo);
  }

  /** Returns the accounts that are billed for many more or fewer clusters than a day before an instant. */
  countJumps(now: Instant): readonly CountJump[] {
    return this.#countJumps.at(now);
  }

  /** Returns whether a cluster is billed at an instant, by all facts that are known. */
  isBilledAt(cluster: ClusterNumber, at: Instant): boolean {
    return this.billedAs(cluster, at) !== undefined;
  }

  /**
   * Returns the numbers of the account and the type as which a cluster is billed at an instant, by all facts that are known;
   * `undefined` if it is not billed. No facts are folded for it.
   */
  billedAs(cluster: ClusterNumber, at: Instant): BilledAt['billed'] {
    return this.#last.at(cluster) === 0 ? undefined : this.#billing.billedAt(cluster, at).billed;
  }

  /** Returns how many clusters of each type are billed to an account at an instant, by all facts that are known. */
  billedByType(accountId: string, at: Instant): Map<string | null, number> {
    const billed = new Map<string | null, number>();
    const account = this.accounts.find(accountId);
    if (account === undefined) return billed;
    for (const cluster of this.clustersOf(account)) {
      const own = this.billedAs(cluster, at);
      if (own?.account !== account) continue;
      const type = own.type === null ? null : this.clusterTypes.text(own.type);
      billed.set(type, (billed.get(type) ?? 0) + 1);
    }
    return billed;
  }

  /** The decision with which period statements begin, if there is one. */
  get beginning(): RecordedBeginning | undefined {
    return this.#calendar.beginning;
  }

  get calendar(): Calendar {
    return this.calendarAt(this.position);
  }

  /** Returns what decides which periods have statements, as known at a position. */
  calendarAt(asOf: Position): Calendar {
    return this.#calendar.knownAt(asOf, this.firstBilledAt(asOf));
  }

  /** Returns the earliest billed instant of any cluster as known at a position; `undefined` if nothing is billed. */
  firstBilledAt(asOf: Position): Instant | undefined {
    if (this.#firstBilled?.asOf === asOf) return this.#firstBilled.at;
    let first = Number.POSITIVE_INFINITY;
    for (let cluster = 0; cluster < this.clusters.size; cluster++)
      if (this.#last.at(cluster) !== 0) first = Math.min(first, this.#billing.firstBilledAt(cluster, asOf));
    const at = first === Number.POSITIVE_INFINITY ? undefined : first;
    if (asOf <= this.position) this.#firstBilled = { asOf, at };
    return at;
  }

  lastPositionOf(cluster: ClusterNumber): Position {
    return this.#last.at(cluster);
  }

  /** Returns the positions of the facts of a cluster that are known at a position, in order. */
  positionsOf(cluster: ClusterNumber, asOf: Position = Number.POSITIVE_INFINITY): Position[] {
    const positions: Position[] = [];
    for (const position of this.facts.chain(this.#last.at(cluster)))
      if (position <= asOf) positions.push(position);
    return positions.reverse();
  }

  /** Returns the positions of at most `limit` facts of a cluster from a revision on, in order. */
  positionsFrom(cluster: ClusterNumber, from: Revision, limit: number): Position[] {
    return this.facts.positionsOf(cluster, this.#last.at(cluster), from, limit);
  }

  /** Returns the clusters ever registered to an account. Some may belong to another account by now. */
  clustersOf(account: AccountNumber): readonly ClusterNumber[] {
    return this.owners.clustersOf(account);
  }

  /** Returns the clusters ever registered to an account, as known at a position, ordered by id. */
  clustersEverOf(accountId: string, asOf: Position): ClusterNumber[] {
    const account = this.accounts.find(accountId);
    if (account === undefined) return [];
    const ids = this.clusters;
    return this.owners
      .clustersKnownAt(account, asOf)
      .sort((a, b) => compareCodeUnits(ids.text(a), ids.text(b)));
  }

  /** Returns the attributes of a registered cluster at an instant, or at its registration if that is later. */
  attributes(cluster: ClusterNumber, at: Instant, asOf = this.position): ClusterAttributes {
    return this.attributesIn(this.billing(cluster, asOf), at);
  }

  /** Returns the same from a billing of the cluster. */
  attributesIn(billing: ClusterBilling, at: Instant): ClusterAttributes {
    return this.#details.at(billing, at);
  }

  /** Returns the values of an attribute that billing does not read over time, as known at a position. */
  valuesOf(
    cluster: ClusterNumber,
    groupBy: Exclude<GroupBy, 'clusterType'>,
    asOf: Position,
  ): AttributeValues {
    return this.#details.valuesOf(this.billing(cluster, asOf), groupBy);
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
      last: this.#last.values,
      owned: this.owners.owned,
      details: this.#details.parts,
      unreadable: [...this.#unreadable],
      openVoids: [...this.facts.openVoids],
      voidedEarly: [...this.facts.voidedEarly],
      closedPeriods: this.closedPeriods.all,
      unreadableClosings: this.closedPeriods.unreadable,
      beginning: this.beginning,
      profiles: this.profiles.all,
      validations: this.validations.parts,
      alerts: this.alerts.parts,
    };
  }

  static restore(columns: readonly Uint8Array[], parts: LedgerModel['parts']): LedgerModel {
    const model = new LedgerModel({
      clusters: StringInterner.of(parts.clusters),
      accounts: StringInterner.of(parts.accounts),
      clusterTypes: StringInterner.of(parts.clusterTypes),
      owners: new ClusterOwners(parts.owned),
      details: parts.details,
      calendar: new StatementCalendar(
        new ClosedPeriods(parts.closedPeriods, parts.unreadableClosings),
        parts.beginning,
      ),
      profiles: parts.profiles,
      validations: ValidationBook.restore(parts.validations),
      alerts: AlertBook.restore(parts.alerts),
    });
    model.facts.restore(columns);
    model.#periodUsage.beginBehind(model.position);
    for (const last of parts.last) model.#last.push(last);
    for (const [cluster, event] of parts.unreadable) model.#unreadable.set(cluster, event);
    for (const [id, positions] of parts.openVoids) model.facts.openVoids.set(id, positions);
    for (const position of parts.voidedEarly) model.facts.voidedEarly.add(position);
    return model;
  }
}
