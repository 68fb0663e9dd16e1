import type { BillingFact } from '../../domain/billing/billing.ts';
import { CAUSES, type Cause, FACT_TYPES, type Fact, type OrderedFact } from '../../domain/facts/fact.ts';
import type { Instant } from '../../domain/time.ts';
import type { Position, Revision } from '../../util/log-numbers.ts';
import { EventIdIndex } from './event-id-index.ts';
import type { AccountNumber, ClusterNumber } from './interned-numbers.ts';
import { NumericColumn } from './numeric-column.ts';

const ALL_CAUSES = [...CAUSES, 'deleted'] as const;

const TYPE_BITS = 0b1111;
const REGISTRATION = FACT_TYPES.indexOf('ClusterRegistered');
const DELETION = FACT_TYPES.indexOf('ClusterDeleted');
const STOP = FACT_TYPES.indexOf('BillingStopped');
const RESUMPTION = FACT_TYPES.indexOf('BillingResumed');
const VOID = FACT_TYPES.indexOf('FactVoided');
const CAUSE_SHIFT = 4;
const BILLABLE_BIT = 0b100_0000;

/** A fact that counts now and did not, or did and no longer does. */
export interface BillingChange {
  /** Position of the fact. */
  readonly position: Position;
  /** Position of what changed it: the fact itself, which counts now, or its void. */
  readonly causePosition: Position;
  /** When the fact that counts, or did, is effective. */
  readonly effectiveAt: Instant;
}

/**
 * What billing needs of every event of the log, by position, as columns of numbers: some 70 bytes per fact. Facts of one
 * cluster are chained from the last one back. Entry 0, and events that are no facts of a cluster, name no cluster.
 */
export class FactTable {
  readonly ids = new EventIdIndex();
  /** Number of the cluster plus 1; 0 for none. */
  readonly #cluster = new NumericColumn(Uint32Array);
  /** Position of the fact before in the same cluster; 0 for none. */
  readonly #previous = new NumericColumn<Uint32Array, Position>(Uint32Array);
  readonly #revision = new NumericColumn<Uint32Array, Revision>(Uint32Array);
  readonly #effectiveAt = new NumericColumn(Float64Array);
  readonly #recordedAt = new NumericColumn(Float64Array);
  /** The running maximum of `#recordedAt`: clocks of several writers may differ, what was known never shrinks. */
  readonly #knownAt = new NumericColumn(Float64Array);
  /** Type, cause and `billable`. */
  readonly #kind = new NumericColumn(Uint8Array);
  /** Of a registration the number of its account; of a void the position of what it voids, 0 where that is not known. */
  readonly #reference = new NumericColumn(Uint32Array);

  /** Voids that came before what they void: the id they name, and their positions. */
  readonly openVoids = new Map<string, Position[]>();

  constructor() {
    this.#push(0, 0, 0, 0, 0, 0, 0);
  }

  /** Position of the last event; 0 where there is none. */
  get head(): Position {
    return this.#cluster.length - 1;
  }

  /** Adds the next event of the log, which is no fact of a cluster or one that cannot be read. */
  pushOther(id: string, revision: Revision, recordedAt: Instant): void {
    this.ids.push(id);
    this.#push(0, 0, revision, 0, recordedAt, 0, 0);
  }

  /**
   * Adds the next event of the log, a fact.
   * @param cluster number of its cluster. @param previous position of the fact before in that cluster, 0 for none.
   * @param account number of the account that a registration names.
   */
  pushFact(
    id: string,
    revision: Revision,
    recordedAt: Instant,
    fact: Fact,
    cluster: ClusterNumber,
    previous: Position,
    account: AccountNumber,
  ): void {
    const reference = fact.type === 'FactVoided' ? (this.ids.find(fact.voids) ?? 0) : account;
    this.ids.push(id);
    this.#push(cluster + 1, previous, revision, fact.effectiveAt, recordedAt, kindOf(fact), reference);
    if (fact.type === 'FactVoided' && reference === 0) {
      this.openVoids.set(fact.voids, [...(this.openVoids.get(fact.voids) ?? []), this.head]);
    }
    if (this.openVoids.size > 0) this.#closeVoids(id);
  }

