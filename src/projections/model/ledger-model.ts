import { type BillingFact, billActiveFacts, type ClusterBilling } from '../../domain/billing/billing.ts';
import { type Calendar, type PeriodClosing, parseClosing, periodAfter } from '../../domain/billing/period.ts';
import { firstChange, type OwnedIntervals } from '../../domain/billing/statement.ts';
import { type Usage, UsageMeter } from '../../domain/billing/usage.ts';
import type { Fact, FactOf, OrderedFact } from '../../domain/facts/fact.ts';
import { isUnreachable } from '../../domain/facts/latest-observation.ts';
import { parseStoredFact } from '../../domain/facts/recorded-fact.ts';
import { clusterOfStream, periodOfStream } from '../../domain/stream-table.ts';
import { type Instant, type Period, periodOf, periodWindow, type Window } from '../../domain/time.ts';
import type { LogEvent } from '../../eventstore/event-store.ts';
import type { Position, Revision } from '../../util/log-numbers.ts';
import { messageOf } from '../../util/message-of.ts';
import { AlertBook } from '../alerts/alert-book.ts';
import type { ClusterStanding } from '../alerts/raised-alert.ts';
import { ValidationBook } from '../validation-book.ts';
import { type BilledChange, BillHistory } from './bill-history.ts';
import { type BillingChange, FactTable } from './fact-table.ts';
import type { AccountNumber, ClusterNumber } from './interned-numbers.ts';
import { StringInterner } from './string-interner.ts';

/** What a registration says of a cluster besides what billing needs. */
export type Details = Pick<
  FactOf<'ClusterRegistered'>,
  'name' | 'clusterType' | 'cloudProvider' | 'region' | 'labels' | 'connection'
>;

/** A cluster whose stream this release cannot read on from a position: nothing after it is counted. */
export interface UnreadableCluster {
  readonly position: Position;
  readonly why: string;
}

/** A closing, and where it stands. */
export interface ClosedPeriod extends PeriodClosing {
  readonly position: Position;
  readonly closedAt: Instant;
}

/** Where an event stands. */
export interface EventLocation {
  readonly position: Position;
  readonly revision: Revision;
  /** In ms since the epoch, by the clock of whoever recorded it. */
  readonly recordedAt: number;
  /** `undefined` where the event is no fact of a cluster. */
  readonly clusterId: string | undefined;
}

/**
 * All that is answered from memory, folded from the log by one follower, so that every answer holds at one position. What
 * is derived per cluster is derived when it is asked for and kept until the next fact of that cluster.
 */
export class LedgerModel {
  readonly facts = new FactTable();
  readonly clusters: StringInterner<ClusterNumber>;
  readonly accounts: StringInterner<AccountNumber>;
  /** Position of the last fact, by number of the cluster. */
  readonly #last: Position[] = [];
  /** Numbers of the clusters that were ever registered to an account, by number of the account. */
  readonly #clustersOf: ClusterNumber[][] = [];
  readonly #details = new Map<Position, Details>();
  readonly #halted = new Map<ClusterNumber, UnreadableCluster>();
  readonly #bills: (ClusterBilling | undefined)[] = [];
  /** What is billed as known at any position: worked out, and brought up to date, when it is asked for. */
  readonly #histories: (BillHistory | undefined)[] = [];
  readonly #closes: ClosedPeriod[] = [];
  /** Events in streams of periods that close nothing: this release cannot read them, or they came out of order. */
  readonly #oddCloses: UnreadableCluster[] = [];
  #firstFactAt: Instant | undefined;
  readonly validations: ValidationBook;
  readonly alerts: AlertBook;

  constructor(
    clusters = new StringInterner<ClusterNumber>(),
    accounts = new StringInterner<AccountNumber>(),
    validations = new ValidationBook(),
    alerts = new AlertBook(),
  ) {
    this.clusters = clusters;
    this.accounts = accounts;
    this.validations = validations;
    this.alerts = alerts;
  }

  /** Position of the last event applied. */
  get position(): Position {
    return this.facts.head;
  }

