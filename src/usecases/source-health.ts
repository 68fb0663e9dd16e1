import type { SourceReading } from '../domain/inventory.ts';
import { type Instant, MINUTE_MS } from '../domain/time.ts';

/** Time for which a source cannot be read before the alert. A hung connection is noticed only after two minutes, so that the alert comes within 15. */
export const UNREADABLE_AFTER_MS = 12 * MINUTE_MS;

/** A source that cannot be read now. */
export interface UnreadableSource {
  readonly source: string;
  /** When it was last read, or when it was first found unreadable. */
  readonly since: Instant;
  readonly why: string;
}

/** Knows which sources of credentials, inventories and records can be read. */
export class SourceHealth {
  readonly #readAt = new Map<string, Instant>();
  readonly #unreadable = new Map<string, UnreadableSource>();

  /** Notes readings that were just made. */
  note(readings: readonly SourceReading[], now: Instant): void {
    for (const reading of readings) {
      const { source } = reading;
      if ('unreadable' in reading) this.unreadable(source, reading.unreadable, now);
      else this.read(source, now);
    }
  }

  /** Notes that a source was read. */
  read(source: string, now: Instant): void {
    this.#readAt.set(source, now);
    this.#unreadable.delete(source);
  }

  /** Notes that a source could not be read. */
  unreadable(source: string, why: string, now: Instant): void {
    const since = this.#unreadable.get(source)?.since ?? this.#readAt.get(source) ?? now;
    this.#unreadable.set(source, { source, since, why });
  }

  /** Number of sources that were read or tried. */
  get size(): number {
    return new Set([...this.#readAt.keys(), ...this.#unreadable.keys()]).size;
  }

  /** The sources that cannot be read, by name. */
  get allUnreadable(): readonly UnreadableSource[] {
    return [...this.#unreadable.values()].sort((a, b) => (a.source < b.source ? -1 : 1));
  }

  /** Returns the sources that could not be read for so long that deletions may be missed. */
  overdue(now: Instant): readonly UnreadableSource[] {
    return this.allUnreadable.filter(({ since }) => now - since >= UNREADABLE_AFTER_MS);
  }
}
