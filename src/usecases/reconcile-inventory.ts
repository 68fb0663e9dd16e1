import { type Reconciliation, reconcileInventory, type SourceReading } from '../domain/inventory.ts';
import type { Instant } from '../domain/time.ts';
import type { LedgerInventory } from '../projections/queries/ledger-inventory.ts';

interface Dependencies {
  /** What the sources of credentials list now. */
  readonly listed: () => Promise<readonly SourceReading[]>;
  /** What is followed all the time, such as the records of Kubefirst. */
  readonly readings: () => readonly SourceReading[];
  /** What the ledger knows, asked once the sources are read. */
  readonly inventory: () => LedgerInventory;
  readonly now: () => Instant;
}

/** Compares what platforms say that there is with what is registered. Feeds no facts. */
export class InventoryReconciler {
  readonly #dependencies: Dependencies;
  /** When each condition that held the last time was first found. */
  #firstSeen: ReadonlyMap<string, Instant> = new Map();

  constructor(rooms: Dependencies) {
    this.#dependencies = rooms;
  }

  /**
   * One comparison. A source that cannot be read leaves it unknown what is in it, and fails nothing.
   * @param firstSeen when a condition was first found, where that is known from before this process began.
   */
  async run(
    firstSeen: (key: string) => Instant | undefined = () => undefined,
  ): Promise<Reconciliation & { readonly readings: readonly SourceReading[] }> {
    const readings = [...(await this.#dependencies.listed()), ...this.#dependencies.readings()];
    const { registered, known } = this.#dependencies.inventory();
    const result = reconcileInventory(readings, registered, this.#dependencies.now(), {
      known,
      firstSeen: (key) => firstSeen(key) ?? this.#firstSeen.get(key),
    });
    this.#firstSeen = new Map(result.conditions.map(({ key, since }) => [key, since]));
    return { ...result, readings };
  }
}
