import { describe, expect, test } from 'vitest';
import { failed } from '../../../src/audit/verify/outcome.ts';
import { TileCheck } from '../../../src/audit/verify/tile-check.ts';
import { flipped, leafHashOf, treeOf } from '../leaves.ts';

type Hashes = (level: number, index: number, width: number) => Uint8Array;

/** Returns the tiles that are asked for as the hashes of so many leaves are compared. */
async function asked(leaves: number, hashes: Hashes, isEnded = true): Promise<string[]> {
  const tiles: string[] = [];
  const check = new TileCheck({
    hashes: async (level, index, width) => {
      tiles.push(`${level}/${index}.${width}`);
      return hashes(level, index, width);
    },
  });
  for (let i = 0; i < leaves; i++) await check.add(leafHashOf(i));
  if (isEnded) await check.end();
  return tiles;
}

describe('the tiles of a log', () => {
  test.each<[leaves: number, tiles: string[]]>([
    [0, []],
    [1, ['0/0.1']],
    [255, ['0/0.255']],
    [256, ['0/0.256', '1/0.1']],
    [257, ['0/0.256', '0/1.1', '1/0.1']],
    [513, ['0/0.256', '0/1.256', '0/2.1', '1/0.2']],
  ])('are asked for once if it has %i leaves: %j', async (leaves, tiles) => {
    const tree = treeOf(leaves);
    expect(await asked(leaves, (...tile) => tree.tile(...tile))).toEqual(tiles);
  });

  test('are asked for before the end only if they are full', async () => {
    const tree = treeOf(300);
    expect(await asked(300, (...tile) => tree.tile(...tile), false)).toEqual(['0/0.256']);
  });

  test.each([
    [0, 0],
    [0, 1],
    [1, 0],
  ])('are found out if one of level %i, number %i, has another hash', async (level, index) => {
    const tree = treeOf(300);
    const lying: Hashes = (...tile) => {
      const hashes = tree.tile(...tile);
      return tile[0] === level && tile[1] === index ? flipped(hashes, 9) : hashes;
    };
    expect(await asked(300, lying).catch(failed)).toEqual({
      ok: false,
      check: 'consistency',
      why: `tile ${index} of level ${level} does not have the hashes of its entries`,
    });
  });
});
