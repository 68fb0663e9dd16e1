import { SortedList } from '../../domain/sorted-list.ts';
import type { Instant } from '../../domain/time.ts';
import type { Position } from '../../util/log-numbers.ts';
import type { FactTable } from './fact-table.ts';

const inOrder = (a: Instant, b: Instant) => a - b;
const NEVER = Number.POSITIVE_INFINITY;

/**
 * The active facts that stop and resume the billing of a cluster for one reason, and the instants at which the reason begins or
 * ceases to stop billing. Adding or removing a fact changes at most two of these instants.
 */
export class StopSwitches {
  readonly #facts: FactTable;
  readonly #isStop: (position: Position) => boolean;
  /** Positions by effective time. The last one of an instant decides. */
  readonly decisions: SortedList<Position>;
  /** Alternately the instants at which the reason begins and ceases to stop billing. */
  readonly #switches = new SortedList<Instant>(inOrder);

  /** @param isStop returns whether a fact stops billing; if not, it resumes it. */
  constructor(facts: FactTable, isStop: (position: Position) => boolean) {
    this.#facts = facts;
    this.#isStop = isStop;
    this.decisions = new SortedList(facts.compare);
  }

  /** Adds many facts with one sort. There must be none yet. */
  addAll(positions: Iterable<Position>): void {
    this.decisions.addAll(positions);
    let stops = false;
    for (let i = 0; i < this.decisions.length; i++) {
      const at = this.#instantOf(i) as Instant;
      // The last fact of an instant decides.
      if (this.#instantOf(i + 1) === at || this.#stopsBy(i) === stops) continue;
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

  /** The instant since which the reason stops billing after all facts; `undefined` if it does not. */
  get stopsSince(): Instant | undefined {
    return this.#switches.length % 2 === 1 ? this.#switches.at(-1) : undefined;
  }

  /** Returns whether the reason stops billing at an instant. */
  stopsAt(at: Instant): boolean {
    return this.#behind(at) % 2 === 1;
  }

  /** Returns the first instant from another on at which the reason does not stop billing; infinite if it always does. */
  resumesFrom(at: Instant): Instant {
    const behind = this.#behind(at);
    return behind % 2 === 1 ? (this.#switches.at(behind) ?? NEVER) : at;
  }

  /** Returns the number of switches up to an instant. */
  #behind(at: Instant): number {
    return this.#switches.firstIndex((each) => each > at);
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
    const stops = isDecided ? this.#stopsBy(behind - 1) : stopsBefore;
    if (stops !== stopsBefore) this.#switches.add(at);
    if (next === undefined) return;
    const behindNext = this.decisions.firstIndex((position) => this.#facts.effectiveAt(position) > next);
    if (this.#stopsBy(behindNext - 1) !== stops) this.#switches.add(next);
  }

  #instantOf(index: number): Instant | undefined {
    const position = this.decisions.at(index);
    return position === undefined ? undefined : this.#facts.effectiveAt(position);
  }

  #stopsBy(index: number): boolean {
    return this.#isStop(this.decisions.at(index) as Position);
  }
}
