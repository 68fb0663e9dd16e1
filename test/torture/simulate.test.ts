import { expect, test } from 'vitest';
import { simulate as run } from './simulate/main.ts';
import { PLANTS } from './simulate/plants.ts';

/** Runs the harness. @returns its exit code and its output */
async function simulate(seed: number, ...args: string[]): Promise<{ code: number; stdout: string }> {
  const written: string[] = [];
  const code = await run(['--seed', String(seed), ...args], {
    write: (text) => written.push(String(text)) > 0,
  });
  return { code, stdout: written.join('') };
}

test('two replicas lose, double and misstate nothing in 200 simulated lives with crashes, cuts, lost messages and clocks that jump', async () => {
  const { code, stdout } = await simulate(1, '--count', '200');
  expect(code, stdout).toBe(0);
  expect(stdout).toContain('0 seeds with findings');
  // Every kind of trouble has happened, so the run has tried something.
  expect(stdout).not.toMatch(/[:,;] 0 (?!seeds)/);
});

test('a seed gives the same life each time', async () => {
  const [one, two] = await Promise.all([simulate(1, '--count', '3'), simulate(1, '--count', '3')]);
  expect(one.stdout).toBe(two.stdout);
});

const FOUND: Readonly<Record<(typeof PLANTS)[number], RegExp>> = {
  'claim-before-write': /was acknowledged and is not in the log/,
  'skip-on-error': /it failed: RangeError: event \d+ does not follow \d+/,
  'new-ids-on-retry': /is recorded twice/,
  'short-read': /rejected because its target is unknown, which was acknowledged before/,
  'choice-of-its-own': /statements were said to begin with 2026-04, and begin with undefined/,
};
/** The first of the seeds of a mistake that few lives show. */
const SHOWN_FROM: Partial<Record<(typeof PLANTS)[number], number>> = { 'choice-of-its-own': 473 };

test('the simulator finds each planted mistake, and names a seed that shows it', async () => {
  const runs = await Promise.all(
    PLANTS.map((plant) => simulate(SHOWN_FROM[plant] ?? 1, '--count', '12', '--plant', plant)),
  );
  for (const [i, { code, stdout }] of runs.entries()) {
    expect(code, PLANTS[i]).toBe(1);
    expect(stdout, PLANTS[i]).toMatch(FOUND[PLANTS[i] as (typeof PLANTS)[number]]);
    expect(stdout).toMatch(/--seed \d+ --count 1: /);
  }
});
