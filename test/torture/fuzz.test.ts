import { expect, test } from 'vitest';
import { fuzz } from './fuzz/fuzz.ts';

const SEED = 20_261_126;

test('no parser and no route crashes, hangs, or takes a forgery, of 1,000 texts with defects', async () => {
  const { findings, inputs, taken } = await fuzz({ seed: SEED, count: 1_000 });
  expect(findings).toEqual([]);
  expect(inputs).toBe(1_000);
  // Texts that are refused at the first byte try nothing behind it.
  expect([...taken.values()].every((number) => number > 0)).toBe(true);
  expect(taken.size).toBeGreaterThanOrEqual(14);
});

test('the fuzzer finds a parser that throws what it does not say, and one that hangs', async () => {
  const samples = ['abc'];
  const throwing = {
    name: 'throws',
    samples,
    refusals: [SyntaxError],
    parse: (text: string) => {
      if (text.includes('\u0000')) throw new TypeError('not a refusal');
    },
  };
  let hangs = 0;
  const hanging = {
    name: 'hangs',
    samples,
    refusals: [],
    // Once is enough.
    parse: (text: string) => {
      if (text.length < 100 || hangs++ > 0) return;
      const before = process.threadCpuUsage();
      while (process.threadCpuUsage(before).user < 1_200_000);
    },
  };
  const { findings } = await fuzz({ seed: SEED, count: 2_000, plant: [throwing, hanging] });
  expect(findings.join('\n')).toContain('throws: TypeError: not a refusal');
  expect(findings.join('\n')).toMatch(/input \d+ of seed \d+ took \d+ ms of CPU/);
});
