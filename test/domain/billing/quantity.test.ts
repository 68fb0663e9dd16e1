import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  AmountSum,
  ExactSum,
  extended,
  formatAverage,
  formatRatio,
  formatSeconds,
  parseSeconds,
} from '../../../src/domain/billing/quantity.ts';

describe('billed time in milliseconds', () => {
  test.each([
    [0n, '0.000'],
    [1n, '0.001'],
    [999n, '0.999'],
    [1_000n, '1.000'],
    [-1n, '-0.001'],
    [-1_500n, '-1.500'],
    [2n ** 53n + 1n, '9007199254740.993'],
  ])('formats %d ms as %s seconds', (ms, text) => {
    expect(formatSeconds(ms)).toBe(text);
  });
});

describe('a ratio', () => {
  test.each([
    [1n, 8n, 2, '0.12'],
    [3n, 8n, 2, '0.38'],
    [3n, 4n, 1, '0.8'],
    [1n, 4n, 1, '0.2'],
    [2n, 3n, 3, '0.667'],
    [1n, 3n, 3, '0.333'],
    [20n, 2n, 2, '10.00'],
  ])(
    'divides %d by %d, with %d places and a middle rounded to even, to %s',
    (numerator, denominator, places, text) => {
      expect(formatRatio(numerator, denominator, places)).toBe(text);
    },
  );
});

describe('an average', () => {
  test.each([
    [1n, 2n, '0.500000'],
    [1n, 3n, '0.333333'],
    [2n, 3n, '0.666667'],
    [10n, 1n, '10.000000'],
    [0n, 7n, '0.000000'],
  ])('divides %d by %d to %s', (numerator, denominator, text) => {
    expect(formatAverage(numerator, Number(denominator))).toBe(text);
  });

  test.each([
    [1n, '0.000000'],
    [3n, '0.000002'],
    [5n, '0.000002'],
    [7n, '0.000004'],
  ])('rounds a value in the middle to even: %d / 2,000,000 is %s', (numerator, text) => {
    expect(formatAverage(numerator, 2_000_000)).toBe(text);
  });

  test('rounds a value just above the middle up, and just below it down', () => {
    expect(formatAverage(1_000_001n, 2_000_000_000_000)).toBe('0.000001');
    expect(formatAverage(2_999_999n, 2_000_000_000_000)).toBe('0.000001');
  });

  test.each([
    [98_729_151_243n, 100_000_001_259n, '0.987292'],
    [660_903_501_185n, 1_000_000_001_793n, '0.660904'],
    [8_925_205_001_420n, 10_000_000_001_591n, '0.892520'],
  ])('is exact in a window of years, where a float is not: %d / %d is %s', (numerator, denominator, text) => {
    expect(formatAverage(numerator, Number(denominator))).toBe(text);
  });

  test('is the same computed with numbers as with bigints', () => {
    const denominators = fc.oneof(fc.bigInt(1n, 9_100_000_000n), fc.bigInt(1n, 100n));
    const numerators = fc.oneof(fc.bigInt(0n, 2n ** 54n), fc.bigInt(2n ** 53n - 100n, 2n ** 53n + 100n));
    fc.assert(
      fc.property(denominators, numerators, fc.bigInt(-3n, 3n), (denominator, numerator, off) => {
        expect(formatAverage(numerator, Number(denominator))).toBe(formatRatio(numerator, denominator, 6));
        // Quotients at and next to whole numbers and middles.
        const near = (numerator / denominator) * denominator + off + (numerator % 2n) * (denominator / 2n);
        if (near >= 0n)
          expect(formatAverage(near, Number(denominator))).toBe(formatRatio(near, denominator, 6));
      }),
      { numRuns: 5_000 },
    );
  });

  test('is the same of a number as of a bigint', () => {
    const ms = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
    const windows = fc.oneof(
      fc.integer({ min: 1, max: 3_000_000_000 }),
      fc.integer({ min: 1, max: 2 ** 40 }),
    );
    fc.assert(
      fc.property(ms, windows, (billed, window) => {
        expect(formatAverage(billed, window)).toBe(formatAverage(BigInt(billed), window));
        expect(formatSeconds(billed)).toBe(formatSeconds(BigInt(billed)));
      }),
    );
  });

  test('is zero for an empty window', () => {
    expect(formatAverage(0n, 0)).toBe('0.000000');
  });
});

describe('billed time that goes on', () => {
  test.each([
    [1_000n, 3, 10, 1_030],
    [1_000n, 3, -10, 970],
    [1_000n, 0, 10, 1_000],
    [2n ** 53n - 2n, 1, 1, Number.MAX_SAFE_INTEGER],
    [2n ** 53n - 1n, 1, 1, 2n ** 53n],
    [2n ** 60n, 2, 5, 2n ** 60n + 10n],
    // The product is not exact as a number.
    [1n, 5_000_001, 2_592_000_001, 12_960_002_597_000_002n],
  ])('extends %d ms of %d clusters by %d ms each to %d', (ms, clusters, later, expected) => {
    expect(extended(ms, clusters, later)).toBe(expected);
  });
});

describe('a sum of billed times', () => {
  test('is exact beyond 2^53, where a float is not', () => {
    const sum = new ExactSum();
    for (const value of [2 ** 52 - 1, 2 ** 52 - 1, 2 ** 52 - 1, 2]) sum.add(value);
    expect(sum.total).toBe(3n * (2n ** 52n - 1n) + 2n);
  });

  test('equals the sum of bigints', () => {
    const milliseconds = fc.array(fc.integer({ min: 0, max: 2 ** 52 - 1 }), { maxLength: 30 });
    fc.assert(
      fc.property(milliseconds, (values) => {
        const sum = new ExactSum();
        for (const value of values) sum.add(value);
        expect(sum.total).toBe(values.reduce((total, value) => total + BigInt(value), 0n));
      }),
    );
  });

  test('adds another sum, however large both are', () => {
    const large = 2 ** 52 - 1;
    const [sum, other] = [new ExactSum(), new ExactSum()];
    for (const value of [large, large, 5]) sum.add(value);
    for (const value of [large, large, large, 7]) other.add(value);
    sum.addAll(other);
    expect(sum.total).toBe(5n * BigInt(large) + 12n);
    expect(other.total).toBe(3n * BigInt(large) + 7n);
  });
});

describe('seconds of a statement', () => {
  test.each([
    ['0.000', 0n],
    ['12.345', 12_345n],
    ['-1.500', -1_500n],
  ])('%s are %d ms', (text, ms) => {
    expect(parseSeconds(text)).toBe(ms);
  });

  test.each(['1', '1.5', '1.0000', ' 1.000', '1.000 ', 'x1.000', '1,000', '.000', 1.125, null, undefined])(
    'are not %j',
    (text) => {
      expect(parseSeconds(text)).toBeUndefined();
    },
  );
});

describe('a sum of amounts', () => {
  test('counts clusters and time, each with its sign', () => {
    const sum = new AmountSum()
      .add({ billableClusters: 3, clusterSeconds: '10.500' })
      .add({ billableClusters: 2, clusterSeconds: '0.250' })
      .subtract({ billableClusters: 4, clusterSeconds: '11.000' });
    expect(sum.total).toEqual({ billableClusters: 1, clusterSeconds: '-0.250' });
  });

  test('is zero of nothing', () => {
    expect(new AmountSum().total).toEqual({ billableClusters: 0, clusterSeconds: '0.000' });
  });
});
