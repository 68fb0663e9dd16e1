import { type Reconciliation, reconcileInventory, type SourceReading } from '../domain/inventory.ts';
import type { Instant } from '../domain/time.ts';
import type { LedgerInventory } from '../projections/queries/ledger-inventory.ts';

interface Dependencies {
  /** Lists the sources of credentials. */
  readonly listed: () => Promise<readonly SourceReading[]>;
  /** Returns the readings of sources that are followed continuously, such as the records of Kubefirst. */
  readonly readings: () => readonly SourceReading[];
  /** Returns the clusters of the ledger; called after the sources are read. */
  readonly inventory: () => LedgerInventory;
  readonly now: () => Instant;
}

/** Compares the inventories of the platform with the registered clusters. Records no facts. */
export class InventoryReconciler {
  readonly #dependencies: Dependencies;
  /** When each condition of the last comparison was first found. */
  #firstSeen: ReadonlyMap<string, Instant> = new Map();

  constructor(dependencies: Dependencies) {
    this.#dependencies = dependencies;
  }

  /**
   * Runs one comparison. An unreadable source makes the status of its clusters unknown and does not fail the call.
   * @param firstSeen when a condition was first found, if that is known from before this process started.
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
