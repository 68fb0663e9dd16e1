import { MAX_LEAF_BYTES } from './leaf.ts';

/** Height of a tile (C2SP tlog-tiles). */
export const TILE_HEIGHT = 8;
/** Number of hashes or entries in a full tile. */
export const TILE_WIDTH = 256;

/** A tile: a range of hashes of the tree, or of leaves. */
export interface Tile {
  /** Level of a hash tile, from 0 to 63, or `'entries'` for a bundle of leaves. */
  readonly level: number | 'entries';
  /** Number of the tile at its level, from 0. */
  readonly index: number;
  /** Number of hashes or entries, from 1 to 256; fewer than 256 in a partial tile. */
  readonly width: number;
}

const PATH = /^\/log\/tile\/(entries|\d{1,2})\/((?:x\d{3}\/)*\d{3})(?:\.p\/(\d{1,3}))?$/;

/** Returns the path of a tile: `/log/tile/<L>/<N>[.p/<W>]`, such as `/log/tile/0/x001/x234/067.p/8`. */
export function tilePath({ level, index, width }: Tile): string {
  const groups = [String(index % 1_000).padStart(3, '0')];
  for (let rest = Math.floor(index / 1_000); rest > 0; rest = Math.floor(rest / 1_000))
    groups.unshift(`x${String(rest % 1_000).padStart(3, '0')}`);
  return `/log/tile/${level}/${groups.join('/')}${width === TILE_WIDTH ? '' : `.p/${width}`}`;
}

/** Parses a path of `tilePath`. @returns `undefined` for any other text, also for another notation of the same numbers. */
export function parseTilePath(path: string): Tile | undefined {
  const match = PATH.exec(path);
  if (match === null) return undefined;
  const [, level, groups, width] = match as unknown as [string, string, string, string | undefined];
  const tile: Tile = {
    level: level === 'entries' ? level : Number(level),
    index: Number(groups.replaceAll(/[x/]/g, '')),
    width: width === undefined ? TILE_WIDTH : Number(width),
  };
  const isTile =
    (tile.level === 'entries' || tile.level <= 63) &&
    Number.isSafeInteger(tile.index) &&
    tile.width >= 1 &&
    tile.width <= TILE_WIDTH;
  return isTile && tilePath(tile) === path ? tile : undefined;
}

/** The bytes are not an entry bundle. */
export class MalformedBundle extends Error {
  override readonly name = 'MalformedBundle';
}

/**
 * Encodes leaves as an entry bundle: for each leaf its length as a big-endian uint16, then its bytes (C2SP tlog-tiles,
 * "Log entries").
 * @throws RangeError if a leaf has more than 65,535 bytes.
 */
export function encodeBundle(leaves: readonly Uint8Array[]): Buffer {
  const bundle = Buffer.allocUnsafe(leaves.reduce((bytes, leaf) => bytes + 2 + leaf.length, 0));
  let at = 0;
  for (const leaf of leaves) {
    if (leaf.length > MAX_LEAF_BYTES)
      throw new RangeError(`a leaf of ${leaf.length} bytes is too large for a bundle`);
    at = bundle.writeUInt16BE(leaf.length, at);
    bundle.set(leaf, at);
    at += leaf.length;
  }
  return bundle;
}

/** Returns the leaves of an entry bundle without copying them. @throws MalformedBundle if the bundle ends within a leaf. */
export function parseBundle(bundle: Uint8Array): Uint8Array[] {
  const view = new DataView(bundle.buffer, bundle.byteOffset, bundle.byteLength);
  const leaves: Uint8Array[] = [];
  for (let at = 0; at < bundle.length; ) {
    const end = at + 2 <= bundle.length ? at + 2 + view.getUint16(at) : Number.POSITIVE_INFINITY;
    if (end > bundle.length) throw new MalformedBundle(`the bundle ends within entry ${leaves.length}`);
    leaves.push(bundle.subarray(at + 2, end));
    at = end;
  }
  return leaves;
}
