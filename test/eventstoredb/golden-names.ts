import { randomUUID } from 'node:crypto';
import {
  binaryEvent,
  type EventData,
  jsonEvent,
  type Position,
  type RecordedEvent,
} from '@eventstore/db-client';
import type { GoldenEvent } from './golden-case.ts';

/** An event that was read, as the cases show it. */
export interface SeenEvent {
  readonly id: string;
  readonly rev: number;
  readonly body: unknown;
}

const EVENT_TYPE = 'golden';

/**
 * The names of one attempt at one case. A case calls its streams and events `s` and `a`; on the server each attempt has
 * its own, so that cases do not meet, neither each other nor what else the server holds.
 */
export class AttemptNames {
  readonly #prefix = `golden-${randomUUID()}-`;
  readonly #ids = new Map<string, string>();
  readonly #symbols = new Map<string, string>();
  readonly #positions = new Map<string, Position>();

  /** Of a prefix of streams as of a stream. */
  stream(name: string): string {
    return `${this.#prefix}${name}`;
  }

  isOurs({ streamId }: RecordedEvent): boolean {
    return streamId.startsWith(this.#prefix);
  }

  event(event: GoldenEvent): EventData {
    const {
      id: symbol,
      body = symbol,
      bytes,
      metaBytes,
    } = typeof event === 'string' ? { id: event } : { ...event };
    const id = this.#id(symbol);
    if (bytes === undefined) return jsonEvent({ id, type: EVENT_TYPE, data: { body } });
    const data = new Uint8Array(bytes);
    if (metaBytes === undefined) return binaryEvent({ id, type: EVENT_TYPE, data });
    return binaryEvent({ id, type: EVENT_TYPE, data, metadata: new Uint8Array(metaBytes) });
  }

  seen({ id, revision, data }: RecordedEvent): SeenEvent {
    const body = (data as { body?: unknown }).body;
    return { id: this.#symbols.get(id) ?? id, rev: Number(revision), body };
  }

  /** The same with the name of the stream, for $all. */
  seenInAll(event: RecordedEvent): SeenEvent & { readonly stream: string } {
    return { stream: event.streamId.slice(this.#prefix.length), ...this.seen(event) };
  }

  markPosition(name: string, position: Position | undefined): void {
    if (position !== undefined) this.#positions.set(name, position);
  }

  position(name: string): Position {
    const position = this.#positions.get(name);
    if (position === undefined) throw new Error(`no append of this case is marked as ${name}`);
    return position;
  }

  #id(symbol: string): string {
    const id = this.#ids.get(symbol) ?? randomUUID();
    this.#ids.set(symbol, id);
    this.#symbols.set(id, symbol);
    return id;
  }
}
