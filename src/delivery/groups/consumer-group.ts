import type { Instant } from '../../domain/time.ts';
import type { LogEvent } from '../../eventstore/event-store.ts';
import { StoreUnavailable } from '../../eventstore/store-errors.ts';
import { BoundedMap } from '../../util/bounded-map.ts';
import type { Position, Revision } from '../../util/log-numbers.ts';
import type { Logger } from '../../util/logger.ts';
import { messageOf } from '../../util/message-of.ts';
import { waitUntil } from '../delivery-clock.ts';
import type { LogTail } from '../log-tail.ts';
import type {
  DeliveryAttempt,
  GroupState,
  GroupStateFile,
  ParkedMessage,
  TriedMessage,
} from './group-state.ts';
import { type Message, MessageQueue } from './message-queue.ts';
import { ReceiverHealth } from './receiver-health.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** Pauses between the attempts for one message. After the last attempt the message is parked. */
export const RETRY_PAUSES_MS: readonly number[] = [
  5 * SECOND,
  5 * MINUTE,
  30 * MINUTE,
  2 * HOUR,
  5 * HOUR,
  10 * HOUR,
  10 * HOUR,
];

/** How much a pause is made longer or shorter at random, as a fraction, so that retries do not come all at once. */
const JITTER = 0.2;
/** Minimum time between two writes of the state. After a crash, what was acknowledged since the last one is repeated. */
const SAVE_AFTER_MS = 1_000;
const ATTEMPTS_KEPT = 50;
/**
 * Number of events that a group reads ahead. They stay in memory until they are delivered: the store takes long to find a single
 * event again.
 */
const EVENTS_IN_MEMORY = 1_024;
const STORE_PAUSE_MS = 500;

/** An attempt that failed. */
interface Retry {
  readonly outcome: 'retry';
  readonly reason: string;
  readonly status?: number;
  /** How long the receiver asks to wait before any attempt. */
  readonly pauseMs?: number;
}

/** Result of one attempt to handle a message. */
export type Handled =
  | { readonly outcome: 'ack'; readonly status?: number }
  | Retry
  | { readonly outcome: 'park'; readonly reason: string; readonly status?: number }
  /** The consumer takes nothing any more. The message stays outstanding. */
  | { readonly outcome: 'stop'; readonly reason: string; readonly status?: number };

/** The part of an event that a group needs to order and to show it. */
export interface Selected {
  readonly key: string;
  readonly type: string;
  readonly subject: string;
}

/** A request to a group. */
export type GroupCommand =
  /** Tries all outstanding messages at once. */
  | { readonly kind: 'retry-now' }
  | { readonly kind: 'replay-parked' }
  | { readonly kind: 'redeliver'; readonly position: Position };

export interface GroupOptions {
  readonly tail: LogTail;
  readonly state: GroupStateFile;
  /** Position after which a group without a stored state begins. */
  readonly from: Position;
  /** Returns how an event is ordered; `undefined` if the group leaves it out. */
  readonly select: (event: LogEvent) => Selected | undefined;
  /** Handles one event. Must not throw. */
  readonly handle: (event: LogEvent, signal: AbortSignal) => Promise<Handled>;
  /** Called when the consumer takes nothing any more, or has failed for `giveUpAfterMs`. */
  readonly onStopped: (reason: string) => Promise<void>;
  /** Called when a message is parked. Without it, no message is: it is tried again and again, since nobody could ask for it. */
  readonly onParked?: (position: Position, reason: string) => void;
  /** How long a receiver may fail without a success before the group stops. */
  readonly giveUpAfterMs: number;
  /** Maximum number of messages outstanding and parked. The group stops reading beyond it, and loses nothing. */
  readonly maxOutstanding?: number;
  /** Maximum number of messages that are handled at once. */
  readonly concurrency?: number;
  readonly now: () => Instant;
  /** Returns a number from 0 to 1, for jitter. */
  readonly random?: () => number;
  readonly log: Pick<Logger, 'info' | 'warn'>;
}

