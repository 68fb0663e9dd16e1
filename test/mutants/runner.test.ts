import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import type { MutationReport } from './count.ts';

const fileOf = (path: string) => fileURLToPath(new URL(path, import.meta.url));

const RULE = `
const letters = ['a'];
const [first] = letters;
if (first === undefined) throw new Error('no letter');
export const isSmall = (value: number) => value < 7;
export const isNear = (value: number) => value < 9;
export function sumTo(limit: number) {
  let sum = 0;
  for (let n = 1; n < limit; n++) sum += n;
  return sum;
}
export function later(value: number) {
  void Promise.resolve().then(() => {
    if (value > 3) throw new Error('too much');
  });
}
export async function arrival(value: number) {
  if (value > 1) await new Promise(() => undefined);
}
const known: number[] = [];
export function remember(value: number) {
  if (value === 5) known.push(value);
  return known.length;
}
`;

const TESTS = `
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { arrival, isNear, isSmall, later, remember, sumTo } from './rule.ts';
let steps: string[] = [];
describe.each([['a value']])('%s', () => {
  beforeEach(() => {
    steps = ['before'];
  });
  afterEach(() => {
    steps.push('after');
  });
  test.each([[6, true], [7, false]])('%d is small: %s', (value, small) => {
    onTestFinished(() => expect(steps).toEqual(['before', 'after']));
    expect(isSmall(value)).toBe(small);
    expect(isNear(1)).toBe(true);
  });
});
test('the sum', () => expect(sumTo(4)).toBe(6));
test('a small value is not reported', () => later(2));
test('a small value arrives', () => arrival(1));
test('no value is remembered', () => expect(remember(4)).toBe(0));
`;

/** Runs Stryker on a rule and its tests. @returns each change of the rule and what became of it. */
function mutantsOf(rule: string, tests: string) {
  const folder = mkdtempSync(join(tmpdir(), 'ledger-rule-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'rule.ts'), rule);
  writeFileSync(join(folder, 'rule.test.ts'), tests);
  const config = {
    testRunner: 'in-process',
    plugins: [fileOf('./runner.ts')],
    mutate: ['rule.ts'],
    roomTests: ['rule.test.ts'],
    concurrency: 1,
    reporters: ['json'],
    jsonReporter: { fileName: 'report.json' },
  };
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  const stryker = fileOf('../../node_modules/@stryker-mutator/core/bin/stryker.js');
  const { status, stdout } = spawnSync(process.execPath, [stryker, 'run', 'config.json'], { cwd: folder });
  if (status !== 0) return { output: stdout.toString(), statuses: {} };
  const { files } = JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8')) as MutationReport;
  const lines = rule.split('\n');
  const statuses: Record<string, string> = {};
  for (const { location, replacement = '', status: found } of files['rule.ts']?.mutants ?? []) {
    const { line, column } = location.start;
    statuses[`${lines[line - 1]?.slice(column - 1)} => ${replacement}`] = found;
  }
  return { output: stdout.toString(), statuses };
}

test('a change counts as noticed if a test fails because of it, the import of a module does, or it does not end', () => {
  const { output, statuses } = mutantsOf(RULE, TESTS);
  expect(statuses, output).toMatchObject({
    'value < 7; => value <= 7': 'Killed',
    'value < 9; => value <= 9': 'Survived',
    '\'no letter\'); => ""': 'NoCoverage',
    // While the modules are imported.
    "['a']; => []": 'Killed',
    '\'a\']; => ""': 'Survived',
    'n++) sum += n; => n--': 'Timeout',
    // A wait for nothing.
    'value > 1) await new Promise(() => undefined); => true': 'Timeout',
    // An error that nothing handles.
    "value > 3) throw new Error('too much'); => true": 'Killed',
    "value > 3) throw new Error('too much'); => value >= 3": 'Survived',
    // The list remains in memory. The change of it by one mutant is not held against the other.
    'value === 5) known.push(value); => true': 'Killed',
    'value === 5) known.push(value); => false': 'Survived',
  });
});

test('tests that fail without any change are named, and nothing is measured', () => {
  const failing = TESTS.replace('toBe(6)', 'toBe(7)');
  const { output, statuses } = mutantsOf(RULE, failing);
  expect(output).toContain('rule.test.ts > the sum');
  expect(output).toContain('expected 6 to be 7');
  expect(statuses).toEqual({});
});
