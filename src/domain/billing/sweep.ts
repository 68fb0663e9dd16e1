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

/** The state of a cluster at one instant after the other. */
export class BillingState<Id> {
  #activeCauses = 0;
  #billable = true;
  #isRegistered = false;
  #isDeleted = false;
  #account: Id | undefined;
  #type: Id | null = null;

  get isRegistered(): boolean {
    return this.#isRegistered;
  }

  get isDeleted(): boolean {
    return this.#isDeleted;
  }

  /** Whether the facts say that it is billable, whatever else stops the billing. */
  get isBillable(): boolean {
    return this.#billable;
  }

  /** Whether the cluster is billed in this state. */
  get isBilled(): boolean {
    return this.#isRegistered && !this.#isDeleted && this.#billable && this.#activeCauses === 0;
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
      case RESUMES:
      case STOPS: {
        const causes =
          kind === STOPS ? this.#activeCauses | (1 << cause) : this.#activeCauses & ~(1 << cause);
        const isDifferent = causes !== this.#activeCauses;
        this.#activeCauses = causes;
        return isDifferent;
      }
      case BILLABLE: {
        const isDifferent = billable !== this.#billable;
        this.#billable = billable;
        return isDifferent;
      }
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
        this.#isRegistered = true;
        return true;
      default:
        this.#isDeleted = true;
        return true;
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
