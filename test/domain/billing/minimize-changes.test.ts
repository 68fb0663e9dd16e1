import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { minimizeChanges } from '../../../src/domain/billing/minimize-changes.ts';

/** Runs a search to its end. @returns the remaining changes, and how often it could have paused and asked. */
function search<T>(changes: readonly T[], isSufficient: (subset: ReadonlySet<T>) => boolean, cost = 1) {
  let [pauses, asked] = [0, 0];
  const steps = minimizeChanges(
    changes,
    // biome-ignore lint/correctness/useYield: this test has nothing to wait for.
    function* (subset) {
      asked += 1;
      return isSufficient(subset);
    },
    cost,
  );
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return { left: value, pauses, asked };
    pauses += 1;
  }
}

const has = (...needed: readonly number[]) => {
  return (subset: ReadonlySet<number>) => needed.every((change) => subset.has(change));
};
const numbers = (count: number) => Array.from({ length: count }, (_, i) => i);

describe('the smallest cause of an effect', () => {
  test.each([
    [[3], 8],
    [[0], 7],
    [[6], 7],
    [[0, 6], 7],
    [[2, 3, 5], 9],
    [[0], 1],
    [[], 5],
    [[], 0],
  ])('is %j of %d changes', (needed, count) => {
    expect(search(numbers(count), has(...needed)).left).toEqual(needed);
  });

  test('lacks nothing that it needs, and has nothing that can be left out alone', () => {
    const sets = fc.uniqueArray(fc.nat(19), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(fc.array(sets, { minLength: 1, maxLength: 4 }), (alternatives) => {
        const isSufficient = (subset: ReadonlySet<number>) =>
          alternatives.some((each) => has(...each)(subset));
        const { left } = search(numbers(20), isSufficient);
        expect(isSufficient(new Set(left))).toBe(true);
        for (const change of left)
          expect(isSufficient(new Set(left.filter((each) => each !== change)))).toBe(false);
      }),
    );
  });

  test('is found again once another change was left out: 3 is needed only beside 2', () => {
    const isSufficient = (subset: ReadonlySet<number>) => subset.has(0) && (!subset.has(2) || subset.has(3));
    expect(search([0, 3, 2], isSufficient).left).toEqual([0]);
    const alone = (subset: ReadonlySet<number>) => !subset.has(2) || subset.has(3);
    expect(search([3, 2], alone).left).toEqual([]);
  });

  test('is found with few questions among 1,024 changes, and the search can pause before each', () => {
    const { left, pauses, asked } = search(numbers(1_024), has(700));
    expect(left).toEqual([700]);
    expect(asked).toBeLessThan(40);
    expect(pauses).toBe(asked);
  });

  test('is whole if the first questions would already be too much work', () => {
    expect(search(numbers(8), has(3), 1_000_001)).toEqual({ left: numbers(8), pauses: 1, asked: 0 });
  });

  test('is as small as the allowed work could make it', () => {
    const { left, asked } = search(numbers(8), has(3), 500_000);
    expect(asked).toBe(2);
    expect(left).toEqual([0, 1, 2, 3]);
  });
});
