import { TILE_WIDTH } from '../tiles.ts';
import { Frontier } from './frontier.ts';
import type { LogClient } from './log-client.ts';
import { Refuted } from './outcome.ts';

/** Compares the hash tiles that a log publishes with those of its entries: other readers get by on the tiles alone. */
export class TileCheck {
  readonly #client: Pick<LogClient, 'hashes'>;
  /** By level: hashes of the tile that is being filled, and the number of the tile. */
  readonly #levels: { hashes: Uint8Array[]; index: number }[] = [];

  constructor(client: Pick<LogClient, 'hashes'>) {
    this.#client = client;
  }

  /** Takes the next hash of a level. @throws Refuted, LogUnreachable */
  async add(hash: Uint8Array, level = 0): Promise<void> {
    const tile = this.#levels[level] ?? { hashes: [], index: 0 };
    this.#levels[level] = tile;
    if (tile.hashes.push(hash) < TILE_WIDTH) return;
    await this.#compare(level);
    const subtree = new Frontier();
    for (const each of tile.hashes) subtree.append(each);
    this.#levels[level] = { hashes: [], index: tile.index + 1 };
    await this.add(subtree.root(), level + 1);
  }

  /** Compares the tiles that were not filled. @throws Refuted, LogUnreachable */
  async end(): Promise<void> {
    for (const [level, { hashes }] of this.#levels.entries())
      if (hashes.length > 0) await this.#compare(level);
  }

  async #compare(level: number): Promise<void> {
    const { hashes, index } = this.#levels[level] as { hashes: Uint8Array[]; index: number };
    const published = await this.#client.hashes(level, index, hashes.length);
    if (Buffer.compare(published, Buffer.concat(hashes)) !== 0)
      throw new Refuted(
        'consistency',
        `tile ${index} of level ${level} does not have the hashes of its entries`,
      );
  }
}
