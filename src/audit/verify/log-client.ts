import { setTimeout as wait } from 'node:timers/promises';
import { HASH_BYTES, MAX_LEAF_BYTES } from '../leaf.ts';
import { MalformedBundle, parseBundle, TILE_WIDTH, type Tile, tilePath } from '../tiles.ts';
import { Refuted } from './outcome.ts';

export interface LogClientOptions {
  /** Where the log is published: `/log/checkpoint` is under it. */
  readonly url: string;
  /** Sent as a bearer token. */
  readonly token?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The log could not be read: nothing is known of it, good or bad. */
export class LogUnreachable extends Error {
  override readonly name = 'LogUnreachable';
}

const ATTEMPTS = 4;
const FIRST_PAUSE_MS = 250;
const TIMEOUT_MS = 30_000;
const MAX_CHECKPOINT_BYTES = 64 * 1024;
const MAX_BUNDLE_BYTES = TILE_WIDTH * (2 + MAX_LEAF_BYTES);

/** Reads what a log publishes over HTTP (C2SP tlog-tiles), and believes none of it. */
export class LogClient {
  readonly #options: LogClientOptions;
  readonly #base: string;

  constructor(options: LogClientOptions) {
    this.#options = options;
    this.#base = options.url.replace(/\/+$/, '');
  }

  /** Returns the newest signed checkpoint. @throws LogUnreachable, Refuted if there is none */
  async checkpoint(): Promise<string> {
    const bytes = await this.#get('/log/checkpoint', MAX_CHECKPOINT_BYTES);
    if (bytes === undefined) throw new Refuted('signature', 'the log has no checkpoint');
    return new TextDecoder().decode(bytes);
  }

  /** Returns the `width` leaves of a bundle. @throws LogUnreachable, Refuted if the log does not have them */
  async leaves(index: number, width: number): Promise<Uint8Array[]> {
    const { path, bytes } = await this.#tile({ level: 'entries', index, width }, MAX_BUNDLE_BYTES);
    try {
      const leaves = parseBundle(bytes);
      if (leaves.length >= width) return leaves.slice(0, width);
      throw new Refuted('format', `${path} has ${leaves.length} entries, not ${width}`);
    } catch (error) {
      if (!(error instanceof MalformedBundle)) throw error;
      throw new Refuted('format', `${path}: ${error.message}`);
    }
  }

  /** Returns the `width` hashes of a tile. @throws LogUnreachable, Refuted if the log does not have them */
  async hashes(level: number, index: number, width: number): Promise<Uint8Array> {
    const { path, bytes } = await this.#tile({ level, index, width }, TILE_WIDTH * HASH_BYTES);
    if (bytes.length >= width * HASH_BYTES) return bytes.subarray(0, width * HASH_BYTES);
    throw new Refuted('format', `${path} has ${bytes.length} bytes, not ${width} hashes`);
  }

  /** Of a partial tile that has grown a log need only keep the full one. */
  async #tile(tile: Tile, most: number): Promise<{ path: string; bytes: Uint8Array }> {
    for (const width of new Set([tile.width, TILE_WIDTH])) {
      const path = tilePath({ ...tile, width });
      const bytes = await this.#get(path, most);
      if (bytes !== undefined) return { path, bytes };
    }
    throw new Refuted('completeness', `the log does not have ${tilePath(tile)}, which its checkpoint covers`);
  }

  /** @returns `undefined` if the resource does not exist. */
  async #get(path: string, most: number): Promise<Uint8Array | undefined> {
    const { signal } = this.#options;
    for (let attempt = 1, pause = FIRST_PAUSE_MS; ; attempt++, pause *= 2) {
      try {
        return await this.#attempt(path, most);
      } catch (error) {
        signal?.throwIfAborted();
        if (error instanceof Refuted) throw error;
        if (attempt === ATTEMPTS || error instanceof LogUnreachable)
          throw error instanceof LogUnreachable
            ? error
            : new LogUnreachable(reasonOf(path, error), { cause: error });
      }
      await wait(pause, undefined, signal === undefined ? {} : { signal });
    }
  }

  async #attempt(path: string, most: number): Promise<Uint8Array | undefined> {
    const { token, signal } = this.#options;
    const timeout = AbortSignal.timeout(TIMEOUT_MS);
    const response = await fetch(this.#base + path, {
      redirect: 'error',
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
    });
    if (response.status === 200) return limited(path, response, most);
    await response.body?.cancel();
    if (response.status === 404 || response.status === 410) return undefined;
    const why = `${path} was answered with status ${response.status}`;
    if (response.status === 429 || response.status >= 500) throw new Error(why);
    throw new LogUnreachable(why);
  }
}

async function limited(path: string, response: Response, most: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body ?? []) {
    bytes += part.length;
    if (bytes > most) throw new Refuted('format', `${path} is larger than the ${most} bytes it may have`);
    parts.push(part);
  }
  return Buffer.concat(parts);
}

function reasonOf(path: string, error: unknown): string {
  const { message, cause } = error as Error;
  const detail = cause instanceof Error ? `${message}: ${cause.message}` : message;
  return `${path} could not be read: ${detail}`;
}
