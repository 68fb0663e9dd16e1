import { describe, expect, test } from 'vitest';
import { BoundedMap } from '../../src/util/bounded-map.ts';

function filled(): BoundedMap<string, number> {
  return new BoundedMap<string, number>(2).set('a', 1).set('b', 2);
}

describe('BoundedMap', () => {
  test('evicts the oldest entry when one more is added', () => {
    expect([...filled().set('c', 3)]).toEqual([
      ['b', 2],
      ['c', 3],
    ]);
  });

  test('set() on an existing key evicts nothing and keeps its age', () => {
    expect([...filled().set('a', 9)]).toEqual([
      ['a', 9],
      ['b', 2],
    ]);
  });

  test('setNewest() on an existing key makes another entry the oldest', () => {
    expect([...filled().setNewest('a', 1).set('c', 3).keys()]).toEqual(['a', 'c']);
  });
});
