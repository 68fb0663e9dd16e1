import { ALERT_KINDS, alertKey } from '../../domain/alert.ts';

/** Kind and subject, which identify an alert. */
interface AlertKey {
  readonly kind: string;
  readonly subject: string;
}

/**
 * A value for each of some alerts, by kind and then by subject. The values of a kind are in the order in which they were added, and
 * those of all kinds in the order of the kinds, so that snapshots are equal byte for byte. A map with ids as keys would keep their
 * texts, and a replay asks for several alerts of each cluster at every fact: joining and hashing an id took as long as all else.
 */
export class AlertMap<V> {
  readonly #byKind = new Map<string, Map<string, V>>(ALERT_KINDS.map((kind) => [kind, new Map()]));

  get({ kind, subject }: AlertKey): V | undefined {
    return this.#byKind.get(kind)?.get(subject);
  }

  has({ kind, subject }: AlertKey): boolean {
    return this.#byKind.get(kind)?.has(subject) ?? false;
  }

  set({ kind, subject }: AlertKey, value: V): void {
    let ofKind = this.#byKind.get(kind);
    if (ofKind === undefined) {
      ofKind = new Map();
      this.#byKind.set(kind, ofKind);
    }
    ofKind.set(subject, value);
  }

  /** @returns whether there was a value. */
  delete({ kind, subject }: AlertKey): boolean {
    return this.#byKind.get(kind)?.delete(subject) ?? false;
  }

  /** Returns the value for the alert with an id. */
  find(id: string): V | undefined {
    return this.get(alertKey(id));
  }

  /** Returns the values of a kind. */
  ofKind(kind: string): Iterable<V> {
    return this.#byKind.get(kind)?.values() ?? [];
  }

  /** The values of each kind, by subject. */
  get kinds(): Iterable<ReadonlyMap<string, V>> {
    return this.#byKind.values();
  }

  get values(): V[] {
    return Array.from(this.#byKind.values(), (ofKind) => [...ofKind.values()]).flat();
  }
}
