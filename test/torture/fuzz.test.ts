import { expect, test } from 'vitest';
import { fuzz } from './fuzz/fuzz.ts';

const SEED = 20_261_126;

test('no parser and no route crashes, hangs, or takes a forgery, of 3,000 texts with defects', async () => {
  const { findings, inputs, taken } = await fuzz({ seed: SEED, count: 3_000 });
  expect(findings).toEqual([]);
  expect(inputs).toBe(3_000);
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
  const hanging = {
    name: 'hangs',
    samples,
    refusals: [],
    parse: (text: string) => void /^(\w+\s?)*$/.test(text.length > 100 ? `${'a'.repeat(30)}!` : ''),
  };
  const { findings } = await fuzz({ seed: SEED, count: 2_000, plant: [throwing, hanging] });
  expect(findings.join('\n')).toContain('throws: TypeError: not a refusal');
  expect(findings.join('\n')).toMatch(/input \d+ of seed \d+ took \d+ ms of CPU/);
});
