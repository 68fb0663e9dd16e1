import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { axisOf, shownLabels } from '../../web/ui/chart-axis.ts';

describe('the axis of a chart', () => {
  test('has round lines from zero to at least the largest value', () => {
    expect(axisOf(230, true)).toEqual([0, 50, 100, 150, 200, 250]);
    expect(axisOf(3, true)).toEqual([0, 1, 2, 3]);
    expect(axisOf(0.3, false)).toEqual([0, 0.1, 0.2, 0.3]);
    expect(axisOf(0, true)).toEqual([0, 1]);
  });

  test('has few lines in equal steps, whatever the values are', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000_000 }), (max) => {
        const lines = axisOf(max, true);
        const [, step = 0] = lines;
        expect(lines.at(-1)).toBeGreaterThanOrEqual(max);
        expect(lines.length).toBeLessThanOrEqual(6);
        expect(lines.every((line, i) => line === i * step && Number.isInteger(line))).toBe(true);
      }),
    );
  });

  test('leaves out labels that do not fit, and keeps the last one', () => {
    const labels = Array.from({ length: 31 }, (_, i) => `Nov ${i + 1}`);
    expect(shownLabels(labels, 100)).toHaveLength(31);
    expect(shownLabels(labels, 9)).toHaveLength(5);
    expect(shownLabels(labels, 9).at(-1)).toBe(30);
  });
});