/** Figures of a group, for people. */
export interface GroupStatus {
  readonly checkpoint: Position;
  readonly outstanding: number;
  readonly parked: readonly ParkedMessage[];
  readonly failingSince?: Instant | undefined;
  readonly lastSuccessAt?: Instant | undefined;
  readonly attempts: readonly DeliveryAttempt[];
}

/**
 * A named, durable cursor over the log with redelivery. Every event that the group selects is handled at least once. Events
 * with the same key are handled in order; a message that fails delays its key only. A message that was tried too often is
 * parked, and never dropped. What is outstanding is bounded: beyond that the group stops reading the log. It reads no more ahead
 * than it can keep in memory, apart from the messages of keys that fail.
 *
 * The state is stored at most once a second. A crash repeats at most what was acknowledged since.
 */
export class ConsumerGroup {
  readonly #options: GroupOptions;
  readonly #queue = new MessageQueue();
  readonly #parked = new Map<Position, ParkedMessage>();
  readonly #events = new BoundedMap<Position, LogEvent>(EVENTS_IN_MEMORY);
  readonly #attempts: DeliveryAttempt[] = [];
  #health = new ReceiverHealth();
  #checkpoint: Position = 0;
  #commandsThrough: Revision = -1;
  readonly #commands = new Map<Revision, GroupCommand>();
  #inFlight = 0;
  #isChanged = false;
  /** Whether the group has said that it reads no further. */
  #isFull = false;
  #isRestored = false;
  #savedAt = 0;
  #stopReason: string | undefined;
  #wake = new AbortController();

  constructor(options: GroupOptions) {
    this.#options = options;
  }

