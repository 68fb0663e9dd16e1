import {
  type InventoryItem,
  type Reconciliation,
  reconcileInventory,
  type SourceReading,
} from '../domain/inventory.ts';
import type { Instant } from '../domain/time.ts';
import { type CredentialSource, SourceUnreadable } from '../kubernetes/credential-source.ts';
import type { LedgerInventory } from '../projections/inventory.ts';

interface Rooms {
  /** Sources that can say what they know; others are left out. */
  readonly sources: readonly CredentialSource[];
  /** What is followed all the time, such as the records of Kubefirst. */
  readonly readings: () => readonly SourceReading[];
  /** What the ledger knows, asked once the sources are read. */
  readonly inventory: () => LedgerInventory;
  readonly now: () => Instant;
}

/** Compares what platforms say that there is with what is registered. Feeds no facts. */
export class InventoryReconciler {
  readonly #rooms: Rooms;
  /** When each condition that held the last time was first found. */
  #firstSeen: ReadonlyMap<string, Instant> = new Map();

  constructor(rooms: Rooms) {
    this.#rooms = rooms;
  }

  /**
   * One comparison. A source that cannot be read leaves it unknown what is in it, and fails nothing.
   * @param firstSeen when a condition was first found, where that is known from before this process began.
   */
  async run(
    signal: AbortSignal,
    firstSeen: (key: string) => Instant | undefined = () => undefined,
  ): Promise<Reconciliation & { readonly readings: readonly SourceReading[] }> {
    const listing = this.#rooms.sources.flatMap(({ scheme, inventory }, i) =>
      inventory === undefined ? [] : [read(scheme, this.#rooms.sources[i] as CredentialSource, signal)],
    );
    const readings = [...(await Promise.all(listing)), ...this.#rooms.readings()];
    const { registered, known } = this.#rooms.inventory();
    const result = reconcileInventory(readings, registered, this.#rooms.now(), {
      known,
      firstSeen: (key) => firstSeen(key) ?? this.#firstSeen.get(key),
    });
    this.#firstSeen = new Map(result.conditions.map(({ key, since }) => [key, since]));
    return { ...result, readings };
  }
}

async function read(scheme: string, source: CredentialSource, signal: AbortSignal): Promise<SourceReading> {
  try {
    const items: InventoryItem[] = [];
    for await (const item of source.inventory?.(signal) ?? []) items.push(item);
    return { source: scheme, items };
  } catch (error) {
    if (error instanceof SourceUnreadable) return { source: scheme, unreadable: error.message };
    throw error;
  }
}
