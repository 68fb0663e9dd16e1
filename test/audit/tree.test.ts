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

  const noTree = (size: number) => `there is no tree of ${size} leaves: it has 4`;
  test.each<[string, (tree: MerkleTree) => unknown, string]>([
    ['the root of a size it has not reached', (tree) => tree.root(5), noTree(5)],
    ['the root of a negative size', (tree) => tree.root(-1), noTree(-1)],
    ['the root of a part of a leaf', (tree) => tree.root(2.5), noTree(2.5)],
    ['a proof of a size it has not reached', (tree) => tree.inclusionProof(0, 5), noTree(5)],
    [
      'a proof of a leaf beyond the size',
      (tree) => tree.inclusionProof(3, 3),
      'leaf 3 is not in a tree of 3',
    ],
    [
      'a proof of a leaf before the first',
      (tree) => tree.inclusionProof(-1, 3),
      'leaf -1 is not in a tree of 3',
    ],
    ['a proof of half a leaf', (tree) => tree.inclusionProof(0.5, 3), 'leaf 0.5 is not in a tree of 3'],
    ['a proof that it grows to more', (tree) => tree.consistencyProof(2, 5), noTree(5)],
    [
      'a proof that it has shrunk',
      (tree) => tree.consistencyProof(3, 2),
      'a tree of 3 cannot have grown to 2',
    ],
    [
      'a proof from less than nothing',
      (tree) => tree.consistencyProof(-1, 2),
      'a tree of -1 cannot have grown to 2',
    ],
    [
      'a proof from half a leaf',
      (tree) => tree.consistencyProof(0.5, 2),
      'a tree of 0.5 cannot have grown to 2',
    ],
    [
      'a tile it has not filled so far',
      (tree) => tree.tile(0, 0, 5),
      'tile 0 of level 0 does not have 5 hashes',
    ],
    [
      'a full tile it has not filled so far',
      (tree) => tree.tile(0, 0),
      'tile 0 of level 0 does not have 256 hashes',
    ],
    ['a tile after its last', (tree) => tree.tile(0, 1, 1), 'tile 1 of level 0 does not have 1 hashes'],
    [
      'a tile of a level it has not reached',
      (tree) => tree.tile(1, 0, 1),
      'tile 0 of level 1 does not have 1 hashes',
    ],
    [
      'a tile of a level no tree has',
      (tree) => tree.tile(4, 0, 1),
      'tile 0 of level 4 does not have 1 hashes',
    ],
    ['an empty tile', (tree) => tree.tile(0, 0, 0), 'tile 0 of level 0 does not have 0 hashes'],
    [
      'a tile of a negative level',
      (tree) => tree.tile(-1, 0, 1),
      'tile 0 of level -1 does not have 1 hashes',
    ],
    ['a tile before the first', (tree) => tree.tile(0, -1, 1), 'tile -1 of level 0 does not have 1 hashes'],
    ['half a tile', (tree) => tree.tile(0, 0.5, 1), 'tile 0.5 of level 0 does not have 1 hashes'],
    ['half a hash', (tree) => tree.tile(0, 0, 1.5), 'tile 0 of level 0 does not have 1.5 hashes'],
  ])('rejects %s', (_, ask, why) => {
    expect(() => ask(treeOf(4))).toThrow(new RangeError(why));
  });

  test('has tiles of up to 256 hashes', () => {
    const tree = treeOf(257);
    expect(hexHashes(tree.tile(0, 0))).toEqual(hashes(256).map(hex));
    expect(hexHashes(tree.tile(0, 1, 1))).toEqual([hex(leafHashOf(256))]);
    expect(() => tree.tile(0, 0, 257)).toThrow(new RangeError('tile 0 of level 0 does not have 257 hashes'));
  });

  test.each([
    [0, 0],
    [0, 3],
    [3, 3],
    [4, 4],
  ])('has an empty proof from %i to %i leaves', (from, to) => {
    expect(treeOf(4).consistencyProof(from, to)).toHaveLength(0);
  });

  test('has as many leaves as were added', () => {
    expect([treeOf(0).size, treeOf(1).size, treeOf(300, 3).size]).toEqual([0, 1, 300]);
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

  /** The block that an answer lacks. */
  function missing(ask: () => unknown): BlockMissing | undefined {
    try {
      ask();
      return undefined;
    } catch (error) {
      expect(error).toBeInstanceOf(BlockMissing);
      return error as BlockMissing;
    }
  }

  test('names the leaves that it needs and rejects others', () => {
    const tree = treeOf(700, 3);
    expect(missing(() => tree.inclusionProof(21, 700))).toMatchObject({ start: 16, leaves: 8 });
    const block = blockOf(new BlockMissing(16, 8));
    const changed = new LeavesChanged('leaves 16 to 23 have changed');
    const blocks: Blocks = new Map();
    for (const bit of [0, 1_000, 2_047])
      expect(() => tree.load(blocks, 16, flipped(block, bit))).toThrow(changed);
    expect(() => tree.load(blocks, 16, block.subarray(32))).toThrow(
      new LeavesChanged('a block has 8 leaf hashes; given 224 bytes'),
    );
    expect(() => tree.load(blocks, 16, Buffer.concat([block, block.subarray(32)]))).toThrow(
      new LeavesChanged('a block has 8 leaf hashes; given 480 bytes'),
    );
    expect(blocks.size).toBe(0);
  });

  test('needs the leaves of full blocks only, and only during the call', () => {
    const [tree, whole] = [treeOf(21, 3), treeOf(21)];
    expect(missing(() => tree.inclusionProof(16))).toBeUndefined();
    expect(missing(() => tree.inclusionProof(20))).toBeUndefined();
    expect(missing(() => tree.inclusionProof(15))).toMatchObject({ start: 8, leaves: 8 });
    expect(missing(() => tree.tile(0, 0, 9))).toMatchObject({ start: 0, leaves: 8 });
    const blocks: Blocks = new Map();
    tree.load(blocks, 8, blockOf(new BlockMissing(8, 8)));
    expect([...blocks.keys()]).toEqual([1]);
    expect(hex(tree.using(blocks, () => tree.inclusionProof(15)))).toBe(hex(whole.inclusionProof(15)));
    expect(missing(() => tree.inclusionProof(15))).toMatchObject({ start: 8 });
    expect(() => tree.using(blocks, () => tree.inclusionProof(21))).toThrow(RangeError);
    expect(missing(() => tree.inclusionProof(15))).toMatchObject({ start: 8 });
  });

  test('has the same root after a question that it could not answer', () => {
    const [tree, whole] = [treeOf(700, 3), treeOf(700)];
    expect(hex(tree.root())).toBe(hex(whole.root()));
    expect(missing(() => tree.root(103))).toMatchObject({ start: 96 });
    expect(hex(tree.root())).toBe(hex(whole.root()));
    expect(hex(withBlocks(tree, () => tree.root(103)))).toBe(hex(whole.root(103)));
  });

  test('drops nodes below a height from 0 to 8', () => {
    for (const floor of [-1, 0.5, 9])
      expect(() => new MerkleTree(floor)).toThrow(
        new RangeError(`the floor must be from 0 to 8; given ${floor}`),
      );
    expect(missing(() => treeOf(256, 8).inclusionProof(0))).toMatchObject({ start: 0, leaves: 256 });
    expect(missing(() => treeOf(256, 0).inclusionProof(0))).toBeUndefined();
  });
});
