/** The process of a share of a harness: runs its cases and sends the report to its parent. Its argument is a `Share` as JSON. */

import type { Share } from './shares.ts';

const { module, run, seed, count } = JSON.parse(process.argv[2] ?? '') as Share;
const { [run]: harness } = await import(module);
const began = performance.now();
const progress = (report: object) => {
  const minutes = ((performance.now() - began) / 60_000).toFixed(1);
  const numbers = Object.entries(report).map(([name, value]) => `${name} ${sizeOf(value)}`);
  process.stderr.write(`seed ${seed}, ${minutes} min: ${numbers.join(', ')}\n`);
};
const report = await harness({ seed, count, progress });
process.send?.(report, () => process.exit(0));

function sizeOf(value: unknown): unknown {
  return Array.isArray(value) ? value.length : value instanceof Map ? value.size : value;
}