  /** Adds the next event of the log. @throws RangeError where it is not the next one. */
  apply(event: LogEvent): void {
    if (event.position !== this.position + 1) {
      throw new RangeError(`event ${event.position} does not follow ${this.position}`);
    }
    const clusterId = clusterOfStream(event.stream);
    if (clusterId === undefined) {
      this.facts.pushOther(event.id, event.revision, event.recordedAt);
      const period = periodOfStream(event.stream);
      if (period !== undefined) this.#applyClose(period, event);
      this.alerts.applyOther(event, this.validations.apply(event));
      return;
    }
    const cluster = this.clusters.intern(clusterId);
    if (cluster === this.#last.length) this.#last.push(0);
    const fact = this.#halted.has(cluster) ? undefined : this.#read(clusterId, cluster, event);
    if (fact === undefined) this.facts.pushOther(event.id, event.revision, event.recordedAt);
    else this.#applyFact(cluster, fact, event);
  }

  #applyClose(period: Period, event: LogEvent): void {
    const { position, recordedAt: closedAt } = event;
    try {
      const close = parseClosing(period, event.type, event.data);
      const last = this.#closes.at(-1);
      if (last !== undefined && period !== periodAfter(last.period))
        throw new RangeError(`${period} does not follow ${last.period}`);
      if (close.watermark >= position || close.watermark < (last?.watermark ?? 0))
        throw new RangeError(`${period} cannot have been closed at watermark ${close.watermark}`);
      this.#closes.push({ ...close, position, closedAt });
      this.#tellLateAt(close, event);
    } catch (error) {
      this.#oddCloses.push({ position, why: messageOf(error) });
    }
  }

