import { hash } from 'node:crypto';
import { MerkleTree } from '../../src/audit/tree.ts';
import type { NewEvent } from '../../src/eventstore/event-store.ts';
import { anEvent } from '../support/store-events.ts';

/** Returns a leaf hash that is unique for its number. */
export function leafHashOf(n: number): Uint8Array {
  return hash('sha256', `leaf ${n}`, 'buffer');
}

export function treeOf(size: number, floor = 0): MerkleTree {
  const tree = new MerkleTree(floor);
  for (let i = 0; i < size; i++) tree.append(leafHashOf(i));
  return tree;
}

/** Events to record, some with text beyond ASCII. */
export function eventsFor(count: number, first = 0): NewEvent[] {
  return Array.from({ length: count }, (_, i) =>
    anEvent(
      { zone: 'süd 😀', n: first + i, account: { '2': true, '10': null } },
      { recordedAt: 1_700_000_000_000 + i },
    ),
  );
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

/** Returns the hashes of a proof in hexadecimal. */
export function hexHashes(proof: Uint8Array): string[] {
  return hex(proof).match(/.{64}/g) ?? [];
}

/** Returns a copy with one bit flipped. */
export function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[bit >> 3] = (copy[bit >> 3] as number) ^ (1 << (bit & 7));
  return copy;
}
