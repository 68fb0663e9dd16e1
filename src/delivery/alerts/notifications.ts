import type { Instant } from '../../domain/time.ts';
import type { EventStore, LogEvent } from '../../eventstore/event-store.ts';
import { StoreUnavailable } from '../../eventstore/store-errors.ts';
import type { Alert } from '../../projections/alerts/raised-alert.ts';
import type { Logger } from '../../util/logger.ts';
import { messageOf } from '../../util/message-of.ts';
import { Claim } from '../claim.ts';
import { ClaimedWork } from '../claimed-work.ts';
import { ConsumerGroup, type GroupStatus } from '../groups/consumer-group.ts';
import { GroupStateFile, GroupTaken } from '../groups/group-state.ts';
import type { LogTail } from '../log-tail.ts';
import { AlertAnnouncer, type Change } from './alert-announcer.ts';
import type { Channel } from './channels.ts';
import { isAtLeast, NOTICE_TYPES, Notice } from './notices.ts';

/** How often alerts are compared with what was announced if the log has grown, and if it has not: some are raised by time. */
const COMPARE_MS = 500;
const COMPARE_IDLE_MS = 5_000;
/** How often Alertmanager is sent the open alerts again: by default it forgets them after 5 minutes. */
const REPEAT_MS = 60_000;

export interface NotificationsOptions {
  readonly store: EventStore;
  readonly tail: LogTail;
  readonly channels: readonly Channel[];
  /** Whether nothing can be recorded, because acknowledged events are missing. This process then is the only one. */
  readonly isReadOnly: boolean;
  /** Returns the alerts that are not resolved. */
  readonly current: () => Iterable<Alert>;
  /** Returns an alert in words. */
  readonly describe: (alert: Alert) => Notice;
  /** Milliseconds since the epoch. */
  readonly now: () => Instant;
  /** Returns the time that events are stamped with. */
  readonly recordingTime: () => Instant;
  /** A clock that nobody can set, in milliseconds. */
  readonly monotonic: () => number;
  readonly log: Logger;
}

/**
 * Announces alerts in the log, and sends the announcements to the notification channels, one consumer group each. One process
 * does this at a time.
 */
export class Notifications {
  readonly #options: NotificationsOptions;
  readonly #announcer: AlertAnnouncer;
  readonly #work: ClaimedWork;
  readonly #groups = new Map<string, { readonly group: ConsumerGroup; readonly ended: Promise<void> }>();
  /** Channels whose group has failed in this process. */
  readonly #failed = new Set<string>();
  #stop = new AbortController();
  #comparedHead = -1;
  #comparedAt = Number.NEGATIVE_INFINITY;
  #repeatedAt = Number.NEGATIVE_INFINITY;
  /** Changes that a channel has taken directly, because nothing can be recorded. The others are tried again. */
  readonly #direct = new Set<string>();

