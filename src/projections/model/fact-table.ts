import { CAUSES, type Cause, FACT_TYPES, type Fact } from '../../domain/facts/fact.ts';
import type { Instant } from '../../domain/time.ts';
import type { Position, Revision } from '../../util/log-numbers.ts';
import { EventIdIndex } from './event-id-index.ts';
import type { AccountNumber, ClusterNumber } from './interned-numbers.ts';
import { NumericColumn } from './numeric-column.ts';

const ALL_CAUSES = [...CAUSES, 'deleted'] as const;

const TYPE_BITS = 0b1111;
const REGISTRATION = FACT_TYPES.indexOf('ClusterRegistered');
const CHANGE = FACT_TYPES.indexOf('ClusterChanged');
const DELETION = FACT_TYPES.indexOf('ClusterDeleted');
const STOP = FACT_TYPES.indexOf('BillingStopped');
const RESUMPTION = FACT_TYPES.indexOf('BillingResumed');
const VOID = FACT_TYPES.indexOf('FactVoided');
const CAUSE_SHIFT = 4;
/** Set if the fact sets `billable`. */
const SAYS_BILLABLE_BIT = 0b0100_0000;
const BILLABLE_BIT = 0b1000_0000;

/** Number of facts of a cluster between two marks, from which its facts are found without a walk from the last one. */
const MARK_EVERY = 128;

/**
 * The fields of every event of the log that billing reads, by position, as columns of numbers: about 75 bytes per fact. The
 * facts of a cluster are linked from the last one backwards. Entry 0 and events that are not facts have no cluster.
 */
export class FactTable {
  readonly ids = new EventIdIndex();
  /** Number of the cluster plus 1; 0 for none. */
  readonly #cluster = new NumericColumn(Uint32Array);
  /** Position of the previous fact of the same cluster; 0 for none. */
  readonly #previous = new NumericColumn<Uint32Array, Position>(Uint32Array);
  readonly #revision = new NumericColumn<Uint32Array, Revision>(Uint32Array);
  readonly #effectiveAt = new NumericColumn(Float64Array);
  readonly #recordedAt = new NumericColumn(Float64Array);
  /** Running maximum of `#recordedAt`. The clocks of several writers may differ, but known facts stay known. */
  readonly #knownAt = new NumericColumn(Float64Array);
  /** Type, cause and `billable`. */
  readonly #kind = new NumericColumn(Uint8Array);
  /**
   * For a registration or a change, the number of the account that it names plus 1; for a void, the position of the voided
   * fact. 0 if there is none, or if the voided fact is not known yet.
   */
  readonly #reference = new NumericColumn(Uint32Array);
  /** For a registration or a change, the number of the cluster type that it names plus 1; 0 for none. */
  readonly #clusterType = new NumericColumn(Uint32Array);
  readonly #originHash = new NumericColumn(Uint32Array);
  /** Positions of the last one of every `MARK_EVERY` facts of a cluster. Clusters with fewer facts have no entry. */
  readonly #marks = new Map<ClusterNumber, Position[]>();
  /** Positions of facts whose void is recorded before them. */
  readonly voidedEarly = new Set<number>();

  /** Positions of voids recorded before the fact that they void, by the id of that fact. */
  readonly openVoids = new Map<string, Position[]>();

  constructor() {
    this.#push(0, 0, 0, 0, 0, 0, 0, 0, 0);
  }

  /** Position of the last event; 0 if there is none. */
  get head(): Position {
    return this.#cluster.length - 1;
  }

  /** Adds the next event of the log if it is not a fact, or an unreadable one. */
  pushOther(id: string, revision: Revision, recordedAt: Instant): void {
    this.ids.push(id);
    this.#push(0, 0, revision, 0, recordedAt, 0, 0, 0, 0);
  }