  get status(): GroupStatus {
    const { failingSince, lastSuccessAt } = this.#health;
    return {
      checkpoint: this.#checkpoint,
      outstanding: this.#queue.size,
      parked: [...this.#parked.values()],
      failingSince,
      lastSuccessAt,
      attempts: this.#attempts,
    };
  }

  /** Whether the group has read its stored state, or stored where it begins, so that its figures are right. */
  get isRestored(): boolean {
    return this.#isRestored;
  }

  /**
   * Reads the log and hands out messages until `signal` is aborted or the consumer takes nothing any more. Waits for attempts
   * in progress, and stores the state.
   * @throws GroupTaken if another process has taken over. @throws StoreFull, StoreFailed
   */
  async run(signal: AbortSignal): Promise<void> {
    const wake = () => this.#wakeUp();
    const stopListening = this.#options.tail.onGrowth(wake);
    signal.addEventListener('abort', wake);
    try {
      await this.#restore(signal);
      while (!signal.aborted && this.#stopReason === undefined) {
        this.#wake = new AbortController();
        await this.#whenReachable(() => this.#carryOutCommands(), signal);
        const hasMore = await this.#whenReachable(() => this.#read(), signal);
        this.#handOut(signal);
        await this.#whenReachable(() => this.#saveIfDue(), signal);
        if (hasMore !== true) await waitUntil(this.#nextEventAt(), this.#options.now, this.#wake.signal);
      }
      while (this.#inFlight > 0) {
        this.#wake = new AbortController();
        await waitUntil(Number.POSITIVE_INFINITY, this.#options.now, this.#wake.signal);
      }
      // A state that was restored in part must not replace the whole one.
      if (this.#isRestored && this.#isChanged) await this.#save();
    } finally {
      stopListening();
      signal.removeEventListener('abort', wake);
    }
    if (this.#stopReason !== undefined) await this.#options.onStopped(this.#stopReason);
  }

  /** Lets the group carry out a command, unless it has done so before, also before a restart. */
  command(command: GroupCommand, revision: Revision): void {
    if (revision <= this.#commandsThrough || this.#commands.has(revision)) return;
    this.#commands.set(revision, command);
    this.#wakeUp();
  }

  async #carryOutCommands(): Promise<void> {
    for (const [revision, command] of this.#commands) {
      if (revision > this.#commandsThrough) await this.#carryOut(command);
      this.#commands.delete(revision);
      this.#commandsThrough = Math.max(this.#commandsThrough, revision);
      this.#isChanged = true;
    }
  }

  async #carryOut(command: GroupCommand): Promise<void> {
    if (command.kind === 'retry-now') this.#queue.makeDue(this.#options.now(), () => true);
    else if (command.kind === 'redeliver') await this.#addAgain([command.position]);
    else await this.#addAgain([...this.#parked.keys()]);
    this.#health.reset();
  }

  async #addAgain(positions: readonly Position[]): Promise<void> {
    const now = this.#options.now();
    for (const position of positions) {
      const event = await this.#eventAt(position);
      const selected = event === undefined ? undefined : this.#options.select(event);
      if (selected === undefined) continue;
      const waiting = this.#queue.find(position);
      if (waiting === undefined) this.#add(position, selected.key);
      else this.#queue.makeDue(now, (message) => message === waiting);
      this.#parked.delete(position);
    }
  }

  async #restore(signal: AbortSignal): Promise<void> {
    const { state, from } = this.#options;
    const stored = await this.#whenReachable(() => state.read(), signal);
    this.#checkpoint = stored?.checkpoint ?? from;
    if (stored === undefined) {
      // A restart must not begin later.
      await this.#whenReachable(() => this.#save(), signal);
      this.#isRestored = !signal.aborted;
      return;
    }
    this.#commandsThrough = stored.commandsThrough;
    this.#health = new ReceiverHealth(stored);
    this.#attempts.push(...stored.attempts);
    for (const parked of stored.parked) this.#parked.set(parked.position, parked);
    const tried = stored.tried.map((message) => [message.position, message] as const);
    const outstanding = new Map<Position, TriedMessage | undefined>([
      ...stored.waiting.map((position) => [position, undefined] as const),
      ...tried,
    ]);
    await this.#whenReachable(() => this.#restoreMessages(outstanding, signal), signal);
    this.#isRestored = outstanding.size === 0;
  }

  /**
   * Reads outstanding messages again in order of the log, because the order within a key depends on it.
   * @param outstanding loses each message that is read, so that a retry continues.
   */
  async #restoreMessages(
    outstanding: Map<Position, TriedMessage | undefined>,
    signal: AbortSignal,
  ): Promise<void> {
    while (outstanding.size > 0 && !signal.aborted) {
      for await (const events of this.#options.tail.read(Math.min(...outstanding.keys()) - 1)) {
        for (const event of events.filter(({ position }) => outstanding.has(position))) {
          const selected = this.#options.select(event);
          if (selected !== undefined) {
            if (this.#events.size < EVENTS_IN_MEMORY) this.#events.set(event.position, event);
            this.#add(event.position, selected.key, outstanding.get(event.position));
          }
          outstanding.delete(event.position);
        }
        if (outstanding.size === 0) return;
      }
      // The projections have not read that far yet.
      this.#wake = new AbortController();
      await waitUntil(Number.POSITIVE_INFINITY, this.#options.now, this.#wake.signal);
    }
  }

  /** Reads one batch of the log, if less than half of what may be read ahead is left. @returns whether more can be read now. */
  async #read(): Promise<boolean> {
    const { tail, select, maxOutstanding = 10_000 } = this.#options;
    if (this.#queue.flowing > EVENTS_IN_MEMORY / 2) return false;
    for await (const events of tail.read(this.#checkpoint)) {
      for (const event of events) {
        const held = this.#queue.size + this.#parked.size;
        if (held >= maxOutstanding) {
          this.#sayFull(maxOutstanding);
          return false;
        }
        if (held < maxOutstanding / 2) this.#isFull = false;
        if (this.#queue.flowing >= EVENTS_IN_MEMORY) return false;
        const selected = select(event);
        if (selected !== undefined) {
          this.#events.set(event.position, event);
          this.#add(event.position, selected.key);
        }
        this.#checkpoint = event.position;
        this.#isChanged = true;
      }
      return tail.head > this.#checkpoint;
    }
    return false;
  }

  /** Says that the group reads no further until messages are handled: once, until half of them are. */
  #sayFull(maxOutstanding: number): void {
    if (this.#isFull) return;
    this.#isFull = true;
    const parked = this.#parked.size;
    const message = `${maxOutstanding} messages are outstanding or parked; the next ones are read once some are handled, and none is lost`;
    this.#options.log.warn({ checkpoint: this.#checkpoint, parked }, message);
  }

  #add(position: Position, key: string, tried?: TriedMessage): void {
    this.#queue.add({ attempts: 0, dueAt: 0, ...tried, position, key });
    this.#isChanged = true;
  }

  #handOut(signal: AbortSignal): void {
    const { now, concurrency = 10 } = this.#options;
    while (!signal.aborted && this.#stopReason === undefined && this.#inFlight < concurrency) {
      if (this.#health.nextAttemptAt > now()) return;
      if (this.#health.isDown && this.#inFlight > 0) return;
      const message = this.#queue.take(this.#health.isDown ? Number.POSITIVE_INFINITY : now());
      if (message === undefined) return;
      this.#inFlight += 1;
      void this.#attempt(message, signal).finally(() => {
        this.#inFlight -= 1;
        this.#wakeUp();
      });
    }
  }

  async #attempt(message: Message, signal: AbortSignal): Promise<void> {
    const { now, handle } = this.#options;
    const startedAt = now();
    const began = performance.now();
    let event: LogEvent | undefined;
    let handled: Handled;
    try {
      event = await this.#eventAt(message.position);
      if (event === undefined) throw new Error(`the log has no event at position ${message.position}`);
      handled = await handle(event, signal);
    } catch (error) {
      // The store could not be read. The receiver was not asked.
      message.dueAt = now() + STORE_PAUSE_MS;
      this.#queue.putBack(message);
      this.#options.log.warn({ err: error, position: message.position }, 'a message could not be read');
      return;
    }
    if (handled.outcome === 'retry' && signal.aborted) {
      // The attempt was cut short by the shutdown. It is repeated after the start.
      this.#queue.putBack(message);
      return;
    }
    this.#isChanged = true;
    this.#settle(message, handled, startedAt);
    this.#remember(event, handled, startedAt, performance.now() - began);
  }

  #settle(message: Message, handled: Handled, startedAt: Instant): void {
    const now = this.#options.now();
    if (handled.outcome === 'ack') {
      this.#queue.remove(message);
      this.#events.delete(message.position);
      const since = this.#health.failingSince;
      if (this.#health.succeeded(now) && since !== undefined) this.#forgiveSince(since, now);
      return;
    }
    if (handled.outcome === 'park') {
      this.#park(message, handled.reason);
      return;
    }
    message.failedAt ??= now;
    if (handled.outcome === 'stop') {
      this.#queue.putBack(message);
      this.#stop(handled.reason);
      return;
    }
    this.#health.failed(now, startedAt, handled.pauseMs);
    this.#retryLater(message, now, handled);
    const { failingSince = now } = this.#health;
    if (now - failingSince >= this.#options.giveUpAfterMs) this.#stop(handled.reason);
  }

  #retryLater(message: Message, now: Instant, { reason, pauseMs: askedMs = 0 }: Retry): void {
    const { lastSuccessAt = Number.NEGATIVE_INFINITY } = this.#health;
    const pauseMs = RETRY_PAUSES_MS[message.attempts];
    // A message is parked only if the receiver took others meanwhile. If it took nothing, the receiver is the problem.
    const { onParked } = this.#options;
    if (pauseMs === undefined && onParked !== undefined && lastSuccessAt >= (message.failedAt ?? now)) {
      this.#park(message, reason);
      return;
    }
    message.attempts += 1;
    // The pause that a receiver asks for lasts through a restart.
    message.dueAt = now + Math.max(askedMs, this.#jittered(pauseMs ?? (RETRY_PAUSES_MS.at(-1) as number)));
    this.#queue.putBack(message);
  }

  /** The receiver is back: the messages that failed while it was down are tried at once, as if for the first time. */
  #forgiveSince(since: Instant, now: Instant): void {
    this.#queue.makeDue(now, (message) => {
      const failedMeanwhile = message.failedAt !== undefined && message.failedAt >= since;
      if (failedMeanwhile) message.attempts = 0;
      return failedMeanwhile;
    });
  }

  #park(message: Message, reason: string): void {
    const { now, onParked } = this.#options;
    const { position, attempts } = message;
    this.#queue.remove(message);
    this.#parked.set(position, { position, attempts: attempts + 1, parkedAt: now(), error: reason });
    onParked?.(position, reason);
  }

