import { hash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { leafHash } from '../../src/audit/leaf.ts';
import { BlockMissing, type Blocks, LeavesChanged, MerkleTree } from '../../src/audit/tree.ts';
import { flipped, hex, hexHashes, leafHashOf, treeOf } from './leaves.ts';

/** Hash of a list of leaves, word for word as RFC 9162, section 2.1.1 defines it. */
function hashOfTree(leafHashes: readonly Uint8Array[]): Uint8Array {
  if (leafHashes.length === 0) return hash('sha256', '', 'buffer');
  if (leafHashes.length === 1) return leafHashes[0] as Uint8Array;
  const k = split(leafHashes.length);
  const parts = [Uint8Array.of(1), hashOfTree(leafHashes.slice(0, k)), hashOfTree(leafHashes.slice(k))];
  return hash('sha256', Buffer.concat(parts), 'buffer');
}

/** PATH of RFC 9162, section 2.1.3.1. */
function path(m: number, leaves: readonly Uint8Array[]): Uint8Array[] {
  if (leaves.length === 1) return [];
  const k = split(leaves.length);
  return m < k
    ? [...path(m, leaves.slice(0, k)), hashOfTree(leaves.slice(k))]
    : [...path(m - k, leaves.slice(k)), hashOfTree(leaves.slice(0, k))];
}

/** SUBPROOF of RFC 9162, section 2.1.4.1. */
function subproof(m: number, leaves: readonly Uint8Array[], isKnown: boolean): Uint8Array[] {
  if (m === leaves.length) return isKnown ? [] : [hashOfTree(leaves)];
  const k = split(leaves.length);
  return m <= k
    ? [...subproof(m, leaves.slice(0, k), isKnown), hashOfTree(leaves.slice(k))]
    : [...subproof(m - k, leaves.slice(k), false), hashOfTree(leaves.slice(0, k))];
}

/** Returns the largest power of two below `n`. */
function split(n: number): number {
  return 2 ** (31 - Math.clz32(n - 1));
}

const hashes = (count: number) => Array.from({ length: count }, (_, i) => leafHashOf(i));
const sizes = fc.integer({ min: 1, max: 600 });

/** Test data of Certificate Transparency (merkle_tree_test.cc): leaves, and the root after each. */
const CT_LEAVES = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
];
const CT_ROOTS = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

describe('the tree of the leaves of Certificate Transparency', () => {
  const tree = new MerkleTree();
  for (const leaf of CT_LEAVES) tree.append(leafHash(Buffer.from(leaf, 'hex')));

  test('has the published roots at every size', () => {
    expect(CT_ROOTS.map((_, size) => hex(tree.root(size)))).toEqual(CT_ROOTS);
  });

  test('has the published inclusion proof of leaf 5 in 8', () => {
    expect(hexHashes(tree.inclusionProof(5, 8))).toEqual([
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ]);
  });

  test('has the published consistency proof from 6 to 8', () => {
    expect(hexHashes(tree.consistencyProof(6, 8))).toEqual([
      '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ]);
  });
});

describe('MerkleTree', () => {
  test('has the root that RFC 9162 defines at every size that it had', () => {
    const tree = treeOf(600);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 600 }), (size) => {
        expect(hex(tree.root(size))).toBe(hex(hashOfTree(hashes(size))));
      }),
    );
  });

  test('returns the inclusion proofs that RFC 9162 defines', () => {
    const tree = treeOf(600);
    fc.assert(
      fc.property(sizes, fc.nat(599), (size, index) => {
        fc.pre(index < size);
        const expected = path(index, hashes(size)).map(hex);
        expect(hexHashes(tree.inclusionProof(index, size))).toEqual(expected);
      }),
    );
  });

  test('returns the consistency proofs that RFC 9162 defines', () => {
    const tree = treeOf(600);
    fc.assert(
      fc.property(sizes, sizes, (from, to) => {
        fc.pre(from <= to);
        const expected = subproof(from, hashes(to), true).map(hex);
        expect(hexHashes(tree.consistencyProof(from, to))).toEqual(expected);
      }),
    );
  });

  test.each([
    ['the root of a size it has not reached', (tree: MerkleTree) => tree.root(5)],
    ['a proof of a leaf beyond the size', (tree: MerkleTree) => tree.inclusionProof(3, 3)],
    ['a proof of a leaf that is not a number', (tree: MerkleTree) => tree.inclusionProof(0.5, 3)],
    ['a proof that it has shrunk', (tree: MerkleTree) => tree.consistencyProof(3, 2)],
    ['a tile it has not filled so far', (tree: MerkleTree) => tree.tile(0, 0, 5)],
    ['a tile of a level it has not reached', (tree: MerkleTree) => tree.tile(1, 0, 1)],
    ['an empty tile', (tree: MerkleTree) => tree.tile(0, 0, 0)],
  ])('rejects %s', (_, ask) => {
    expect(() => ask(treeOf(4))).toThrow(RangeError);
  });

  test.each([
    [0, 1, 256],
    [0, 2, 200],
    [1, 0, 2],
  ])(
    'returns the nodes of height 8 × level as tile: level %i, index %i, %i hashes',
    (level, index, width) => {
      const span = 256 ** level;
      const expected = Array.from({ length: width }, (_, i) => {
        const first = (index * 256 + i) * span;
        return hex(hashOfTree(hashes(712).slice(first, first + span)));
      });
      expect(hexHashes(treeOf(712).tile(level, index, width))).toEqual(expected);
    },
  );
});

describe('a tree that drops the leaves of full blocks', () => {
  /** Answers `BlockMissing` as a log would. */
  function withBlocks<T>(tree: MerkleTree, compute: () => T): T {
    const blocks: Blocks = new Map();
    for (;;) {
      try {
        return tree.using(blocks, compute);
      } catch (error) {
        if (!(error instanceof BlockMissing)) throw error;
        tree.load(blocks, error.start, blockOf(error));
      }
    }
  }

  const blockOf = ({ start, leaves }: BlockMissing) =>
    Buffer.concat(hashes(start + leaves).slice(start, start + leaves));

  test('returns the same results as a tree that keeps all leaves', () => {
    const whole = treeOf(700);
    const floors = fc.integer({ min: 1, max: 8 });
    const size = fc.integer({ min: 1, max: 700 });
    const trees = Array.from({ length: 9 }, (_, floor) => treeOf(700, floor));
    fc.assert(
      fc.property(floors, size, size, (floor, a, b) => {
        const [from, to] = [Math.min(a, b), Math.max(a, b)];
        const tree = trees[floor] as MerkleTree;
        const ask = (from: number, to: number) => (tree: MerkleTree) => [
          tree.root(from),
          tree.inclusionProof(from - 1, to),
          tree.consistencyProof(from, to),
          tree.tile(0, Math.floor((from - 1) / 256), ((from - 1) % 256) + 1),
        ];
        expect(withBlocks(tree, () => ask(from, to)(tree)).map(hex)).toEqual(ask(from, to)(whole).map(hex));
      }),
    );
  });

  test('names the leaves that it needs and rejects others', () => {
    const tree = treeOf(700, 3);
    expect(() => tree.inclusionProof(21, 700)).toThrow(new BlockMissing(16, 8));
    const block = blockOf(new BlockMissing(16, 8));
    expect(() => tree.load(new Map(), 16, flipped(block, 1_000))).toThrow(LeavesChanged);
    expect(() => tree.load(new Map(), 16, block.subarray(32))).toThrow(LeavesChanged);
  });
});