  /**
   * Adds the next event of the log if it is a fact.
   * @param previous position of the previous fact of the cluster; 0 for none.
   * @param names numbers of the account and the cluster type that a registration or a change names; -1 for none.
   * @param originHash see the function of this name.
   */
  pushFact(
    id: string,
    revision: Revision,
    recordedAt: Instant,
    fact: Fact,
    cluster: ClusterNumber,
    previous: number,
    names: { readonly account: AccountNumber; readonly clusterType: number },
    originHash: number,
  ): void {
    const reference = fact.type === 'FactVoided' ? (this.ids.find(fact.voids) ?? 0) : names.account + 1;
    const { effectiveAt } = fact;
    this.ids.push(id);
    this.#push(
      cluster + 1,
      previous,
      revision,
      effectiveAt,
      recordedAt,
      kindOf(fact),
      reference,
      names.clusterType + 1,
      originHash,
    );
    this.#mark(this.head);
    if (fact.type === 'FactVoided' && reference === 0) {
      this.openVoids.set(fact.voids, [...(this.openVoids.get(fact.voids) ?? []), this.head]);
    }
    if (this.openVoids.size > 0) this.#closeVoids(id);
  }

  #mark(position: Position): void {
    if ((this.#revision.at(position) + 1) % MARK_EVERY !== 0) return;
    const cluster = this.clusterAt(position);
    if (cluster === -1) return;
    const marks = this.#marks.get(cluster);
    if (marks === undefined) this.#marks.set(cluster, [position]);
    else marks.push(position);
  }

  #closeVoids(id: string): void {
    const voids = this.openVoids.get(id);
    if (voids === undefined) return;
    this.openVoids.delete(id);
    // A void has an effect only on facts of its own cluster.
    const own = voids.filter((position) => this.#cluster.at(position) === this.#cluster.at(this.head));
    for (const position of own) this.#reference.set(position, this.head);
    if (own.length > 0) this.voidedEarly.add(this.head);
  }

  #push(
    clusterPlusOne: number,
    previous: Position,
    revision: Revision,
    effectiveAt: Instant,
    recordedAt: Instant,
    kind: number,
    reference: number,
    clusterType: number,
    originHash: number,
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
    this.#clusterType.push(clusterType);
    this.#originHash.push(originHash);
  }

  /** Returns the cluster of the fact at a position; -1 if the event is not a fact. */
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

  /** Returns the position of the previous fact of the same cluster; 0 for none. */
  previousAt(position: Position): Position {
    return this.#previous.at(position);
  }

  /** Returns the number of the account that a registration or a change names; `undefined` if it names none. */
  accountAt(position: Position): number | undefined {
    const reference = this.#reference.at(position);
    return reference === 0 || !this.#describes(position) ? undefined : reference - 1;
  }

  /** Returns the number of the cluster type that a registration or a change names; `undefined` if it names none. */
  clusterTypeAt(position: Position): number | undefined {
    const clusterType = this.#clusterType.at(position);
    return clusterType === 0 ? undefined : clusterType - 1;
  }

  /** Returns the hash of the origin of the fact at a position (see `originHash`). */
  originHashAt(position: Position): number {
    return this.#originHash.at(position);
  }

  /** Returns whether a registration or a change says that the cluster is billable; `undefined` if it does not say. */
  billableAt(position: Position): boolean | undefined {
    const kind = this.#kind.at(position);
    return (kind & SAYS_BILLABLE_BIT) === 0 || !this.#describes(position)
      ? undefined
      : (kind & BILLABLE_BIT) !== 0;
  }

  /** Returns whether the fact at a position sets attributes of its cluster. */
  #describes(position: Position): boolean {
    const type = this.#kind.at(position) & TYPE_BITS;
    return type === REGISTRATION || type === CHANGE;
  }

  /** Returns whether the fact at a position was voided before it was recorded. */
  wasVoidedEarly(position: Position): boolean {
    return this.voidedEarly.has(position);
  }

  /** Returns whether the ledger itself appended the fact at a position, as a notice of a deletion. */
  isNotice(position: Position): boolean {
    const type = this.typeAt(position);
    return (type === 'BillingStopped' || type === 'BillingResumed') && this.causeAt(position) === 'deleted';
  }

  /** Returns the cause of a fact that stops or resumes billing. */
  causeAt(position: Position): Cause | 'deleted' {
    return ALL_CAUSES[(this.#kind.at(position) >> CAUSE_SHIFT) & 0b11] ?? 'deleted';
  }

  /**
   * Returns the positions of consecutive facts of a cluster, in order. The cost depends on their number only.
   * @param last position of the last fact of the cluster.
   * @param from revision of the first one. @param limit how many at most.
   */
  positionsOf(cluster: ClusterNumber, last: Position, from: Revision, limit: number): Position[] {
    const end = from + limit;
    const positions: Position[] = [];
    // The next mark is behind the last of them.
    let position = this.#marks.get(cluster)?.[Math.floor((end - 1) / MARK_EVERY)] ?? last;
    for (; position !== 0; position = this.#previous.at(position)) {
      const revision = this.#revision.at(position);
      if (revision < from) break;
      if (revision < end) positions.push(position);
    }
    return positions.reverse();
  }

  /** Yields the positions of the facts of a cluster from its last one, `position`, back to its first. */
  *chain(position: Position): Generator<Position> {
    for (let at = position; at !== 0; at = this.#previous.at(at)) yield at;
  }

  /** The newest `recordedAt` of all events; 0 if there are none. */
  get newestRecordedAt(): Instant {
    return this.head === 0 ? 0 : this.#knownAt.at(this.head);
  }

  /** Returns the last position recorded at or before an instant; 0 if there is none. */
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

  /** Returns whether the fact at a position can change the billing of its cluster, other than by voiding another fact. */
  decidesBilling(position: Position): boolean {
    const type = this.#kind.at(position) & TYPE_BITS;
    if (type === REGISTRATION || type === DELETION) return true;
    if (type === CHANGE) {
      const saysBillable = (this.#kind.at(position) & SAYS_BILLABLE_BIT) !== 0;
      return saysBillable || this.#reference.at(position) !== 0 || this.#clusterType.at(position) !== 0;
    }
    if (type !== STOP && type !== RESUMPTION) return false;
    return this.#causeIndex(position) < CAUSES.length;
  }

  #causeIndex(position: Position): number {
    return (this.#kind.at(position) >> CAUSE_SHIFT) & 0b11;
  }

  #isVoid(position: Position): boolean {
    return (this.#kind.at(position) & TYPE_BITS) === VOID;
  }

  /** Returns the position of the fact that a void names, 0 if it is not known; `undefined` if the fact is not a void. */
  voidTargetOf(position: Position): Position | undefined {
    return this.#isVoid(position) ? this.#reference.at(position) : undefined;
  }

  /**
   * Compares two facts by effective time, then by kind (a stop comes after a resumption, because it wins), then by event id.
   * It is bound, so that all sorted lists of facts share it.
   */
  readonly compare = (a: Position, b: Position): number => {
    const isStop = (position: Position) => Number((this.#kind.at(position) & TYPE_BITS) === STOP);
    return (
      this.#effectiveAt.at(a) - this.#effectiveAt.at(b) || isStop(a) - isStop(b) || this.ids.compare(a, b)
    );
  };

  /** The columns, in a fixed order, for a snapshot. */
  get columns(): readonly Uint8Array[] {
    return [this.ids.words.bytes, ...this.#all().map((column) => column.bytes)];
  }

  restore([ids, ...columns]: readonly Uint8Array[]): void {
    if (ids === undefined || columns.length !== 10)
      throw new RangeError('the number of columns is not that of a fact table');
    for (const [i, column] of this.#all().entries()) column.restore(columns[i] as Uint8Array);
    this.ids.restore(ids);
    const lengths = new Set([this.ids.words.length / 4, ...this.#all().map((column) => column.length)]);
    if (lengths.size !== 1) throw new RangeError('the columns differ in length');
    for (let position = 1; position <= this.head; position++) this.#mark(position);
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
      this.#clusterType,
      this.#originHash,
    ] as const;
  }
}

function kindOf(fact: Fact): number {
  const type = FACT_TYPES.indexOf(fact.type);
  if (fact.type === 'ClusterRegistered' || fact.type === 'ClusterChanged') {
    if (fact.billable === undefined) return type;
    return type | SAYS_BILLABLE_BIT | (fact.billable ? BILLABLE_BIT : 0);
  }
  return 'cause' in fact ? type | (ALL_CAUSES.indexOf(fact.cause) << CAUSE_SHIFT) : type;
}
