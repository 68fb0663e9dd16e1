import { describe, expect, test } from 'vitest';
import { TileCheck } from '../../../src/audit/verify/tile-check.ts';
import { flipped, leafHashOf, treeOf } from '../leaves.ts';

describe('the tiles of a log with three levels of them', () => {
  const size = 256 * 256 + 256 + 7;
  const tree = treeOf(size);
  const check = async (hashes: (level: number, index: number, width: number) => Uint8Array) => {
    const asked: string[] = [];
    const tiles = new TileCheck({
      hashes: async (level, index, width) => {
        asked.push(`${level}/${index}.${width}`);
        return hashes(level, index, width);
      },
    });
    for (let i = 0; i < size; i++) await tiles.add(leafHashOf(i));
    await tiles.end();
    return asked;
  };

  test('are all compared, each once', async () => {
    const asked = await check((level, index, width) => tree.tile(level, index, width));
    expect(new Set(asked).size).toBe(asked.length);
    expect(asked).toHaveLength(257 + 1 + 2 + 1);
    expect(asked.slice(-3)).toEqual(['0/257.7', '1/1.1', '2/0.1']);
  });

  test.each([
    [0, 255],
    [0, 257],
    [1, 0],
    [1, 1],
    [2, 0],
  ])('are found out where one of level %i, number %i, has another hash', async (level, index) => {
    const lying = check((...asked) => {
      const hashes = tree.tile(...asked);
      return asked[0] === level && asked[1] === index ? flipped(hashes, 9) : hashes;
    });
    await expect(lying).rejects.toThrow(`tile ${index} of level ${level} does not have the hashes`);
  });
});
