/** An event as a client of server-sent events sees it. */
export interface ServerSentEvent {
  readonly id: string;
  readonly event: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests read events of every type.
  readonly data: any;
}

/** A client of server-sent events (HTML Living Standard, section 9.2.6) that never reconnects. */
export class EventSourceClient {
  readonly events: ServerSentEvent[] = [];
  readonly #abort = new AbortController();
  /** Whether the server has ended the connection. */
  isEnded = false;

  /** Connects. @returns the response; its events are added as they arrive. */
  async connect(url: string, headers: Record<string, string> = {}): Promise<Response> {
    const response = await fetch(url, { headers, signal: this.#abort.signal });
    if (response.status === 200) void this.#read(response);
    return response;
  }

  close(): void {
    this.#abort.abort();
  }

  get ids(): readonly string[] {
    return this.events.map(({ id }) => id);
  }

  async #read({ body }: Response): Promise<void> {
    let text = '';
    try {
      for await (const chunk of (body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream())) {
        text += chunk;
        const blocks = text.split('\n\n');
        text = blocks.pop() ?? '';
        for (const block of blocks) this.#take(block);
      }
    } catch {
      // The connection was cut.
    }
    this.isEnded = true;
  }

  #take(block: string): void {
    const fields = new Map(block.split('\n').map((line) => line.split(/: ?(.*)/s, 2) as [string, string]));
    const data = fields.get('data');
    if (data === undefined) return;
    this.events.push({
      id: fields.get('id') ?? '',
      event: fields.get('event') ?? 'message',
      data: JSON.parse(data),
    });
  }
}
