import { expect, test } from 'vitest';
import { Frontier } from '../../../src/audit/verify/frontier.ts';
import { hex, leafHashOf, treeOf } from '../leaves.ts';

test('a frontier has the root of the tree at every size', () => {
  const tree = treeOf(600);
  const frontier = new Frontier();
  expect(hex(frontier.root())).toBe(hex(tree.root(0)));
  for (let size = 1; size <= 600; size++) {
    frontier.append(leafHashOf(size - 1));
    expect(frontier.size).toBe(size);
    expect(hex(frontier.root()), `${size} leaves`).toBe(hex(tree.root(size)));
  }
});
