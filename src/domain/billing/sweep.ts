import { CAUSES } from '../facts/fact.ts';
import type { Instant } from '../time.ts';

/**
 * The kinds of change, in the order in which changes at one instant are applied. The last one that makes a difference is
 * named as the one that opened or closed an interval.
 */
export const RESUMES = 0;
export const STOPS = 1;
export const BILLABLE = 2;
export const TYPE = 3;
export const ACCOUNT = 4;
export const REGISTERED = 5;
export const DELETED = 6;

/** A change of the state of a cluster at an instant. `Id` names accounts and types: text in the domain, a number in columns. */
export interface StateChange<Id> {
  readonly at: Instant;
  /** Names the fact that says it. */
  readonly setBy: number;
  readonly kind: number;
  /** Of a stop or a resumption: the index of the cause. */
  readonly cause?: number;
  /** Of `BILLABLE`: whether it is billable. */
  readonly billable?: boolean;
  /** Of `TYPE` and `ACCOUNT`. */
  readonly id?: Id;
}

/** Sorts changes by time; at one instant by kind, then by cause. */
export function compareChanges<Id>(a: StateChange<Id>, b: StateChange<Id>): number {
  return a.at - b.at || a.kind - b.kind || (a.cause ?? 0) - (b.cause ?? 0);
}

// The reasons not to bill a cluster, one bit each. The lowest bits are the causes that stop billing.
const NOT_REGISTERED = 1 << CAUSES.length;
const IS_DELETED = NOT_REGISTERED << 1;
const NOT_BILLABLE = NOT_REGISTERED << 2;

/** The state of a cluster at one instant after the other. */
export class BillingState<Id> {
  /** The reasons that hold. */
  #reasons = NOT_REGISTERED;
  #account: Id | undefined;
  #type: Id | null = null;

  get isRegistered(): boolean {
    return (this.#reasons & NOT_REGISTERED) === 0;
  }

  get isDeleted(): boolean {
    return (this.#reasons & IS_DELETED) !== 0;
  }

  /** Whether the facts say that it is billable, whatever else stops the billing. */
  get isBillable(): boolean {
    return (this.#reasons & NOT_BILLABLE) === 0;
  }

  /** Whether the cluster is billed in this state. */
  get isBilled(): boolean {
    return this.#reasons === 0;
  }

  /** Whether any cause stops billing. */
  get isStopped(): boolean {
    return (this.#reasons & (NOT_REGISTERED - 1)) !== 0;
  }

  get account(): Id {
    return this.#account as Id;
  }

  get type(): Id | null {
    return this.#type;
  }

  /** Applies a change. @returns whether the state is different afterwards. */
  apply({ kind, cause = 0, billable = true, id }: StateChange<Id>): boolean {
    switch (kind) {
      case TYPE: {
        const isDifferent = id !== this.#type;
        this.#type = id as Id;
        return isDifferent;
      }
      case ACCOUNT: {
        const isDifferent = id !== this.#account;
        this.#account = id;
        return isDifferent;
      }
      case REGISTERED:
        this.#reasons &= ~NOT_REGISTERED;
        return true;
      case DELETED:
        this.#reasons |= IS_DELETED;
        return true;
      default: {
        const reason = kind === BILLABLE ? NOT_BILLABLE : 1 << cause;
        const holds = kind === BILLABLE ? !billable : kind === STOPS;
        const isDifferent = holds !== ((this.#reasons & reason) !== 0);
        if (isDifferent) this.#reasons ^= reason;
        return isDifferent;
      }
    }
  }
}

/** Billed time to one account as one type; `to` and `closedBy` are infinite while it goes on. */
export interface Span<Id> {
  readonly from: Instant;
  readonly to: Instant;
  readonly account: Id;
  readonly type: Id | null;
  readonly openedBy: number;
  readonly closedBy: number;
}

/**
 * Computes the billed spans of a cluster from the changes of its state: a sweep over time.
 * @param state before the first change; it is updated.
 * @param open the span that goes on before the first change, if the cluster is billed then.
 * @param changes sorted by `compareChanges`.
 * @returns the spans in order, none empty, from the open one on; the last one may go on.
 */
export function sweep<Id>(
  state: BillingState<Id>,
  open: Span<Id> | undefined,
  changes: readonly StateChange<Id>[],
): Span<Id>[] {
  const spans: Span<Id>[] = [];
  let current = open;
  for (let i = 0; i < changes.length; ) {
    const { at } = changes[i] as StateChange<Id>;
    let setBy = -1;
    for (; i < changes.length && changes[i]?.at === at; i++)
      if (state.apply(changes[i] as StateChange<Id>)) setBy = (changes[i] as StateChange<Id>).setBy;
    const goesOn =
      current !== undefined &&
      state.isBilled &&
      state.account === current.account &&
      state.type === current.type;
    if (goesOn || setBy === -1) continue;
    if (current !== undefined) spans.push({ ...current, to: at, closedBy: setBy });
    current = state.isBilled
      ? {
          from: at,
          to: Number.POSITIVE_INFINITY,
          account: state.account,
          type: state.type,
          openedBy: setBy,
          closedBy: Number.POSITIVE_INFINITY,
        }
      : undefined;
  }
  if (current !== undefined) spans.push(current);
  return spans;
}
