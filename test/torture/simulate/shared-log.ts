import type { Expected, LogEvent, NewEvent, RecordedEvent } from '../../../src/eventstore/event-store.ts';
import { isStateStream } from '../../../src/eventstore/prepare-append.ts';
import { VersionConflict } from '../../../src/eventstore/store-errors.ts';

/** The log as the server of the store has it. It never fails and never forgets; the ways to it do. */
export class SharedLog {
  readonly events: LogEvent[] = [];
  readonly #streams = new Map<string, RecordedEvent[]>();
  conflicts = 0;
  #waiting: (() => void)[] = [];

  /** Resolves at the next event. */
  get grown(): Promise<void> {
    return new Promise((resolve) => void this.#waiting.push(resolve));
  }

  /** Appends as `EventStore.append` does, all at once. @throws VersionConflict */
  append(stream: string, events: readonly NewEvent[], expected: Expected): number {
    const known = this.stream(stream);
    const from = expected === 'absent' ? 0 : expected + 1;
    const isRepeat = events.every(({ id }, i) => known[from + i]?.id === id);
    if (isRepeat) return from + events.length - 1;
    if (known.length !== from) {
      this.conflicts++;
      throw new VersionConflict(`${stream} has ${known.length} events, not ${from}`);
    }
    for (const { content: _, json: __, ...event } of events) {
      // As another process reads it: after a way through JSON.
      const data = JSON.parse(JSON.stringify(event.data)) as NewEvent['data'];
      const recorded = { ...event, data, stream, revision: known.length };
      known.push(recorded);
      if (!isStateStream(stream)) this.events.push({ ...recorded, position: this.events.length + 1 });
    }
    for (const wake of this.#waiting.splice(0)) wake();
    return known.length - 1;
  }

  /** The names of the state streams that have events, sorted. */
  stateStreams(): string[] {
    return [...this.#streams]
      .flatMap(([name, { length }]) => (isStateStream(name) && length > 0 ? [name] : []))
      .sort();
  }

  /** The events of a stream in order. */
  stream(name: string): RecordedEvent[] {
    let events = this.#streams.get(name);
    if (events === undefined) {
      events = [];
      this.#streams.set(name, events);
    }
    return events;
  }
}
