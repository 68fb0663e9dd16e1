import { SortedList } from '../../domain/sorted-list.ts';
import type { Instant } from '../../domain/time.ts';
import type { Position } from '../../util/log-numbers.ts';
import type { FactTable } from './fact-table.ts';

const inOrder = (a: Instant, b: Instant) => a - b;

/**
 * The active stops and resumptions of one cause of a cluster, and the instants at which the cause begins or ceases to stop
 * billing. Adding or removing a fact changes at most two of these instants.
 */
export class CauseSwitches {
  readonly #facts: FactTable;
  /** Positions by effective time. At equal times stops come last, because a stop wins. */
  readonly decisions: SortedList<Position>;
  /** Alternately the instants at which the cause begins and ceases to stop billing. */
  readonly #switches = new SortedList<Instant>(inOrder);

  constructor(facts: FactTable) {
    this.#facts = facts;
    this.decisions = new SortedList(facts.compare);
  }

  /** Adds many facts with one sort. There must be none yet. */
  addAll(positions: Iterable<Position>): void {
    this.decisions.addAll(positions);
    let stops = false;
    for (let i = 0; i < this.decisions.length; i++) {
      const at = this.#instantOf(i) as Instant;
      // The last fact of an instant decides.
      if (this.#instantOf(i + 1) === at || this.#isStop(i) === stops) continue;
      stops = !stops;
      this.#switches.add(at);
    }
  }

  add(position: Position): void {
    this.decisions.add(position);
    this.#update(this.#facts.effectiveAt(position));
  }

  remove(position: Position): void {
    if (this.decisions.remove(position)) this.#update(this.#facts.effectiveAt(position));
  }

  /** The instant since which the cause stops billing after all facts; `undefined` if it does not. */
  get stopsSince(): Instant | undefined {
    return this.#switches.length % 2 === 1 ? this.#switches.at(-1) : undefined;
  }

  /** Updates the switches at an instant and at the next one with a fact. After that nothing differs. */
  #update(at: Instant): void {
    const before = this.#switches.firstIndex((each) => each >= at);
    const behind = this.decisions.firstIndex((position) => this.#facts.effectiveAt(position) > at);
    const next = this.#instantOf(behind);
    for (let each = this.#switches.at(before); each !== undefined && each <= (next ?? at); ) {
      this.#switches.remove(each);
      each = this.#switches.at(before);
    }
    const stopsBefore = before % 2 === 1;
    const isDecided = behind > 0 && this.#instantOf(behind - 1) === at;
    const stops = isDecided ? this.#isStop(behind - 1) : stopsBefore;
    if (stops !== stopsBefore) this.#switches.add(at);
    if (next === undefined) return;
    const behindNext = this.decisions.firstIndex((position) => this.#facts.effectiveAt(position) > next);
    if (this.#isStop(behindNext - 1) !== stops) this.#switches.add(next);
  }

  #instantOf(index: number): Instant | undefined {
    const position = this.decisions.at(index);
    return position === undefined ? undefined : this.#facts.effectiveAt(position);
  }

  #isStop(index: number): boolean {
    return this.#facts.typeAt(this.decisions.at(index) as Position) === 'BillingStopped';
  }
}
