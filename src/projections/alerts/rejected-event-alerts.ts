import type { AlertData } from '../../domain/alert.ts';

/** Subjects of the alerts about rejected events, by the source and id under which a producer may post the event again. */
export class RejectedEventAlerts {
  readonly #alerts = new Map<string, readonly string[]>();
  #count = 0;

  /** Number of alerts. */
  get count(): number {
    return this.#count;
  }

  /** @param data of the alert, with `source` and `id` of the event. */
  add(data: AlertData, subject: string): void {
    const key = keyOf(data['source'], data['id']);
    this.#alerts.set(key, [...(this.#alerts.get(key) ?? []), subject]);
    this.#count++;
  }

  forget(data: AlertData, subject: string): void {
    const key = keyOf(data['source'], data['id']);
    const alerts = this.#alerts.get(key);
    if (alerts === undefined || !alerts.includes(subject)) return;
    this.#count--;
    const others = alerts.filter((other) => other !== subject);
    if (others.length > 0) this.#alerts.set(key, others);
    else this.#alerts.delete(key);
  }

  /** Returns the subjects of the alerts about an event. */
  alertsOf(source: unknown, id: unknown): readonly string[] {
    return this.#count === 0 ? [] : (this.#alerts.get(keyOf(source, id)) ?? []);
  }

  /** Subjects of the alerts about the event that was rejected first. */
  get oldest(): readonly string[] {
    for (const alerts of this.#alerts.values()) return alerts;
    return [];
  }
}

function keyOf(source: unknown, id: unknown): string {
  return `${source}\n${id}`;
}
