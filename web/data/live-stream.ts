import { EventSourceParserStream } from 'eventsource-parser/stream';
import { problemOf } from './problem.ts';
import { positionOf } from './request.ts';

/** Time without any sign of life after which a connection counts as lost. The server sends one every 15 s. */
const SILENCE_MS = 40_000;
const FIRST_PAUSE_MS = 500;
const MAX_PAUSE_MS = 8_000;

/** The state of the connection. `unavailable`: the caller may not read the stream. */
export type ConnectionState = 'connecting' | 'live' | 'lost' | 'paused' | 'unavailable';

/** An event of the stream: its type, and its CloudEvent as JSON. */
export interface LiveEvent {
  readonly type: string;
  readonly data: string;
}

interface Listener {
  /** @param position for `live`, the log position behind which events come. */
  readonly onState: (state: ConnectionState, position?: number) => void;
  readonly onEvent: (event: LiveEvent) => void;
}

/**
 * Follows `GET /v1/stream`. Reconnects until it is closed, and continues after the last event that it got. It reads the stream
 * with `fetch` and not with `EventSource`, which hides the signs of life and the reason of a rejection.
 */
export class LiveStream {
  readonly #listener: Listener;
  readonly #closing = new AbortController();
  #connection = new AbortController();
  #wake: () => void = () => undefined;
  #isPaused = false;
  #failures = 0;
  #lastId = '';

  constructor(listener: Listener) {
    this.#listener = listener;
    void this.#run();
  }

  /** Ends the connection, for example while nobody sees the page. Browsers allow only six connections to a server over HTTP/1.1. */
  pause(): void {
    if (this.#isPaused || this.#closing.signal.aborted) return;
    this.#isPaused = true;
    this.#connection.abort();
    this.#listener.onState('paused');
  }

  /** Connects at once if there is no connection. */
  resume(): void {
    this.#isPaused = false;
    this.#wake();
  }

  close(): void {
    this.#closing.abort();
    this.#connection.abort();
    this.#wake();
  }

  async #run(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      if (!this.#isPaused) {
        const isAllowed = await this.#follow();
        if (!isAllowed) return;
        if (!this.#isPaused && !this.#closing.signal.aborted) this.#listener.onState('lost');
      }
      await this.#sleep();
    }
  }

  /** Reads the stream until the connection ends. @returns whether to connect again */
  async #follow(): Promise<boolean> {
    this.#connection = new AbortController();
    const { signal } = this.#connection;
    let silence: ReturnType<typeof setTimeout> | undefined;
    const sign = () => {
      clearTimeout(silence);
      silence = setTimeout(() => this.#connection.abort(), SILENCE_MS);
    };
    try {
      sign();
      const response = await fetch('/v1/stream', {
        headers: {
          accept: 'text/event-stream',
          ...(this.#lastId !== '' && { 'last-event-id': this.#lastId }),
        },
        signal,
      });
      if (!response.ok || response.body === null) return await this.#rejected(response);
      this.#failures = 0;
      this.#listener.onState('live', positionOf(response));
      const events = response.body
        .pipeThrough(
          new TransformStream<Uint8Array, Uint8Array>({
            transform(chunk, controller) {
              sign();
              controller.enqueue(chunk);
            },
          }),
        )
        .pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>)
        .pipeThrough(new EventSourceParserStream());
      const reader = events.getReader();
      for (let next = await reader.read(); !next.done; next = await reader.read()) {
        const { id, event = 'message', data } = next.value;
        this.#lastId = id ?? this.#lastId;
        this.#listener.onEvent({ type: event, data });
      }
    } catch {
      // The connection was cut or aborted.
    } finally {
      clearTimeout(silence);
    }
    return true;
  }

  async #rejected(response: Response): Promise<boolean> {
    const problem = await problemOf(response);
    if (problem.code === 'epoch-changed') {
      // The log was restored: what was read before does not count.
      this.#lastId = '';
      this.#listener.onEvent({ type: 'resync', data: '{}' });
      return true;
    }
    if (problem.status === 401 || problem.status === 403) {
      this.#listener.onState('unavailable');
      return false;
    }
    return true;
  }

  async #sleep(): Promise<void> {
    const pause = this.#isPaused
      ? undefined
      : Math.min(FIRST_PAUSE_MS * 2 ** this.#failures++, MAX_PAUSE_MS) * (0.75 + Math.random() / 2);
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      if (pause !== undefined) setTimeout(resolve, pause);
    });
  }
}