  #closeVoids(id: string): void {
    for (const position of this.openVoids.get(id) ?? []) this.#reference.set(position, this.head);
    this.openVoids.delete(id);
  }

  #push(
    clusterPlusOne: number,
    previous: Position,
    revision: Revision,
    effectiveAt: Instant,
    recordedAt: Instant,
    kind: number,
    reference: number,
  ): void {
    const latest = this.#cluster.length === 0 ? 0 : this.#knownAt.at(this.head);
    this.#cluster.push(clusterPlusOne);
    this.#previous.push(previous);
    this.#revision.push(revision);
    this.#effectiveAt.push(effectiveAt);
    this.#recordedAt.push(recordedAt);
    this.#knownAt.push(Math.max(latest, recordedAt));
    this.#kind.push(kind);
    this.#reference.push(reference);
  }

  /** Number of the cluster whose fact stands at a position, or -1. */
  clusterAt(position: Position): ClusterNumber {
    return this.#cluster.at(position) - 1;
  }

  revisionAt(position: Position): Revision {
    return this.#revision.at(position);
  }

  recordedAt(position: Position): Instant {
    return this.#recordedAt.at(position);
  }

  effectiveAt(position: Position): Instant {
    return this.#effectiveAt.at(position);
  }

  typeAt(position: Position): Fact['type'] {
    return FACT_TYPES[this.#kind.at(position) & TYPE_BITS] as Fact['type'];
  }

  /** Position of the fact before in the same cluster; 0 for none. */
  previousAt(position: Position): Position {
    return this.#previous.at(position);
  }

  /** Of the registration at a position: the number of its account. */
  accountAt(position: Position): AccountNumber {
    return this.#reference.at(position);
  }

  /** Of the registration at a position: whether it is to be billed. */
  isBillableAt(position: Position): boolean {
    return (this.#kind.at(position) & BILLABLE_BIT) !== 0;
  }

  /** Of the stop or resumption at a position: its cause. */
  causeAt(position: Position): Cause | 'deleted' {
    return ALL_CAUSES[(this.#kind.at(position) >> CAUSE_SHIFT) & 0b11] ?? 'deleted';
  }

  /** Positions of the facts of a cluster from its last one, `position`, back to its first. */
  *chain(position: Position): Generator<Position> {
    for (let at = position; at !== 0; at = this.#previous.at(at)) yield at;
  }

  /** The last position recorded at or before an instant; 0 where there is none. */
  positionAt(instant: Instant): Position {
    let low = 0;
    let high = this.head;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (this.#knownAt.at(middle) <= instant) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** Whether a registration among the facts of a cluster known at a position, voided or not, names an account. */
  registersTo(last: Position, account: AccountNumber, asOf: Position = Number.POSITIVE_INFINITY): boolean {
    for (let position = last; position !== 0; position = this.#previous.at(position)) {
      if (position > asOf) continue;
      const isRegistration = (this.#kind.at(position) & TYPE_BITS) === REGISTRATION;
      if (isRegistration && this.#reference.at(position) === account) return true;
    }
    return false;
  }

  /**
   * The facts of a cluster that count at a position: those known then, less what is voided by then.
   * @param last position of the last fact of the cluster. @param accountId gives the id for the number of an account.
   */
  activeFacts(
    last: Position,
    asOf: Position,
    accountId: (account: AccountNumber) => string,
  ): OrderedFact<BillingFact>[] {
    const facts: OrderedFact<BillingFact>[] = [];
    let voided: Set<Position> | undefined;
    for (let position = last; position !== 0; position = this.#previous.at(position)) {
      if (position > asOf) continue;
      if (this.#isVoid(position)) {
        voided ??= new Set();
        voided.add(this.#reference.at(position));
      } else {
        facts.push({ order: position, fact: this.#fact(position, accountId) });
      }
    }
    return voided === undefined ? facts : facts.filter(({ order }) => !voided.has(order));
  }

  /**
   * What changed between two positions in what counts for billing, of one cluster, in the order of the log.
   * @param last position of the last fact of the cluster.
   */
  changes(last: Position, after: Position, upTo: Position): BillingChange[] {
    if (last <= after) return [];
    const voidedBy = new Map<Position, Position>();
    const counted: Position[] = [];
    for (let position = last; position !== 0; position = this.#previous.at(position)) {
      if (position > upTo) continue;
      // From the last back, so that the first void of a fact is the one that is kept.
      if (this.#isVoid(position)) voidedBy.set(this.#reference.at(position), position);
      else if (this.switchesBilling(position)) counted.push(position);
    }
    const changes: BillingChange[] = [];
    for (const position of counted) {
      const voidedAt = voidedBy.get(position);
      const countedBefore = position <= after && (voidedAt === undefined || voidedAt > after);
      if (countedBefore === (voidedAt === undefined)) continue;
      changes.push({
        position,
        causePosition: voidedAt ?? position,
        effectiveAt: this.#effectiveAt.at(position),
      });
    }
    return changes.sort((a, b) => a.causePosition - b.causePosition);
  }

  /** Whether the fact at a position can change what is billed, other than by voiding another. */
  switchesBilling(position: Position): boolean {
    const type = this.#kind.at(position) & TYPE_BITS;
    if (type === REGISTRATION || type === DELETION) return true;
    if (type !== STOP && type !== RESUMPTION) return false;
    return this.causeAt(position) !== 'deleted';
  }

  #isVoid(position: Position): boolean {
    return (this.#kind.at(position) & TYPE_BITS) === VOID;
  }

  /** Position of what the fact at a position voids, 0 where that is not known; `undefined` where it voids nothing. */
  voidTargetOf(position: Position): Position | undefined {
    return this.#isVoid(position) ? this.#reference.at(position) : undefined;
  }

  #fact(position: Position, accountId: (account: AccountNumber) => string): BillingFact {
    const kind = this.#kind.at(position);
    const type = FACT_TYPES[kind & TYPE_BITS] as Exclude<Fact['type'], 'FactVoided'>;
    const effectiveAt = this.#effectiveAt.at(position);
    switch (type) {
      case 'ClusterRegistered': {
        const billable = (kind & BILLABLE_BIT) !== 0;
        return { type, effectiveAt, accountId: accountId(this.#reference.at(position)), billable };
      }
      case 'BillingStopped':
      case 'BillingResumed':
        return { type, effectiveAt, cause: this.causeAt(position) };
      default:
        return { type, effectiveAt };
    }
  }

  /** The columns, in a fixed order, for a snapshot. */
  get columns(): readonly Uint8Array[] {
    return [this.ids.words.bytes, ...this.#all().map((column) => column.bytes)];
  }

  restore([ids, ...columns]: readonly Uint8Array[]): void {
    if (ids === undefined || columns.length !== 8)
      throw new RangeError('these are not the columns of a fact table');
    for (const [i, column] of this.#all().entries()) column.restore(columns[i] as Uint8Array);
    this.ids.restore(ids);
    const lengths = new Set([this.ids.words.length / 4, ...this.#all().map((column) => column.length)]);
    if (lengths.size !== 1) throw new RangeError('the columns differ in length');
  }

  #all() {
    return [
      this.#cluster,
      this.#previous,
      this.#revision,
      this.#effectiveAt,
      this.#recordedAt,
      this.#knownAt,
      this.#kind,
      this.#reference,
    ] as const;
  }
}

function kindOf(fact: Fact): number {
  const type = FACT_TYPES.indexOf(fact.type);
  if (fact.type === 'ClusterRegistered') return type | (fact.billable ? BILLABLE_BIT : 0);
  return 'cause' in fact ? type | (ALL_CAUSES.indexOf(fact.cause) << CAUSE_SHIFT) : type;
}
