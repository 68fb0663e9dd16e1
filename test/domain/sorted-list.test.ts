import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SortedList } from '../../src/domain/sorted-list.ts';

interface Item {
  readonly key: number;
  readonly name: string;
}

const item = (key: number, name = ''): Item => ({ key, name });
const listOf = (...items: readonly Item[]) => {
  const list = new SortedList<Item>((a, b) => a.key - b.key);
  for (const each of items) list.add(each);
  return list;
};
const shown = (list: SortedList<Item>) =>
  Array.from({ length: list.length }, (_, i) => `${list.at(i)?.key}${list.at(i)?.name}`);

describe('a sorted list', () => {
  test('is empty at first', () => {
    const list = listOf();
    expect(list.length).toBe(0);
    expect(list.at(0)).toBeUndefined();
    expect(list.firstIndex(() => true)).toBe(0);
    expect(list.remove(item(1))).toBe(false);
  });

  test('has its items in order, and equal ones in the order in which they were added', () => {
    const list = listOf(item(2, 'a'), item(1, 'a'), item(2, 'b'), item(1, 'b'), item(3, 'a'), item(0, 'a'));
    expect(shown(list)).toEqual(['0a', '1a', '1b', '2a', '2b', '3a']);
    expect(list.at(-1)).toEqual(item(3, 'a'));
    expect(list.at(6)).toBeUndefined();
  });

  test('takes many items at once, behind equal ones that it has', () => {
    const list = listOf(item(2, 'a'));
    list.addAll([item(3, 'b'), item(1, 'b'), item(2, 'b')]);
    expect(shown(list)).toEqual(['1b', '2a', '2b', '3b']);
  });

  test('removes the very item, and not one that compares as equal', () => {
    const [a, b, c] = [item(1, 'a'), item(1, 'b'), item(1, 'c')];
    const list = listOf(item(0), a, b, c, item(2));
    expect(list.remove(item(1, 'a'))).toBe(false);
    expect(list.remove(a)).toBe(true);
    expect(list.remove(a)).toBe(false);
    expect(shown(list)).toEqual(['0', '1b', '1c', '2']);
    expect(list.remove(c)).toBe(true);
    expect(list.remove(b)).toBe(true);
    expect(shown(list)).toEqual(['0', '2']);
  });

  test('finds the first item for which a condition holds', () => {
    const list = listOf(...[1, 3, 5, 7].map((key) => item(key)));
    expect([0, 1, 2, 3, 6, 7, 8].map((least) => list.firstIndex(({ key }) => key >= least))).toEqual([
      0, 0, 1, 1, 3, 3, 4,
    ]);
  });

  test('is what sorting would make of any additions and removals', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(5)), fc.array(fc.nat(20)), (keys, removals) => {
        const items = keys.map((key, n) => item(key, `${n}`));
        const list = listOf(...items);
        const expected = items.toSorted((a, b) => a.key - b.key);
        for (const n of removals) {
          const removed = items[n];
          const at = removed === undefined ? -1 : expected.indexOf(removed);
          expect(list.remove(removed ?? item(9))).toBe(at !== -1);
          if (at !== -1) expected.splice(at, 1);
        }
        expect(shown(list)).toEqual(expected.map(({ key, name }) => `${key}${name}`));
      }),
    );
  });
});