  constructor(options: NotificationsOptions) {
    this.#options = options;
    const { store, tail, isReadOnly, describe, now, recordingTime, monotonic, log } = options;
    this.#announcer = new AlertAnnouncer(store, recordingTime, describe);
    this.#work = new ClaimedWork({
      name: 'notifications',
      claim: isReadOnly ? undefined : new Claim(store, 'notifications', { now, monotonic }),
      tail,
      everyMs: COMPARE_MS,
      isNeeded: async () => true,
      work: () => this.#step(),
      end: () => this.#end(),
      log,
    });
  }

  start(): void {
    this.#work.start();
  }

  stop(): Promise<void> {
    return this.#work.stop();
  }

  /** Returns where each channel stands, for channels that this process sends to. */
  statuses(): { readonly channel: string; readonly status: GroupStatus }[] {
    return Array.from(this.#groups, ([channel, { group }]) => ({ channel, status: group.status }));
  }

  async #step(): Promise<void> {
    const { channels, isReadOnly } = this.#options;
    if (!isReadOnly)
      for (const channel of channels) if (!this.#groups.has(channel.name)) this.#startGroup(channel);
    // The place where a channel begins must be stored before the first alert that it is to get. If that fails, alerts are sent directly.
    for (const [name, { group }] of this.#groups) if (!group.isRestored && !this.#failed.has(name)) return;
    const { head } = this.#options.tail;
    if (head !== this.#comparedHead || this.#options.monotonic() - this.#comparedAt >= COMPARE_IDLE_MS) {
      this.#comparedHead = head;
      this.#comparedAt = this.#options.monotonic();
      await this.#announce();
    }
    if (this.#options.monotonic() - this.#repeatedAt >= REPEAT_MS) {
      this.#repeatedAt = this.#options.monotonic();
      await Promise.all(channels.map((channel) => this.#repeat(channel)));
    }
  }

  async #announce(): Promise<void> {
    const changes = await this.#announcer.changes(this.#options.current());
    try {
      await this.#announcer.record(changes);
      this.#direct.clear();
    } catch (error) {
      if (error instanceof StoreUnavailable) throw error;
      // A log that was tampered with, or a full disk, takes no events. Just then somebody must know.
      this.#options.log.warn({ why: messageOf(error) }, 'nothing can be recorded; alerts are sent directly');
      await this.#sendDirectly(changes);
    }
  }

  async #sendDirectly(changes: readonly Change[]): Promise<void> {
    for (const change of changes) {
      const key = `${change.type} ${change.notice.alertId}`;
      const chosen = this.#options.channels.filter(
        (channel) => isFor(channel, change.notice) && !this.#direct.has(`${channel.name} ${key}`),
      );
      await Promise.all(
        chosen.map(async (channel) => {
          const { outcome } = await channel.send(change, this.#stop.signal);
          if (outcome === 'ack') this.#direct.add(`${channel.name} ${key}`);
        }),
      );
    }
  }

  async #repeat(channel: Channel): Promise<void> {
    const open = this.#announcer.open.filter((notice) => isFor(channel, notice));
    if (open.length === 0) return;
    const handled = await channel.repeat?.(open, this.#stop.signal);
    if (handled !== undefined && handled.outcome !== 'ack')
      this.#options.log.warn(
        { channel: channel.name, reason: handled.reason },
        'open alerts could not be sent again',
      );
  }

  #startGroup(channel: Channel): void {
    const { store, tail, now, log } = this.#options;
    const { name } = channel;
    const { signal } = this.#stop;
    const group = new ConsumerGroup({
      tail,
      state: new GroupStateFile(store, `notify-${name}`),
      from: tail.head,
      select: (event) => {
        const notice = noticeOf(event);
        if (notice === undefined || !isFor(channel, notice)) return undefined;
        return { key: notice.alertId, type: event.type, subject: notice.alertId };
      },
      handle: async (event, abort) => {
        const notice = noticeOf(event);
        if (notice === undefined) return { outcome: 'ack' };
        const handled = await channel.send({ type: event.type, notice }, abort);
        // A channel is a setting, so nobody can enable it again: it is tried for as long as it is set.
        return handled.outcome === 'stop' ? { ...handled, outcome: 'retry' } : handled;
      },
      onStopped: async () => undefined,
      giveUpAfterMs: Number.POSITIVE_INFINITY,
      now,
      log,
    });
    const ended = group
      .run(signal)
      .catch((err: unknown) => {
        this.#failed.add(name);
        if (!(err instanceof GroupTaken)) log.error({ channel: name, err }, 'notifications are not sent');
      })
      .finally(() => this.#groups.delete(name));
    this.#groups.set(name, { group, ended });
  }

  async #end(): Promise<void> {
    this.#stop.abort();
    await Promise.all(Array.from(this.#groups.values(), ({ ended }) => ended));
    this.#stop = new AbortController();
  }
}

function noticeOf({ type, data }: LogEvent): Notice | undefined {
  return NOTICE_TYPES.includes(type) ? Notice.safeParse(data).data : undefined;
}

function isFor({ minSeverity }: Channel, { severity }: Notice): boolean {
  return isAtLeast(severity, minSeverity);
}
