import type { Shard } from './run-record.ts';

/**
 * Returns the shard of a cluster, from 1 to `count`: 32-bit FNV-1a over the UTF-16 code units of its id, so all
 * processes agree.
 */
export function shardOf(clusterId: string, count: number): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < clusterId.length; i++) {
    hash = Math.imul(hash ^ clusterId.charCodeAt(i), 0x01000193);
  }
  return ((hash >>> 0) % count) + 1;
}

/** Parses a configured shard: `2/3` is the second of three. @returns `undefined` if the text is not a shard. */
export function parseShard(text: string): Shard | undefined {
  const [, index, count] = /^([1-9]\d{0,3})\/([1-9]\d{0,3})$/.exec(text) ?? [];
  const shard = { index: Number(index), count: Number(count) };
  return shard.index <= shard.count ? shard : undefined;
}
