import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { formatCheckpoint } from '../../src/audit/checkpoint-text.ts';
import { leafHash, leafText } from '../../src/audit/leaf.ts';
import { signNote } from '../../src/audit/note.ts';
import { NoteSigner } from '../../src/audit/note-key.ts';
import { encodeBundle, TILE_WIDTH, tilePath } from '../../src/audit/tiles.ts';
import { MerkleTree } from '../../src/audit/tree.ts';
import { eventsFor } from './leaves.ts';

/** Returns the published files of a log of `size` events, with proofs between the sizes around its tiles, as go/main.go reads them. */
export class PublishedLog {
  readonly #tree = new MerkleTree();
  readonly #leaves: Buffer[];
  readonly #files = new Map<string, string | Uint8Array>();

  constructor(size: number) {
    this.#leaves = eventsFor(size).map((event, revision) =>
      Buffer.from(leafText({ ...event, stream: 'cluster-c1', revision })),
    );
    for (const leaf of this.#leaves) this.#tree.append(leafHash(leaf));
    const signers = ['one', 'two'].map((name) => NoteSigner.generate(`ledger.example/${name}`));
    const checkpoint = formatCheckpoint({ origin: 'ledger.example/log', size, root: this.#tree.root() });
    this.#files.set('keys', signers.map(({ verifier }) => `${verifier}\n`).join(''));
    this.#files.set('checkpoint', signNote(checkpoint, signers));
    this.#files.set('proofs.json', JSON.stringify(this.#proofs()));
    this.#addTiles();
  }

  #proofs() {
    const { size } = this.#tree;
    const sizes = [1, 2, 3, 255, 256, 257, 300, 511, 65_535, 65_536, size].filter((each) => each <= size);
    const encoded = (proof: Uint8Array) => Buffer.from(proof).toString('base64');
    return {
      inclusion: sizes.flatMap((size) =>
        sizes
          .filter((each) => each <= size)
          .map((each) => ({
            index: each - 1,
            size,
            hashes: encoded(this.#tree.inclusionProof(each - 1, size)),
          })),
      ),
      consistency: sizes.flatMap((to) =>
        sizes
          .filter((from) => from <= to)
          .map((from) => ({ from, to, hashes: encoded(this.#tree.consistencyProof(from, to)) })),
      ),
    };
  }

  #addTiles(): void {
    for (let level = 0, count = this.#tree.size; count > 0; level++, count = Math.floor(count / TILE_WIDTH)) {
      for (let index = 0; index * TILE_WIDTH < count; index++) {
        const width = Math.min(TILE_WIDTH, count - index * TILE_WIDTH);
        this.#files.set(tilePath({ level, index, width }), this.#tree.tile(level, index, width));
        if (level > 0) continue;
        const leaves = this.#leaves.slice(index * TILE_WIDTH, index * TILE_WIDTH + width);
        this.#files.set(tilePath({ level: 'entries', index, width }), encodeBundle(leaves));
      }
    }
  }

  /** Changes one bit of a file before it is written. */
  flip(path: string, bit: number): void {
    const bytes = Buffer.from(this.#files.get(path) ?? '');
    const at = (bit >> 3) % bytes.length;
    bytes[at] = (bytes[at] as number) ^ (1 << (bit & 7));
    this.#files.set(path, bytes);
  }

  async write(folder: string): Promise<void> {
    for (const [path, content] of this.#files) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), content);
    }
  }
}
