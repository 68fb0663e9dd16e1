import type { Shard } from './run-record.ts';

/**
 * The part of the fleet that a cluster belongs to, from 1 to `of`: FNV-1a of 32 bits over the UTF-16 code units of its id, so
 * that every process shares the clusters out in the same way.
 */
export function shardOf(clusterId: string, count: number): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < clusterId.length; i++) {
    hash = Math.imul(hash ^ clusterId.charCodeAt(i), 0x01000193);
  }
  return ((hash >>> 0) % count) + 1;
}

/** Reads a shard as it is configured: `2/3` is the second of three. @returns `undefined` where the text is none. */
export function parseShard(text: string): Shard | undefined {
  const [, index, count] = /^([1-9]\d{0,3})\/([1-9]\d{0,3})$/.exec(text) ?? [];
  const shard = { index: Number(index), count: Number(count) };
  return shard.index <= shard.count ? shard : undefined;
}
