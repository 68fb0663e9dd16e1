import type { Instant } from '../../domain/time.ts';
import type { Position } from '../../util/log-numbers.ts';

/** An event of the log that a consumer group has read and its consumer has not acknowledged. */
export interface Message {
  readonly position: Position;
  /** Messages with the same key are handed out in order, one at a time: the id of the cluster, for a fact. */
  readonly key: string;
  /** Number of failed attempts that count against the message. */
  attempts: number;
  /** Time of the next attempt. */
  dueAt: Instant;
  /** Time of the first failed attempt; `undefined` before. */
  failedAt?: Instant;
}

/**
 * Messages that wait to be handled. Per key, only the oldest message is handed out, and the next one only after it has been
 * removed. A message that is retried thus delays the messages of its key only.
 */
export class MessageQueue {
  /** The messages of each key, oldest first. */
  readonly #lanes = new Map<string, Message[]>();
  /** The oldest message of each key, unless it is being handled, by due time and then position. */
  readonly #heads: Message[] = [];
  /** Keys whose oldest message has failed. */
  readonly #failing = new Set<string>();
  #size = 0;
  /** Number of messages of failing keys. */
  #held = 0;

  /** Number of messages, with those that are being handled. */
  get size(): number {
    return this.#size;
  }

  /** Number of messages that wait for no other one that has failed. */
  get flowing(): number {
    return this.#size - this.#held;
  }

  /** Time at which the next message is due; `undefined` if no message waits. */
  get nextDueAt(): Instant | undefined {
    return this.#heads[0]?.dueAt;
  }

  find(position: Position): Message | undefined {
    return this.all().find((message) => message.position === position);
  }

  /** All messages, by key and in order. */
  all(): readonly Message[] {
    return [...this.#lanes.values()].flat();
  }

  /** Adds a message behind those of its key. */
  add(message: Message): void {
    const lane = this.#lanes.get(message.key);
    this.#size += 1;
    if (lane === undefined) {
      this.#lanes.set(message.key, [message]);
      this.#noteFailure(message);
      this.#wait(message);
    } else {
      lane.push(message);
      if (this.#failing.has(message.key)) this.#held += 1;
    }
  }

  /**
   * Takes the message that is due first out of the waiting ones. It must be passed to `remove` or `putBack` afterwards.
   * @param now messages that are due later are left; `Infinity` takes any.
   */
  take(now: Instant): Message | undefined {
    const [head] = this.#heads;
    return head !== undefined && head.dueAt <= now ? this.#heads.shift() : undefined;
  }

  /** Lets a message that was taken wait until its `dueAt`. */
  putBack(message: Message): void {
    this.#noteFailure(message);
    this.#wait(message);
  }

  /** Removes a message that was taken. The next one of its key may then be taken. */
  remove(message: Message): void {
    const lane = this.#lanes.get(message.key);
    if (lane?.[0] !== message) throw new RangeError(`message ${message.position} was not taken`);
    if (this.#failing.delete(message.key)) this.#held -= lane.length;
    lane.shift();
    this.#size -= 1;
    const [next] = lane;
    if (next === undefined) this.#lanes.delete(message.key);
    else {
      this.#noteFailure(next);
      this.#wait(next);
    }
  }

  /** If the oldest message of a key has failed, all messages of the key are held. */
  #noteFailure({ key, failedAt }: Message): void {
    if (failedAt === undefined || this.#failing.has(key)) return;
    this.#failing.add(key);
    this.#held += this.#lanes.get(key)?.length ?? 0;
  }

  /** Makes every waiting message that `isChosen` accepts due at `dueAt`. */
  makeDue(dueAt: Instant, isChosen: (message: Message) => boolean): void {
    const waiting = this.#heads.splice(0);
    for (const message of waiting) {
      if (isChosen(message)) message.dueAt = dueAt;
      this.#wait(message);
    }
  }

  #wait(message: Message): void {
    let [low, high] = [0, this.#heads.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isBefore(this.#heads[middle] as Message, message)) low = middle + 1;
      else high = middle;
    }
    this.#heads.splice(low, 0, message);
  }
}

function isBefore(a: Message, b: Message): boolean {
  return a.dueAt < b.dueAt || (a.dueAt === b.dueAt && a.position < b.position);
}
