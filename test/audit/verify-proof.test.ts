import { hash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MerkleTree } from '../../src/audit/tree.ts';
import { verifyConsistency, verifyInclusion } from '../../src/audit/verify-proof.ts';
import { flipped, leafHashOf, treeOf } from './leaves.ts';

const SIZES = [1, 2, 3, 7, 8, 255, 256, 257, 65_537];
const large = treeOf(65_537);
const size = fc.oneof(fc.constantFrom(...SIZES), fc.integer({ min: 1, max: 65_537 }));
const pairs = fc.tuple(size, size).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);
const bits = fc.nat(1_000_000);

const nothing = new Uint8Array();
const [one, two, three] = [leafHashOf(1), leafHashOf(2), leafHashOf(3)];
const parent = (left: Uint8Array, right: Uint8Array) =>
  hash('sha256', Buffer.concat([Buffer.of(1), left, right]), 'buffer');
const short = one.subarray(1);

describe('an inclusion proof', () => {
  const cases = pairs.map(([index, size]) => ({ index: index - 1, size }));

  test('is accepted for every leaf of trees around the sizes of tiles', () => {
    for (const size of SIZES.filter((size) => size < 300)) {
      for (let index = 0; index < size; index++) {
        const proof = large.inclusionProof(index, size);
        expect(verifyInclusion(proof, index, size, leafHashOf(index), large.root(size))).toBe(true);
      }
    }
  });

  test('is rejected if any bit of the proof, the leaf or the root is flipped', () => {
    fc.assert(
      fc.property(cases, bits, ({ index, size }, bit) => {
        const proof = large.inclusionProof(index, size);
        const [leaf, root] = [leafHashOf(index), large.root(size)];
        expect(verifyInclusion(proof, index, size, leaf, root)).toBe(true);
        expect(verifyInclusion(proof, index, size, flipped(leaf, bit % 256), root)).toBe(false);
        expect(verifyInclusion(proof, index, size, leaf, flipped(root, bit % 256))).toBe(false);
        if (proof.length === 0) return;
        const changed = flipped(proof, bit % (proof.length * 8));
        expect(verifyInclusion(changed, index, size, leaf, root)).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  test('is rejected for another leaf, another length, and invalid numbers', () => {
    fc.assert(
      fc.property(cases, ({ index, size }) => {
        const proof = large.inclusionProof(index, size);
        const [leaf, root] = [leafHashOf(index), large.root(size)];
        const verify = (path: Uint8Array, i: number, n: number) => verifyInclusion(path, i, n, leaf, root);
        expect(verify(Buffer.concat([proof, leaf]), index, size)).toBe(false);
        expect(verify(Buffer.concat([leaf, proof]), index, size)).toBe(false);
        expect(verify(Buffer.concat([proof, Buffer.alloc(1)]), index, size)).toBe(false);
        if (proof.length > 0) expect(verify(proof.subarray(32), index, size)).toBe(false);
        if (proof.length > 0) expect(verify(proof.subarray(0, -32), index, size)).toBe(false);
        for (const other of [index + 1, index - 1, -1, 0.5, Number.NaN, size, 2 ** 53])
          expect(verify(proof, other, size)).toBe(false);
        expect(verify(proof, index, -1)).toBe(false);
      }),
    );
  });

  const proofOfFirst = large.inclusionProof(0, 8);
  const verifyFirst = (index: number, size: number) =>
    verifyInclusion(proofOfFirst, index, size, leafHashOf(0), large.root(8));

  test('is of one leaf of one tree', () => {
    expect(verifyFirst(0, 8)).toBe(true);
    for (const index of [-8, -1, 0.5, 1, 8, 9, Number.NaN, Number.POSITIVE_INFINITY])
      expect(verifyFirst(index, 8), `leaf ${index}`).toBe(false);
    for (const size of [-1, 0, 4, 7.5, 8.5, 9, Number.NaN, Number.POSITIVE_INFINITY])
      expect(verifyFirst(0, size), `size ${size}`).toBe(false);
  });

  test('is empty for the only leaf, and for no other', () => {
    expect(verifyInclusion(nothing, 0, 1, one, one)).toBe(true);
    expect(verifyInclusion(nothing, 0, 1, one, two)).toBe(false);
    expect(verifyInclusion(nothing, 0, 2, one, one)).toBe(false);
    expect(verifyInclusion(two, 0, 1, one, parent(one, two))).toBe(false);
    expect(verifyInclusion(two, 0, 1, one, parent(two, one))).toBe(false);
  });

  test('is of hashes of 32 bytes', () => {
    expect(verifyInclusion(two, 0, 2, one, parent(one, two))).toBe(true);
    expect(verifyInclusion(two, 0, 2, short, parent(short, two))).toBe(false);
    expect(verifyInclusion(nothing, 0, 1, one, short)).toBe(false);
    expect(verifyInclusion(nothing, 0, 1, short, short)).toBe(false);
    expect(verifyInclusion(Buffer.concat([two, Buffer.of(0)]), 0, 2, one, parent(one, two))).toBe(false);
  });

  test('is verified beyond 2^32 leaves', () => {
    const last = 2 ** 33;
    expect(verifyInclusion(two, last, last + 1, one, parent(two, one))).toBe(true);
    expect(verifyInclusion(two, last, last + 2, one, parent(two, one))).toBe(false);
  });
});

describe('a consistency proof', () => {
  test('is between two sizes', () => {
    const [old, proof] = [large.root(1), large.consistencyProof(1, 8)];
    const verify = (from: number, to: number) => verifyConsistency(proof, from, to, old, large.root(8));
    expect(verify(1, 8)).toBe(true);
    for (const from of [-1, 0, 0.5, 2, 9, Number.NaN, Number.NEGATIVE_INFINITY])
      expect(verify(from, 8), `from ${from}`).toBe(false);
    for (const to of [-1, 0, 1, 4, 8.5, 9, Number.NaN, Number.POSITIVE_INFINITY])
      expect(verify(1, to), `to ${to}`).toBe(false);
  });

  test('is empty between equal sizes, and accepted only if the roots are equal', () => {
    expect(verifyConsistency(nothing, 3, 3, one, one)).toBe(true);
    expect(verifyConsistency(nothing, 3, 3, one, two)).toBe(false);
    expect(verifyConsistency(three, 3, 3, one, one)).toBe(false);
    expect(verifyConsistency(nothing, 3, 3, short, short)).toBe(false);
  });

  test('is not empty between different sizes above 0', () => {
    for (const [from, to] of [
      [1, 2],
      [3, 5],
      [4, 8],
    ] as const)
      expect(verifyConsistency(nothing, from, to, large.root(from), large.root(to))).toBe(false);
  });

  test('has no hash more or less than the sizes need, even if the roots were made to fit', () => {
    expect(verifyConsistency(two, 1, 2, one, parent(one, two))).toBe(true);
    expect(verifyConsistency(two, 1, 4, one, parent(one, two))).toBe(false);
    const proof = large.consistencyProof(3, 4);
    const [old, root] = [large.root(3), large.root(4)];
    expect(verifyConsistency(proof, 3, 4, old, root)).toBe(true);
    const longer = Buffer.concat([proof, one]);
    expect(verifyConsistency(longer, 3, 4, parent(one, old), parent(one, root))).toBe(false);
    expect(verifyConsistency(longer, 3, 4, parent(old, one), parent(root, one))).toBe(false);
    expect(verifyConsistency(longer, 3, 4, old, parent(root, one))).toBe(false);
  });

  test('is of hashes of 32 bytes', () => {
    expect(verifyConsistency(two, 1, 2, short, parent(short, two))).toBe(false);
    expect(verifyConsistency(nothing, 0, 9, large.root(0), short)).toBe(false);
    expect(verifyConsistency(Buffer.concat([two, Buffer.of(0)]), 1, 2, one, parent(one, two))).toBe(false);
  });

  test('is verified beyond 2^32 leaves', () => {
    const from = 2 ** 33;
    expect(verifyConsistency(two, from, from + 1, one, parent(one, two))).toBe(true);
    expect(verifyConsistency(two, from, 2 * from, one, parent(one, two))).toBe(true);
    expect(verifyConsistency(two, from, 2 * from + 1, one, parent(one, two))).toBe(false);
  });

  test('is accepted between any two of the first 40 sizes', () => {
    for (let to = 0; to <= 40; to++)
      for (let from = 0; from <= to; from++) {
        const proof = large.consistencyProof(from, to);
        expect(verifyConsistency(proof, from, to, large.root(from), large.root(to))).toBe(true);
      }
  });

  test('is rejected if any bit of the proof or a root is flipped', () => {
    fc.assert(
      fc.property(pairs, bits, ([from, to], bit) => {
        const proof = large.consistencyProof(from, to);
        const [old, root] = [large.root(from), large.root(to)];
        expect(verifyConsistency(proof, from, to, old, root)).toBe(true);
        expect(verifyConsistency(proof, from, to, flipped(old, bit % 256), root)).toBe(false);
        expect(verifyConsistency(proof, from, to, old, flipped(root, bit % 256))).toBe(false);
        if (proof.length === 0) return;
        const changed = flipped(proof, bit % (proof.length * 8));
        expect(verifyConsistency(changed, from, to, old, root)).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  test('is rejected if hashes are added or removed, or the sizes are in the wrong order', () => {
    fc.assert(
      fc.property(pairs, ([from, to]) => {
        const proof = large.consistencyProof(from, to);
        const [old, root] = [large.root(from), large.root(to)];
        expect(verifyConsistency(Buffer.concat([proof, root]), from, to, old, root)).toBe(false);
        expect(verifyConsistency(Buffer.concat([old, proof]), from, to, old, root)).toBe(false);
        if (from === to) return;
        expect(verifyConsistency(proof.subarray(32), from, to, old, root)).toBe(false);
        expect(verifyConsistency(proof.subarray(0, -32), from, to, old, root)).toBe(false);
        expect(verifyConsistency(proof, to, from, root, old)).toBe(false);
      }),
    );
  });

  test('does not exist between different histories', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 1, max: 100 }),
        fc.nat(),
        (from, more, which) => {
          const other = new MerkleTree();
          for (let i = 0; i < from + more; i++)
            other.append(i === which % from ? leafHashOf(-1) : leafHashOf(i));
          const to = from + more;
          const proof = other.consistencyProof(from, to);
          expect(verifyConsistency(proof, from, to, large.root(from), other.root(to))).toBe(false);
          expect(
            verifyConsistency(large.consistencyProof(from, to), from, to, large.root(from), other.root(to)),
          ).toBe(false);
        },
      ),
    );
  });

  test('is empty from size 0, and accepted only if the old root is that of the empty tree', () => {
    expect(verifyConsistency(nothing, 0, 9, large.root(0), large.root(9))).toBe(true);
    expect(verifyConsistency(nothing, 0, 9, large.root(1), large.root(9))).toBe(false);
    expect(verifyConsistency(one, 0, 9, large.root(0), large.root(9))).toBe(false);
  });
});
