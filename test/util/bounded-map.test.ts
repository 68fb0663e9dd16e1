import fc from 'fast-check';
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

  test('evicts the oldest of the entries that are left after some were deleted, and after all were', () => {
    const map = filled().set('c', 3);
    map.delete('b');
    expect([...map.set('d', 4).set('e', 5).keys()]).toEqual(['d', 'e']);
    map.clear();
    expect([...map.set('f', 6).set('g', 7).set('h', 8).keys()]).toEqual(['g', 'h']);
  });

  test('has the entries of a list that drops its first one, whatever is set and deleted', () => {
    const steps = fc.array(
      fc.record({ does: fc.constantFrom('set', 'setNewest', 'delete'), key: fc.nat(6) }),
    );
    fc.assert(
      fc.property(steps, (taken) => {
        const map = new BoundedMap<number, number>(3);
        let keys: number[] = [];
        for (const { does, key } of taken) {
          if (does === 'delete') map.delete(key);
          else map[does as 'set' | 'setNewest'](key, key);
          if (does !== 'set' || !keys.includes(key)) keys = keys.filter((other) => other !== key);
          if (does !== 'delete' && !keys.includes(key)) keys = [...keys, key].slice(-3);
          expect([...map.keys()]).toEqual(keys);
        }
      }),
    );
  });
});
