import { randomUUID } from 'node:crypto';
import { LEDGER_SOURCE } from '../../domain/facts/cloud-event.ts';
import { ALERT_RAISED, ALERT_RESOLVED, ALERT_UPDATED, NOTICES_STREAM } from '../../domain/stream-table.ts';
import { formatInstant, type Instant } from '../../domain/time.ts';
import type { EventStore, NewEvent, RecordedEvent } from '../../eventstore/event-store.ts';
import type { JsonObject } from '../../eventstore/json.ts';
import { VersionConflict } from '../../eventstore/store-errors.ts';
import { AlertMap } from '../../projections/alerts/alert-map.ts';
import { type Alert, LIVE_KINDS, latestRaisedFirst } from '../../projections/alerts/raised-alert.ts';
import { EventLoopYielder } from '../../util/event-loop-yielder.ts';
import type { Revision } from '../../util/log-numbers.ts';
import { Notice } from './notices.ts';

/** Minimum time between two notices that an alert has changed. */
const UPDATE_AFTER_MS = 3_600_000;
/**
 * Time after which a process knows whether a live alert that another process announced, or this one before a restart, lasts. An
 * unreadable source is one only after 12 minutes.
 */
const SETTLED_AFTER_MS = 15 * 60_000;
const LIVE: ReadonlySet<string> = new Set(LIVE_KINDS);
/** Maximum number of notices in one append. Further ones follow in the next step. */
const MAX_NOTICES = 200;

/** A notice to record: an event type and its data. */
export interface Change {
  readonly type: string;
  readonly notice: Notice;
}

interface Announced {
  readonly notice: Notice;
  readonly at: Instant;
  /** The alert that was last found to be as it was announced. */
  sameAs?: Alert;
  /** Number of the comparison in which the alert was last among those that are not resolved. */
  seenIn?: number;
}

/** An alert that is to be announced, and its words if they were needed to find that out. */
interface Due {
  readonly type: typeof ALERT_RAISED | typeof ALERT_UPDATED;
  readonly alert: Alert;
  readonly notice?: Notice;
}

/**
 * Records in the log when an alert is raised, when its words change, and when it is resolved. Each is recorded once, however
 * many processes run: the expected revision of the stream decides. The feed, webhooks and notification channels read it there.
 */
export class AlertAnnouncer {
  readonly #store: EventStore;
  readonly #now: () => Instant;
  readonly #describe: (alert: Alert) => Notice;
  readonly #announced = new AlertMap<Announced>();
  #comparisons = 0;
  /** Ids of the live alerts that this process has had. */
  readonly #had = new Set<string>();
  #beganAt: Instant | undefined;
  #last: Revision = -1;

  /** @param now returns the time that events are stamped with. @param describe returns an alert in words. */
  constructor(store: EventStore, now: () => Instant, describe: (alert: Alert) => Notice) {
    this.#store = store;
    this.#now = now;
    this.#describe = describe;
  }

  /** The alerts that were announced and are not resolved. */
  get open(): readonly Notice[] {
    return this.#announced.values.map(({ notice }) => notice);
  }

  /**
   * Returns the changes since what was announced: first the resolved alerts, then the latest raised ones. Only what may be
   * announced is put into words: all words of 20,000 open alerts take 60 ms, and this is called twice a second.
   * @param current the alerts that are not resolved. They may change meanwhile.
   * @throws StoreUnavailable
   */
  async changes(current: Iterable<Alert>): Promise<Change[]> {
    await this.#refresh();
    const now = this.#now();
    this.#beganAt ??= now;
    const isSettled = now - this.#beganAt >= SETTLED_AFTER_MS;
    const comparison = ++this.#comparisons;
    const due = new Map<string, Due>();
    const yielder = new EventLoopYielder();
    for (const alert of current) {
      const known = this.#announced.get(alert);
      if (known !== undefined) known.seenIn = comparison;
      if (LIVE.has(alert.kind)) this.#had.add(alert.id);
      const isDue = this.#dueOf(alert, known, now);
      if (isDue !== undefined) due.set(alert.id, isDue);
      if (yielder.isDue) await yielder.yield();
    }
    const resolved: Change[] = [];
    for (const { notice, seenIn } of this.#announced.values)
      if (seenIn !== comparison && (isSettled || !LIVE.has(notice.kind) || this.#had.has(notice.alertId)))
        resolved.push({ type: ALERT_RESOLVED, notice: { ...notice, resolvedAt: formatInstant(now) } });
    const raised = [...due.values()]
      .sort((a, b) => latestRaisedFirst(a.alert, b.alert))
      .slice(0, MAX_NOTICES)
      .map(({ type, alert, notice = this.#describe(alert) }) => ({ type, notice }));
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

  /** Returns whether an alert is to be announced. One that somebody has acknowledged is silent until it is resolved. */
  #dueOf(alert: Alert, known: Announced | undefined, now: Instant): Due | undefined {
    if (alert.acknowledged !== undefined) return undefined;
    const { silentUntil } = alert;
    if (known === undefined || (silentUntil !== undefined && silentUntil > known.at))
      return { type: ALERT_RAISED, alert };
    if (known.sameAs === alert || now - known.at < UPDATE_AFTER_MS) return undefined;
    const notice = this.#describe(alert);
    const isChanged = known.notice.happened !== notice.happened || known.notice.severity !== notice.severity;
    if (isChanged) return { type: ALERT_UPDATED, alert, notice };
    known.sameAs = alert;
    return undefined;
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
    if (type === ALERT_RESOLVED) {
      this.#announced.delete(notice);
      this.#had.delete(notice.alertId);
    } else this.#announced.set(notice, { notice, at: recordedAt });
  }
}
