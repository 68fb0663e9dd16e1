import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  encodeBundle,
  MalformedBundle,
  parseBundle,
  parseTilePath,
  type Tile,
  tilePath,
} from '../../src/audit/tiles.ts';
import { hex } from './leaves.ts';

describe('the path of a tile', () => {
  test.each<[string, Tile]>([
    ['/log/tile/0/000', { level: 0, index: 0, width: 256 }],
    ['/log/tile/0/999.p/1', { level: 0, index: 999, width: 1 }],
    ['/log/tile/1/x001/000', { level: 1, index: 1_000, width: 256 }],
    ['/log/tile/63/x001/x234/067.p/255', { level: 63, index: 1_234_067, width: 255 }],
    ['/log/tile/0/x009/x007/x199/x254/x740/991', { level: 0, index: 9_007_199_254_740_991, width: 256 }],
    ['/log/tile/entries/x001/x234/067.p/8', { level: 'entries', index: 1_234_067, width: 8 }],
  ])('is formatted and parsed: %s', (path, tile) => {
    expect(tilePath(tile)).toBe(path);
    expect(parseTilePath(path)).toEqual(tile);
  });

  test('round-trips any tile', () => {
    const level = fc.oneof(fc.constant('entries' as const), fc.nat(63));
    const tiles = fc.record({ level, index: fc.maxSafeNat(), width: fc.integer({ min: 1, max: 256 }) });
    fc.assert(fc.property(tiles, (tile) => void expect(parseTilePath(tilePath(tile))).toEqual(tile)));
  });

  test.each([
    '/log/tile/0/0',
    '/log/tile/0/0000',
    '/log/tile/0/x000/001',
    '/log/tile/0/001/002',
    '/log/tile/0/x001',
    '/log/tile/00/001',
    '/log/tile/64/001',
    '/log/tile/-1/001',
    '/log/tile/data/001',
    '/log/tile/0/000.p/0',
    '/log/tile/0/000.p/256',
    '/log/tile/0/000.p/257',
    '/log/tile/0/x009/x007/x199/x254/x740/992',
    '/log/tile/0/000.p/01',
    '/log/tile/0/000.p',
    '/log/tile/0/000/',
    '/log/tile/0/000\n',
    '/tile/0/000',
    `/log/tile/0/${'x999/'.repeat(6)}999`,
  ])('is not %j', (path) => {
    expect(parseTilePath(path)).toBeUndefined();
  });
});

describe('an entry bundle', () => {
  test('has the big-endian length of two bytes before each leaf', () => {
    const leaves = [Buffer.from('a'), Buffer.alloc(0), Buffer.alloc(258, 'b')];
    expect(hex(encodeBundle(leaves))).toBe(`0001${'61'}0000${'0102'}${'62'.repeat(258)}`);
  });

  test('round-trips its leaves', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 600 }), { maxLength: 256 }), (leaves) => {
        expect(parseBundle(encodeBundle(leaves)).map(hex)).toEqual(leaves.map(hex));
      }),
    );
  });

  test('is rejected if it ends within a leaf', () => {
    const bundle = encodeBundle([Buffer.from('leaf'), Buffer.from('more')]);
    for (const end of [1, 2, 5])
      expect(() => parseBundle(bundle.subarray(0, end))).toThrow(
        new MalformedBundle('the bundle ends within entry 0'),
      );
    for (const end of [7, 8, 11])
      expect(() => parseBundle(bundle.subarray(0, end))).toThrow(
        new MalformedBundle('the bundle ends within entry 1'),
      );
    expect(parseBundle(bundle.subarray(0, 6)).map(String)).toEqual(['leaf']);
    expect(parseBundle(new Uint8Array())).toEqual([]);
  });

  test('can have leaves of 65,535 bytes, and none that is larger', () => {
    expect(parseBundle(encodeBundle([Buffer.alloc(65_535)]))[0]).toHaveLength(65_535);
    expect(() => encodeBundle([Buffer.alloc(65_536)])).toThrow(
      new RangeError('a leaf of 65536 bytes is too large for a bundle'),
    );
  });
});
