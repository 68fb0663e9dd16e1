import { randomUUID } from 'node:crypto';
import { LEDGER_SOURCE } from '../../domain/facts/cloud-event.ts';
import { ALERT_RAISED, ALERT_RESOLVED, ALERT_UPDATED, NOTICES_STREAM } from '../../domain/stream-table.ts';
import { formatInstant, type Instant } from '../../domain/time.ts';
import type { EventStore, NewEvent, RecordedEvent } from '../../eventstore/event-store.ts';
import type { JsonObject } from '../../eventstore/json.ts';
import { VersionConflict } from '../../eventstore/store-errors.ts';
import type { Revision } from '../../util/log-numbers.ts';
import { Notice } from './notices.ts';

/** Minimum time between two notices that an alert has changed. */
const UPDATE_AFTER_MS = 3_600_000;
/** Maximum number of notices in one append. Further ones follow in the next step. */
const MAX_NOTICES = 200;

/** An alert that is not resolved. */
export interface CurrentAlert extends Notice {
  /** Whether somebody has acknowledged it. An acknowledged alert is silent until it is resolved. */
  readonly isAcknowledged: boolean;
  /** End of the last acknowledgement, if it ended: the alert is announced again. */
  readonly silentUntil?: Instant | undefined;
}

/** A notice to record: an event type and its data. */
export interface Change {
  readonly type: string;
  readonly notice: Notice;
}

interface Announced {
  readonly notice: Notice;
  readonly at: Instant;
}

/**
 * Records in the log when an alert is raised, when its words change, and when it is resolved. Each is recorded once, however
 * many processes run: the expected revision of the stream decides. The feed, webhooks and notification channels read it there.
 */
export class AlertAnnouncer {
  readonly #store: EventStore;
  readonly #now: () => Instant;
  readonly #announced = new Map<string, Announced>();
  #last: Revision = -1;

  /** @param now returns the time that events are stamped with. */
  constructor(store: EventStore, now: () => Instant) {
    this.#store = store;
    this.#now = now;
  }

  /** The alerts that were announced and are not resolved. */
  get open(): readonly Notice[] {
    return Array.from(this.#announced.values(), ({ notice }) => notice);
  }

  /** Returns the changes since what was announced. @throws StoreUnavailable */
  async changes(current: readonly CurrentAlert[]): Promise<Change[]> {
    await this.#refresh();
    const now = this.#now();
    const ids = new Set(current.map(({ alertId }) => alertId));
    const resolved = this.open
      .filter(({ alertId }) => !ids.has(alertId))
      .map((notice) => ({ type: ALERT_RESOLVED, notice: { ...notice, resolvedAt: formatInstant(now) } }));
    const raised = current.flatMap((alert) => this.#changeOf(alert, now) ?? []);
    return [...resolved, ...raised].slice(0, MAX_NOTICES);
  }

  /** Records changes. If another process has recorded some first, nothing is written. @throws StoreUnavailable, StoreFull, StoreFailed */
  async record(changes: readonly Change[]): Promise<void> {
    if (changes.length === 0) return;
    const recordedAt = this.#now();
    const events = changes.map(({ type, notice }): NewEvent => {
      const metadata = { source: LEDGER_SOURCE };
      return { id: randomUUID(), type, data: notice as JsonObject, metadata, recordedAt };
    });
    try {
      await this.#store.append(NOTICES_STREAM, events, this.#last === -1 ? 'absent' : this.#last);
    } catch (error) {
      if (!(error instanceof VersionConflict)) throw error;
    }
    await this.#refresh();
  }

  #changeOf(alert: CurrentAlert, now: Instant): Change | undefined {
    const { isAcknowledged, silentUntil, ...notice } = alert;
    const known = this.#announced.get(alert.alertId);
    if (isAcknowledged) return undefined;
    if (known === undefined || (silentUntil !== undefined && silentUntil > known.at))
      return { type: ALERT_RAISED, notice };
    const isChanged = known.notice.happened !== notice.happened || known.notice.severity !== notice.severity;
    return isChanged && now - known.at >= UPDATE_AFTER_MS ? { type: ALERT_UPDATED, notice } : undefined;
  }

  async #refresh(): Promise<void> {
    for await (const event of this.#store.readStream(NOTICES_STREAM, { from: this.#last + 1 })) {
      this.#apply(event);
      this.#last = event.revision;
    }
  }

  #apply({ type, data, recordedAt }: RecordedEvent): void {
    const notice = Notice.safeParse(data).data;
    if (notice === undefined) return;
    if (type === ALERT_RESOLVED) this.#announced.delete(notice.alertId);
    else this.#announced.set(notice.alertId, { notice, at: recordedAt });
  }
}
