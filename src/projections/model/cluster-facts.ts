import type { BillingFact } from '../../domain/billing/billing.ts';
import {
  ACCOUNT,
  BILLABLE,
  DELETED,
  REGISTERED,
  RESUMES,
  STOPS,
  type StateChange,
  TYPE,
} from '../../domain/billing/sweep.ts';
import { CAUSES, type Cause, type Fact, type KnownFact } from '../../domain/facts/fact.ts';
import type { Instant } from '../../domain/time.ts';
import type { Position } from '../../util/log-numbers.ts';
import type { EventIdIndex } from './event-id-index.ts';
import type { FactTable } from './fact-table.ts';
import type { AccountNumber } from './interned-numbers.ts';

/** Functions that return the text of a number in the table. */
export interface Names {
  readonly accountId: (account: AccountNumber) => string;
  readonly clusterType: (clusterType: number) => string;
}

/** A fact of the table. Its id is formatted only if it is read, which happens if two facts are effective at one instant. */
class TableFact implements KnownFact<BillingFact> {
  readonly order: number;
  readonly fact: BillingFact;
  readonly #ids: EventIdIndex;

  constructor(ids: EventIdIndex, position: Position, fact: BillingFact) {
    this.#ids = ids;
    this.order = position;
    this.fact = fact;
  }

  get eventId(): string {
    return this.#ids.at(this.order);
  }
}

/**
 * Returns the active facts of a cluster as known at a position: the known ones less the voided ones, in no particular order.
 * @param last position of the last fact of the cluster. @param names gives the texts for the numbers of accounts and types.
 */
export function activeFacts(
  facts: FactTable,
  last: Position,
  asOf: Position,
  names: Names,
): KnownFact<BillingFact>[] {
  return knownPositions(facts, last, asOf).active.map(
    (position) => new TableFact(facts.ids, position, billingFact(facts, position, names)),
  );
}

/** The facts of a cluster as known at a position. */
export interface KnownPositions {
  /** From the last one back. */
  readonly active: readonly Position[];
  /** The facts that voids name, whether or not they are known facts of the cluster; absent if there are none. */
  readonly voided: Set<Position> | undefined;
}

/** Returns which facts of a cluster are active, and which are voided, as known at a position. */
export function knownPositions(facts: FactTable, last: Position, asOf: Position): KnownPositions {
  const recorded: Position[] = [];
  let voided: Set<Position> | undefined;
  for (let position = last; position !== 0; position = facts.previousAt(position)) {
    if (position > asOf) continue;
    const target = facts.voidTargetOf(position);
    if (target === undefined) {
      recorded.push(position);
    } else {
      voided ??= new Set();
      voided.add(target);
    }
  }
  const active = voided === undefined ? recorded : recorded.filter((position) => !voided.has(position));
  return { active, voided };
}

/** Returns the changes of the state of its cluster that the fact at a position says. */
export function stateChanges(facts: FactTable, position: Position): StateChange<number>[] {
  const change = { at: facts.effectiveAt(position), setBy: position };
  const type = facts.typeAt(position);
  switch (type) {
    case 'ClusterDeleted':
      return [{ ...change, kind: DELETED }];
    case 'BillingStopped':
    case 'BillingResumed': {
      const cause = CAUSES.indexOf(facts.causeAt(position) as Cause);
      return [{ ...change, kind: type === 'BillingStopped' ? STOPS : RESUMES, cause }];
    }
  }
  const changes: StateChange<number>[] = [];
  const billable = facts.billableAt(position);
  if (billable !== undefined) changes.push({ ...change, kind: BILLABLE, billable });
  const clusterType = facts.clusterTypeAt(position);
  if (clusterType !== undefined) changes.push({ ...change, kind: TYPE, id: clusterType });
  const account = facts.accountAt(position);
  if (account !== undefined) changes.push({ ...change, kind: ACCOUNT, id: account });
  if (type === 'ClusterRegistered') changes.push({ ...change, kind: REGISTERED });
  return changes;
}

/** A fact that became active or was voided between two positions. */
export interface BillingChange {
  /** Position of the fact. */
  readonly position: Position;
  /** Position of the fact itself if it became active, or of its void. */
  readonly causePosition: Position;
  /** Effective instant of the fact, not of its void. */
  readonly effectiveAt: Instant;
}

/**
 * Returns the billing facts of a cluster that became active or were voided between two positions, in the order of the log.
 * @param last position of the last fact of the cluster.
 */
export function billingChanges(
  facts: FactTable,
  last: Position,
  after: Position,
  upTo: Position,
): BillingChange[] {
  if (last <= after) return [];
  const voidedBy = new Map<Position, Position>();
  const counted: Position[] = [];
  for (let position = last; position !== 0; position = facts.previousAt(position)) {
    if (position > upTo) continue;
    const target = facts.voidTargetOf(position);
    // Goes backwards, so that the first void of a fact is the one that remains in the map.
    if (target !== undefined) voidedBy.set(target, position);
    else if (facts.decidesBilling(position)) counted.push(position);
  }
  const changes: BillingChange[] = [];
  for (const position of counted) {
    const voidedAt = voidedBy.get(position);
    const countedBefore = position <= after && (voidedAt === undefined || voidedAt > after);
    if (countedBefore === (voidedAt === undefined)) continue;
    changes.push({
      position,
      causePosition: voidedAt ?? position,
      effectiveAt: facts.effectiveAt(position),
    });
  }
  return changes.sort((a, b) => a.causePosition - b.causePosition);
}

function billingFact(facts: FactTable, position: Position, { accountId, clusterType }: Names): BillingFact {
  const type = facts.typeAt(position) as Exclude<Fact['type'], 'FactVoided'>;
  const effectiveAt = facts.effectiveAt(position);
  switch (type) {
    case 'ClusterRegistered':
    case 'ClusterChanged': {
      const account = facts.accountAt(position);
      const ofType = facts.clusterTypeAt(position);
      const billable = facts.billableAt(position);
      return {
        type,
        effectiveAt,
        ...(account !== undefined && { accountId: accountId(account) }),
        ...(ofType !== undefined && { clusterType: clusterType(ofType) }),
        ...(billable !== undefined && { billable }),
      } as BillingFact;
    }
    case 'BillingStopped':
    case 'BillingResumed':
      return { type, effectiveAt, cause: facts.causeAt(position) };
    default:
      return { type, effectiveAt };
  }
}
