import type { LogEvent } from '../eventstore/event-store.ts';
import { HASH_BYTES, hashLeaf, leafText } from './leaf.ts';

const digest = Buffer.alloc(HASH_BYTES);

/**
 * Returns the hash of the leaf of an event. The thread that writes events computes it, so that the main thread need not.
 * @returns the same buffer for each call. @throws LeafError
 */
export function digestOf(event: LogEvent): Uint8Array {
  hashLeaf(leafText(event), digest);
  return digest;
}
