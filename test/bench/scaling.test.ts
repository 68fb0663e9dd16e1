import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FACTS_PER_CLUSTER_MONTH, simulateMonths } from './scaling/simulate-month.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/scaling.md'), 'utf8');

/** Returns the figure of a row of the first table. */
function figure(row: string): number {
  const found = new RegExp(`^\\| ${row}.*?\\| ([\\d,.]+) `, 'm').exec(page)?.[1];
  return Number((found ?? '').replaceAll(',', ''));
}

test('docs/scaling.md has the sizes that a simulated fleet really has, and sums that follow from them', async () => {
  const month = await simulateMonths(3_000, 3);
  expect(figure('facts per cluster and month')).toBeCloseTo(FACTS_PER_CLUSTER_MONTH, 5);
  expect(month.facts / (3_000 * (1 + 3 * FACTS_PER_CLUSTER_MONTH))).toBeCloseTo(1, 3);
  // A small file has a larger share of pages that are half full.
  expect(month.bytesPerFact / figure('size of the log')).toBeGreaterThan(0.85);
  expect(month.bytesPerFact / figure('size of the log')).toBeLessThan(1.2);
  expect(month.snapshotBytesPerFact / figure('size of a snapshot')).toBeGreaterThan(0.8);
  expect(month.snapshotBytesPerFact / figure('size of a snapshot')).toBeLessThan(1.25);
  for (const [, clusters, , total, log] of page.matchAll(
    /^\| ([\d,.]+(?: million)?) +\| ([\d,.]+(?: million)?) +\| ([\d,.]+(?: million)?) +\| ([\d.]+ [MG]B) /gm,
  )) {
    const facts = count(clusters as string) * (1 + 36 * FACTS_PER_CLUSTER_MONTH);
    expect(count(total as string) / facts, clusters).toBeCloseTo(1, 1);
    expect(count(log as string) / (facts * figure('size of the log')), clusters).toBeCloseTo(1, 1);
  }
});

/** Reads a figure such as `3.5 million` or `1.3 GB`. */
function count(text: string): number {
  const [value = '', unit = ''] = text.split(' ');
  const factors: Readonly<Record<string, number>> = { million: 1e6, MB: 1e6, GB: 1e9 };
  return Number(value.replaceAll(',', '')) * (factors[unit] ?? 1);
}
