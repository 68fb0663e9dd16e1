import { ALERT_KINDS, type AlertKind } from '../../domain/alert.ts';
import type { Alert } from './raised-alert.ts';

/**
 * The open alerts. Each is found by its kind and subject: a replay asks for several of each cluster at every fact, and joining and
 * hashing an id took as long as all else that it does for the alerts.
 */
export class OpenAlerts {
  /** All kinds in a fixed order, so that snapshots are equal byte for byte. */
  readonly #byKind: ReadonlyMap<AlertKind, Map<string, Alert>> = new Map(
    ALERT_KINDS.map((kind) => [kind, new Map()]),
  );

  get(kind: AlertKind, subject: string): Alert | undefined {
    return this.#byKind.get(kind)?.get(subject);
  }

  /** Returns the alert with an id. */
  find(id: string): Alert | undefined {
    const end = id.indexOf(':');
    return this.get(id.slice(0, end) as AlertKind, id.slice(end + 1));
  }

  /** Adds an alert, or replaces the one of its kind and subject. */
  set(alert: Alert): void {
    this.#byKind.get(alert.kind)?.set(alert.subject, alert);
  }

  delete({ kind, subject }: Alert): void {
    this.#byKind.get(kind)?.delete(subject);
  }

  /** Returns the alerts of a kind. */
  ofKind(kind: AlertKind): Iterable<Alert> {
    return this.#byKind.get(kind)?.values() ?? [];
  }

  *values(): Generator<Alert> {
    for (const alerts of this.#byKind.values()) yield* alerts.values();
  }
}
