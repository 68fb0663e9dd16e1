import { describe, expect, test } from 'vitest';
import { parseShard, shardOf } from '../../../../src/domain/validation/records/shard.ts';

describe('the shard of a cluster', () => {
  test.each([
    ['', 6],
    ['a', 5],
    ['c1', 2],
    ['cluster-1', 4],
    ['mmmmmm.wwwwww.one.1769850000', 2],
    ['ü€😀', 1],
  ])('is the same in every release, since processes agree on it: "%s" of 8', (clusterId, shard) => {
    expect(shardOf(clusterId, 8)).toBe(shard);
    expect(shardOf(clusterId, 1)).toBe(1);
  });

  test('is any of them, and about as often as any other', () => {
    const shards = Array.from({ length: 3_000 }, (_, n) => shardOf(`cluster-${n}`, 3));
    for (const shard of [1, 2, 3]) {
      const share = shards.filter((one) => one === shard).length;
      expect([share > 900, share < 1_100]).toEqual([true, true]);
    }
  });
});

describe('a configured shard', () => {
  test.each([
    ['1/1', { index: 1, count: 1 }],
    ['2/3', { index: 2, count: 3 }],
    ['3/3', { index: 3, count: 3 }],
    ['10/9999', { index: 10, count: 9_999 }],
  ])('is its number and how many there are: %s', (text, shard) => {
    expect(parseShard(text)).toEqual(shard);
  });

  test.each([
    '',
    '1',
    '4/3',
    '0/3',
    '1/0',
    '01/3',
    '1/03',
    ' 1/3',
    '1/3 ',
    'x1/3',
    '1/3x',
    '1/10000',
    '-1/3',
    '1-3',
  ])('is not "%s"', (text) => {
    expect(parseShard(text)).toBeUndefined();
  });
});
