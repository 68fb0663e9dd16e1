import { hash } from 'node:crypto';

/**
 * The root hash of a growing log (RFC 9162, §2.1.1), and no more than one hash per height in memory: what the complete trees
 * that the log begins with come to. For verifiers: it shares nothing with the tree that the ledger keeps.
 */
export class Frontier {
  /** By height: the complete subtree that waits for its right sibling. */
  readonly #waiting: (Uint8Array | undefined)[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  append(leafHash: Uint8Array): void {
    let node = leafHash;
    let height = 0;
    for (let left = this.#waiting[0]; left !== undefined; left = this.#waiting[height]) {
      node = parentOf(left, node);
      this.#waiting[height++] = undefined;
    }
    this.#waiting[height] = node;
    this.#size++;
  }

  root(): Uint8Array {
    let root: Uint8Array | undefined;
    for (const node of this.#waiting) {
      if (node !== undefined) root = root === undefined ? node : parentOf(node, root);
    }
    return root ?? hash('sha256', '', 'buffer');
  }
}

/** SHA-256(0x01 || left || right). */
function parentOf(left: Uint8Array, right: Uint8Array): Uint8Array {
  return hash('sha256', Buffer.concat([Uint8Array.of(1), left, right]), 'buffer');
}