  /** A fact that cannot be read stops its cluster, never the others. */
  #read(clusterId: string, cluster: ClusterNumber, event: LogEvent): Fact | undefined {
    try {
      return parseStoredFact(clusterId, event);
    } catch (error) {
      const why = messageOf(error);
      this.#halted.set(cluster, { position: event.position, why });
      return undefined;
    }
  }

  #applyFact(cluster: ClusterNumber, fact: Fact, event: LogEvent): void {
    const { id, revision, recordedAt, position } = event;
    let account = 0;
    if (fact.type === 'ClusterRegistered') {
      account = this.accounts.intern(fact.accountId);
      const owned = this.#clustersOf[account];
      if (owned === undefined) this.#clustersOf.push([cluster]);
      else if (!this.facts.registersTo(this.#last[cluster] as number, account)) owned.push(cluster);
      const { name, clusterType, cloudProvider, region, labels, connection } = fact;
      this.#details.set(position, { name, clusterType, cloudProvider, region, labels, connection });
    }
    this.facts.pushFact(id, revision, recordedAt, fact, cluster, this.#last[cluster] as number, account);
    this.#firstFactAt = Math.min(this.#firstFactAt ?? fact.effectiveAt, fact.effectiveAt);
    const isFirst = this.#last[cluster] === 0;
    this.#last[cluster] = position;
    this.#bills[cluster] = undefined;
    const clusterId = this.clusters.text(cluster);
    this.alerts.applyFact({ clusterId, event, fact, isFirst }, () => this.clusterState(cluster));
    this.#tellLate(cluster, fact, { position: position - 1, at: recordedAt });
  }

  /** What alerts and the validator look at: what counts now, whenever it is effective. */
  clusterState(cluster: ClusterNumber): ClusterStanding {
    const last = this.#last[cluster] as number;
    const { registration, deletion, switches } = this.billing(cluster, last);
    return {
      accountId: registration?.fact.accountId,
      registered: registration !== undefined,
      deleted: deletion !== undefined,
      unreachable: this.isUnreachable(cluster),
      stoppedSince: switches.unreachable.at(-1)?.stops === true ? switches.unreachable.at(-1)?.at : undefined,
    };
  }

  /** Whether the latest observation of a cluster says that it is unreachable. */
  isUnreachable(cluster: ClusterNumber): boolean {
    const last = this.#last[cluster] as number;
    return isUnreachable(this.#activeFactsOf(last, last));
  }

  /** A fact that changes what was billed in a closed period is told: the account hears of it in its next statement. */
  #tellLate(
    cluster: ClusterNumber,
    fact: Fact,
    since: { readonly position: Position; readonly at: Instant },
  ): void {
    const last = this.#closes.at(-1);
    if (last === undefined) return;
    const { to } = periodWindow(last.period);
    if (fact.type !== 'FactVoided' && fact.effectiveAt >= to) return;
    this.#tellChange(cluster, since.position, to, since.at);
  }

  /** Facts that came between the watermark of a close and the close itself. */
  #tellLateAt({ period, watermark }: PeriodClosing, { position, recordedAt }: LogEvent): void {
    const { to } = periodWindow(period);
    this.alerts.closed(watermark, recordedAt);
    const clusters = new Set<ClusterNumber>();
    for (let at = watermark + 1; at < position; at++) clusters.add(this.facts.clusterAt(at));
    clusters.delete(-1);
    for (const cluster of clusters) this.#tellChange(cluster, watermark, to, recordedAt);
  }

  #tellChange(cluster: ClusterNumber, before: Position, closedTo: Instant, at: Instant): void {
    const was = this.#foldedBill(cluster, before);
    const is = this.#foldedBill(cluster, this.#last[cluster] as number);
    const since = firstChange(was, is);
    if (since === undefined || since >= closedTo) return;
    const position = this.#last[cluster] as number;
    const change = { position, at, period: periodOf(since), eventId: this.facts.ids.at(position) };
    for (const accountId of new Set([was.accountId, is.accountId]))
      if (accountId !== undefined) this.alerts.late({ accountId, ...change });
  }

  #foldedBill(cluster: ClusterNumber, asOf: Position): OwnedIntervals {
    const { registration, intervals } = this.billing(cluster, asOf);
    return { accountId: registration?.fact.accountId, intervals };
  }

  /** What the facts of a cluster say, as known at a position. */
  billing(cluster: ClusterNumber, asOf: Position): ClusterBilling {
    const last = this.#last[cluster] as number;
    if (last > asOf) return billActiveFacts(this.#activeFactsOf(last, asOf));
    const kept = this.#bills[cluster];
    if (kept !== undefined) return kept;
    const billing = billActiveFacts(this.#activeFactsOf(last, last));
    this.#bills[cluster] = billing;
    return billing;
  }

  #activeFactsOf(last: Position, asOf: Position) {
    return this.facts.activeFacts(last, asOf, (account) => this.accounts.text(account));
  }

  #history(cluster: ClusterNumber): BillHistory {
    let history = this.#histories[cluster];
    if (history === undefined) {
      history = new BillHistory();
      this.#histories[cluster] = history;
    }
    history.extend(this.facts, this.#last[cluster] as number);
    return history;
  }

  /** The usage of an account in a window that is cut already, as known at a position. */
  usage(account: AccountNumber, asOf: Position, counted: Window): Usage {
    const meter = new UsageMeter(counted);
    for (const cluster of this.clustersOf(account)) {
      const history = this.#history(cluster);
      if (!history.isDisabled) history.measure(meter, account, asOf, counted.from);
      else if (this.#ownerOf(cluster, asOf) === account)
        for (const { from, to } of this.billing(cluster, asOf).intervals)
          meter.add(from, to ?? Number.POSITIVE_INFINITY);
      meter.endCluster();
    }
    return meter.usage;
  }

  /** Number of the account that a cluster is registered to, as known at a position. */
  #ownerOf(cluster: ClusterNumber, asOf: Position): AccountNumber | undefined {
    const { registration } = this.billing(cluster, asOf);
    return registration === undefined ? undefined : this.facts.accountAt(registration.order);
  }

  /** Whether a cluster is registered to an account, billed or not, as known at a position. */
  ownsAny(account: AccountNumber, asOf: Position): boolean {
    return this.clustersOf(account).some((cluster) => this.#ownerOf(cluster, asOf) === account);
  }

  /** When a cluster is billed, and whose it is then, as known at a position; nobody's where it is not billed. */
  ownedIntervals(cluster: ClusterNumber, asOf: Position): OwnedIntervals {
    const history = this.#history(cluster);
    const account = history.isDisabled ? this.#ownerOf(cluster, asOf) : history.account(asOf);
    const intervals = history.isDisabled ? this.billing(cluster, asOf).intervals : history.intervals(asOf);
    return { accountId: account === undefined ? undefined : this.accounts.text(account), intervals };
  }

  /** An instant before which nothing of a cluster is billed otherwise at the second position than at the first. */
  unchangedUntil(cluster: ClusterNumber, before: Position, after: Position): Instant {
    const history = this.#history(cluster);
    return history.isDisabled ? Number.NEGATIVE_INFINITY : history.unchangedUntil(before, after);
  }

  /** By position: what becomes known there of what is billed of a cluster; `undefined` where that is not kept. */
  billedChanges(
    cluster: ClusterNumber,
    account: AccountNumber,
  ): ReadonlyMap<Position, readonly BilledChange[]> | undefined {
    const history = this.#history(cluster);
    return history.isDisabled ? undefined : history.changes(account);
  }

  /** Works out beforehand what the first question about every cluster would have to; it may pause after each. */
  *prepare(): Generator<undefined> {
    for (let cluster = 0; cluster < this.clusters.size; cluster++) {
      if (this.#last[cluster] !== 0) this.#history(cluster);
      yield undefined;
    }
  }

  /** The facts of a cluster that count at a position, in no order. */
  activeFacts(cluster: ClusterNumber, asOf: Position): OrderedFact<BillingFact>[] {
    return this.#activeFactsOf(this.#last[cluster] as number, asOf);
  }

  /** What changed between two positions in what counts for the billing of a cluster. */
  changes(cluster: ClusterNumber, after: Position, upTo: Position): BillingChange[] {
    return this.facts.changes(this.#last[cluster] as number, after, upTo);
  }

  /** Closed periods, in order and without gaps. */
  get closedPeriods(): readonly ClosedPeriod[] {
    return this.#closes;
  }

  closingOf(period: Period): ClosedPeriod | undefined {
    return this.#closes.find((close) => close.period === period);
  }

  get unreadableClosings(): readonly UnreadableCluster[] {
    return this.#oddCloses;
  }

  get calendar(): Calendar {
    return { lastClosed: this.#closes.at(-1)?.period, firstFactAt: this.#firstFactAt };
  }

  /** The earliest instant at which a fact is effective that is known at a position; `undefined` where there is none. */
  firstFactBy(asOf: Position): Instant | undefined {
    let first: Instant | undefined;
    for (let position = 1; position <= asOf && first !== this.#firstFactAt; position++) {
      if (this.facts.clusterAt(position) === -1) continue;
      const at = this.facts.effectiveAt(position);
      if (first === undefined || at < first) first = at;
    }
    return first;
  }

  lastPositionOf(cluster: ClusterNumber): Position {
    return this.#last[cluster] as number;
  }

  /** Positions of the facts of a cluster from its first on, as far as they are known at a position. */
  positionsOf(cluster: ClusterNumber, asOf: Position = Number.POSITIVE_INFINITY): Position[] {
    const positions: Position[] = [];
    for (const position of this.facts.chain(this.#last[cluster] as number))
      if (position <= asOf) positions.push(position);
    return positions.reverse();
  }

  /** Numbers of the clusters that were registered to an account at any time; some may since be another's. */
  clustersOf(account: AccountNumber): readonly ClusterNumber[] {
    return this.#clustersOf[account] ?? [];
  }

  /** The same, as far as that is known at a position; the ids of the clusters are in order. */
  clustersEverOf(accountId: string, asOf: Position): ClusterNumber[] {
    const account = this.accounts.find(accountId);
    if (account === undefined) return [];
    const owned = this.clustersOf(account).filter((cluster) =>
      this.facts.registersTo(this.#last[cluster] as number, account, asOf),
    );
    const ids = this.clusters;
    return owned.sort((a, b) => (ids.text(a) < ids.text(b) ? -1 : 1));
  }

  /** What the registration at a position says. */
  detailsAt(position: Position): Details | undefined {
    return this.#details.get(position);
  }

  haltOf(cluster: ClusterNumber): UnreadableCluster | undefined {
    return this.#halted.get(cluster);
  }

  /** Clusters that cannot be read on, by number. */
  get unreadableClusters(): ReadonlyMap<ClusterNumber, UnreadableCluster> {
    return this.#halted;
  }

  /** Where the event with an id stands; `undefined` where it is not in the log up to here. */
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
      last: this.#last,
      clustersOf: this.#clustersOf,
      details: [...this.#details],
      halted: [...this.#halted],
      openVoids: [...this.facts.openVoids],
      closes: this.#closes,
      oddCloses: this.#oddCloses,
      firstFactAt: this.#firstFactAt,
      validations: this.validations.parts,
      alerts: this.alerts.parts,
    };
  }

  static restore(columns: readonly Uint8Array[], parts: LedgerModel['parts']): LedgerModel {
    const model = new LedgerModel(
      StringInterner.of(parts.clusters),
      StringInterner.of(parts.accounts),
      ValidationBook.restore(parts.validations),
      AlertBook.restore(parts.alerts),
    );
    model.facts.restore(columns);
    for (const last of parts.last) model.#last.push(last);
    for (const clusters of parts.clustersOf) model.#clustersOf.push([...clusters]);
    for (const [position, details] of parts.details) model.#details.set(position, details);
    for (const [cluster, halt] of parts.halted) model.#halted.set(cluster, halt);
    for (const [id, positions] of parts.openVoids) model.facts.openVoids.set(id, positions);
    model.#closes.push(...parts.closes);
    model.#oddCloses.push(...parts.oddCloses);
    model.#firstFactAt = parts.firstFactAt;
    return model;
  }
}
