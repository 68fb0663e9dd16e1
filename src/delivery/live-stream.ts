import type { FeedEventOut } from '../api/feed.ts';
import type { LogEvent } from '../eventstore/event-store.ts';
import type { Epoch } from '../projections/log-starts.ts';
import type { Position } from '../util/log-numbers.ts';
import { feedEventOf } from './feed-event.ts';
import type { LogTail } from './log-tail.ts';

/** How long new events are collected, so that many clients and many events need few writes. */
const COLLECT_MS = 50;
/** How often a client without new events gets a sign of life. */
const ALIVE_MS = 15_000;
/** Data that may wait for a client, but for one larger event. A client that reads more slowly is sent the next part once it has read this one. */
export const MAX_WAITING_BYTES = 256 * 1_024;
/** How long a client may read nothing before it is disconnected. It connects again and resumes. */
const STALLED_MS = 5_000;
/** Maximum number of events that a client is sent after its last one. A client further behind is asked to read everything again. */
export const MAX_BEHIND = 10_000;

/** The connection of a client. */
export interface LiveClient {
  /** Position of the last event that the client has. */
  readonly after: Position;
  /** Returns whether the client gets an event. */
  readonly isSelected: (event: FeedEventOut) => boolean;
  /** Number of bytes that wait to be sent. */
  readonly waitingBytes: () => number;
  readonly send: (text: Buffer) => void;
  /** Resolves once the client has read all data. @returns `false` after `timeoutMs`, or if the connection has ended. */
  readonly drained: (timeoutMs: number) => Promise<boolean>;
  /** Ends the connection. */
  readonly end: () => void;
}

interface Connection {
  readonly client: LiveClient;
  position: Position;
  isLive: boolean;
}

/**
 * Sends the events of the feed to connected clients as server-sent events (HTML Living Standard, section 9.2). The `id` of each
 * is its place in the feed, so that a client that reconnects with `Last-Event-ID` continues without a gap.
 */
export class LiveStream {
  readonly #tail: LogTail;
  readonly #epochs: () => readonly Epoch[];
  readonly #idOf: (position: Position) => string;
  readonly #connections = new Set<Connection>();
  #collecting: NodeJS.Timeout | undefined;
  readonly #alive: NodeJS.Timeout;
  readonly #stopListening: () => void;

  /** @param epochs returns the epochs of the log, in order. @param idOf returns the place in the feed of a position. */
  constructor(tail: LogTail, epochs: () => readonly Epoch[], idOf: (position: Position) => string) {
    this.#tail = tail;
    this.#epochs = epochs;
    this.#idOf = idOf;
    this.#stopListening = tail.onGrowth(() => {
      if (this.#connections.size > 0)
        this.#collecting ??= setTimeout(() => {
          this.#collecting = undefined;
          void this.#sendNew();
        }, COLLECT_MS);
    });
    this.#alive = setInterval(() => this.#sendToAll(Buffer.from(': alive\n\n')), ALIVE_MS);
    this.#alive.unref();
  }

  /** Number of connected clients. */
  get size(): number {
    return this.#connections.size;
  }

  /**
   * Sends a client what it has missed, and then every new event.
   * @returns a function to call when the connection has ended.
   */
  connect(client: LiveClient): () => void {
    const connection: Connection = { client, position: client.after, isLive: false };
    this.#connections.add(connection);
    const disconnect = () => void this.#connections.delete(connection);
    void this.#catchUp(connection);
    return disconnect;
  }

  /** Ends all connections. */
  close(): void {
    this.#stopListening();
    clearInterval(this.#alive);
    clearTimeout(this.#collecting);
    for (const { client } of this.#connections) client.end();
    this.#connections.clear();
  }

  /** Sends a client what it has missed, at the speed at which it reads. */
  async #catchUp(connection: Connection): Promise<void> {
    try {
      while (this.#connections.has(connection) && connection.position < this.#tail.head) {
        if (this.#tail.head - connection.position > MAX_BEHIND) this.#resync(connection);
        for await (const events of this.#tail.read(connection.position))
          for (const event of events) if (!(await this.#sendOne(connection, event))) return;
      }
    } catch {
      // The store could not be read. The client connects again and resumes.
      this.#drop(connection);
    }
    connection.isLive = true;
  }

  /** @returns whether the client is still connected. */
  async #sendOne(connection: Connection, event: LogEvent): Promise<boolean> {
    const { client } = connection;
    const sent = feedEventOf(event, this.#epochs());
    if (sent !== undefined && client.isSelected(sent)) client.send(this.#frameOf(sent, event.position));
    connection.position = event.position;
    if (client.waitingBytes() > MAX_WAITING_BYTES / 2 && !(await client.drained(STALLED_MS)))
      this.#drop(connection);
    return this.#connections.has(connection);
  }

  /** Asks a client that is too far behind to read everything again, and continues from the end of the log. */
  #resync(connection: Connection): void {
    connection.position = this.#tail.head;
    const id = this.#idOf(connection.position);
    const text = `id: ${id}\nevent: resync\ndata: {"position":"${connection.position}"}\n\n`;
    connection.client.send(Buffer.from(text));
  }

  async #sendNew(): Promise<void> {
    const live = [...this.#connections].filter(({ isLive }) => isLive);
    const after = Math.min(...live.map(({ position }) => position));
    if (!Number.isFinite(after)) return;
    try {
      for await (const events of this.#tail.read(after)) {
        const frames = events.flatMap((event) => {
          const sent = feedEventOf(event, this.#epochs());
          return sent === undefined
            ? []
            : [{ sent, position: event.position, text: this.#frameOf(sent, event.position) }];
        });
        const last = events.at(-1)?.position ?? after;
        const whole = Buffer.concat(frames.map(({ text }) => text));
        for (const connection of live) this.#sendFrames(connection, frames, whole, after, last);
      }
    } catch {
      // The store could not be read. The next growth of the log tries again.
    }
  }

  #sendFrames(
    connection: Connection,
    frames: readonly { readonly sent: FeedEventOut; readonly position: Position; readonly text: Buffer }[],
    whole: Buffer,
    after: Position,
    last: Position,
  ): void {
    const { client, position, isLive } = connection;
    if (!this.#connections.has(connection) || !isLive || position >= last) return;
    const chosen = frames.filter((frame) => frame.position > position && client.isSelected(frame.sent));
    // Most clients get the same text, which is then built and encoded once.
    const text =
      position === after && chosen.length === frames.length
        ? whole
        : Buffer.concat(chosen.map((frame) => frame.text));
    if (client.waitingBytes() + text.length > MAX_WAITING_BYTES) {
      connection.isLive = false;
      void this.#catchUp(connection);
      return;
    }
    connection.position = last;
    if (text.length > 0) client.send(text);
  }

  #sendToAll(text: Buffer): void {
    for (const { isLive, client } of this.#connections) if (isLive) client.send(text);
  }

  #drop(connection: Connection): void {
    if (this.#connections.delete(connection)) connection.client.end();
  }

  /** Returns the frame of an event as bytes: a text has fewer characters than bytes. */
  #frameOf(event: FeedEventOut, position: Position): Buffer {
    return Buffer.from(
      `id: ${this.#idOf(position)}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`,
    );
  }
}