  #stop(reason: string): void {
    this.#stopReason ??= reason;
    this.#health.reset();
  }

  #jittered(ms: number): number {
    const { random = Math.random } = this.#options;
    return Math.round(ms * (1 + JITTER * (2 * random() - 1)));
  }

  #remember(event: LogEvent, handled: Handled, at: Instant, durationMs: number): void {
    const { type = event.type, subject = event.stream } = this.#options.select(event) ?? {};
    const isParked = this.#parked.has(event.position);
    this.#attempts.push({
      position: event.position,
      eventId: event.id,
      type,
      subject,
      at,
      durationMs: Math.round(durationMs),
      outcome: handled.outcome === 'ack' ? 'delivered' : isParked ? 'parked' : 'failed',
      ...(handled.status !== undefined && { status: handled.status }),
      ...(handled.outcome !== 'ack' && { error: handled.reason }),
    });
    if (this.#attempts.length > ATTEMPTS_KEPT) this.#attempts.shift();
  }

  async #eventAt(position: Position): Promise<LogEvent | undefined> {
    return this.#events.get(position) ?? (await this.#options.tail.eventAt(position));
  }

  async #saveIfDue(): Promise<void> {
    if (this.#isChanged && performance.now() - this.#savedAt >= SAVE_AFTER_MS) await this.#save();
  }

  async #save(): Promise<void> {
    const { state, now } = this.#options;
    this.#savedAt = performance.now();
    this.#isChanged = false;
    try {
      await state.write(this.#snapshot(), now());
    } catch (error) {
      this.#isChanged = true;
      throw error;
    }
  }

  #snapshot(): GroupState {
    const { failingSince, lastSuccessAt } = this.#health;
    const messages = this.#queue.all();
    const isTried = ({ failedAt }: Message) => failedAt !== undefined;
    return {
      checkpoint: this.#checkpoint,
      waiting: messages.filter((message) => !isTried(message)).map(({ position }) => position),
      tried: messages.filter(isTried).map(({ position, attempts, dueAt, failedAt = 0 }) => ({
        position,
        attempts,
        dueAt,
        failedAt,
      })),
      parked: [...this.#parked.values()],
      ...(failingSince !== undefined && { failingSince }),
      ...(lastSuccessAt !== undefined && { lastSuccessAt }),
      commandsThrough: this.#commandsThrough,
      attempts: this.#attempts,
    };
  }

  /** Returns when the loop has something to do although nothing wakes it. */
  #nextEventAt(): Instant {
    const { nextDueAt } = this.#queue;
    const { isDown, nextAttemptAt } = this.#health;
    const { concurrency = 10 } = this.#options;
    if (nextDueAt === undefined || this.#inFlight >= (isDown ? 1 : concurrency))
      return Number.POSITIVE_INFINITY;
    return isDown ? nextAttemptAt : Math.max(nextDueAt, nextAttemptAt);
  }

  #wakeUp(): void {
    this.#wake.abort();
  }

  /** Repeats an attempt until the store can be reached. @returns `undefined` if the group is stopping. */
  async #whenReachable<T>(attempt: () => Promise<T>, signal: AbortSignal): Promise<T | undefined> {
    while (!signal.aborted) {
      try {
        return await attempt();
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) throw error;
        this.#options.log.info({ why: messageOf(error) }, 'deliveries wait for the store');
        await waitUntil(Number.POSITIVE_INFINITY, this.#options.now, signal);
      }
    }
    return undefined;
  }
}
