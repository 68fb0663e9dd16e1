import { hash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { allocate, HASH_WORDS, HashColumn, hashPair } from '../../src/audit/hash-column.ts';
import { hex, leafHashOf } from './leaves.ts';

const parentOf = (left: Uint8Array, right: Uint8Array) =>
  hex(hash('sha256', Buffer.concat([Buffer.of(1), left, right]), 'buffer'));

/** Returns the hash at an index of a column, read to the second place of a buffer. */
function at(column: HashColumn, index: number): string {
  const { bytes, words } = allocate(3);
  column.copyTo(index, words, HASH_WORDS);
  expect([hex(bytes.subarray(0, 32)), hex(bytes.subarray(64))]).toEqual(['00'.repeat(32), '00'.repeat(32)]);
  return hex(bytes.subarray(32, 64));
}

describe('a column of hashes', () => {
  test.each([2, 4, 1_024, undefined])('keeps hashes in chunks of %s', (chunkHashes) => {
    const column = new HashColumn(chunkHashes);
    const hashes = Array.from({ length: 2_050 }, (_, i) => leafHashOf(i));
    for (const each of hashes) column.push(each);
    for (const index of [0, 1, 2, 3, 4, 5, 1_023, 1_024, 1_025, 2_047, 2_048, 2_049])
      expect(at(column, index), `hash ${index}`).toBe(hex(hashes[index] as Uint8Array));
  });

  test('takes the first 32 bytes of what is pushed', () => {
    const column = new HashColumn(2);
    column.push(Buffer.concat([leafHashOf(1), leafHashOf(2)]));
    column.push(leafHashOf(3));
    expect([at(column, 0), at(column, 1)]).toEqual([hex(leafHashOf(1)), hex(leafHashOf(3))]);
  });

  test('gets the parent of the last two hashes of another column', () => {
    const [leaves, parents] = [new HashColumn(2), new HashColumn(2)];
    for (let i = 0; i < 6; i++) {
      leaves.push(leafHashOf(i));
      if (i % 2 === 1) parents.pushParent(leaves);
    }
    expect([0, 1, 2].map((index) => at(parents, index))).toEqual([
      parentOf(leafHashOf(0), leafHashOf(1)),
      parentOf(leafHashOf(2), leafHashOf(3)),
      parentOf(leafHashOf(4), leafHashOf(5)),
    ]);
  });

  test('begins again after it was cleared', () => {
    const column = new HashColumn(2);
    for (let i = 0; i < 5; i++) column.push(leafHashOf(i));
    column.clear();
    column.push(leafHashOf(7));
    expect(at(column, 0)).toBe(hex(leafHashOf(7)));
  });
});

test('the parent of two hashes of a buffer is written to a third place, also to that of one of them', () => {
  const hashes = allocate(4);
  for (let i = 0; i < 4; i++) hashes.bytes.set(leafHashOf(i), i * 32);
  hashPair(hashes, 2, 0, 2);
  expect(hex(hashes.bytes)).toBe(
    [hex(leafHashOf(0)), hex(leafHashOf(1)), parentOf(leafHashOf(2), leafHashOf(0)), hex(leafHashOf(3))].join(
      '',
    ),
  );
});
