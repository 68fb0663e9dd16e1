interface Entry {
  readonly stream: string;
  readonly revision: bigint;
}

const LIMIT_BYTES = 8 * 1_024 * 1_024;

/**
 * The writer's memory of event ids, which alone makes an append with `any` repeatable. First in, first out, 8 MiB; an id
 * belongs to the stream that used it first; a restart empties it.
 */
export class RecentIds {
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;

  remember(id: string, stream: string, revision: bigint): void {
    if (this.#entries.has(id)) return;
    this.#entries.set(id, { stream, revision });
    this.#bytes += sizeOf(stream);
    for (const [oldest, entry] of this.#entries) {
      if (this.#bytes <= LIMIT_BYTES) break;
      this.#entries.delete(oldest);
      this.#bytes -= sizeOf(entry.stream);
    }
  }

  revisionOf(id: string, stream: string): bigint | undefined {
    const entry = this.#entries.get(id);
    return entry?.stream === stream ? entry.revision : undefined;
  }

  forget(): void {
    this.#entries.clear();
    this.#bytes = 0;
  }
}

const sizeOf = (stream: string): number => 28 + 2 * stream.length + 21;
