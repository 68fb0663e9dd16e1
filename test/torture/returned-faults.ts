/**
 * Puts the faults of docs/reliability.md, _Faults of the first releases_, back into the sources, one at a time, and runs the tests that
 * are named there. Each test must pass without the fault, and fail with it.
 */

import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RETURNED_FAULTS, type ReturnedFault } from './returned-faults-table.ts';

export interface ReturnedFaultsReport {
  readonly faults: number;
  /** Tests that failed with their fault. */
  readonly noticed: number;
  readonly findings: readonly string[];
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** A fault may let a test wait for something that never comes. */
const TEST_TIMEOUT_MS = 60_000;

/** @param faults default: all. */
export async function returnedFaults(
  progress: (text: string) => void,
  faults: readonly ReturnedFault[] = RETURNED_FAULTS,
): Promise<ReturnedFaultsReport> {
  const copy = await copyOfSources();
  let noticed = 0;
  const findings: string[] = [];
  try {
    const before = run(copy, faults);
    for (const { test } of faults) {
      const { passed, failed } = countOf(before, test);
      if (passed === 0 || failed > 0)
        findings.push(`${test}: ${passed} passed and ${failed} failed without the fault`);
    }
    progress('without faults, all tests were run');
    for (const fault of faults) {
      const put = await putBack(copy, fault);
      const { passed, failed } = countOf(run(copy, [fault]), fault.test);
      await put.undo();
      if (failed > 0) noticed++;
      else findings.push(`${fault.test}: ${passed} passed with the fault`);
      progress(`${fault.test}: with the fault, ${failed} failed and ${passed} passed`);
    }
    return { faults: faults.length, noticed, findings };
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}

async function putBack(copy: string, { edits }: ReturnedFault): Promise<{ undo(): Promise<void> }> {
  const originals = new Map<string, string>();
  for (const { file, from, to } of edits) {
    const path = join(copy, file);
    const text = await readFile(path, 'utf8');
    if (!originals.has(path)) originals.set(path, text);
    await writeFile(path, replacedOnce(text, from, to));
  }
  return {
    undo: async () => {
      for (const [path, text] of originals) await writeFile(path, text);
    },
  };
}

/** @throws Error if the text is not there, or more than once. */
export function replacedOnce(text: string, from: string, to: string): string {
  if (text.split(from).length !== 2) throw new Error(`not there exactly once: ${from}`);
  return text.replace(from, () => to);
}

async function copyOfSources(): Promise<string> {
  const copy = await mkdtemp(join(tmpdir(), 'returned-faults-'));
  const filter = (path: string) => !['node_modules', '.git'].includes(basename(path));
  await cp(ROOT, copy, { recursive: true, preserveTimestamps: true, filter });
  await symlink(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  return copy;
}

/** The result of one test. */
interface Result {
  readonly file: string;
  readonly name: string;
  readonly status: string;
}

/** Runs the tests of faults in one process. */
function run(copy: string, faults: readonly ReturnedFault[]): Result[] {
  const tests = faults.map(({ test }) => partsOf(test));
  const files = [...new Set(tests.map(({ file }) => file))];
  const pattern = tests.map(({ title }) => RegExp.escape(title)).join('|');
  const vitest = join(copy, 'node_modules/vitest/vitest.mjs');
  const report = join(copy, 'report.json');
  rmSync(report, { force: true });
  const limits = ['--maxWorkers=1', `--testTimeout=${TEST_TIMEOUT_MS}`, `--hookTimeout=${TEST_TIMEOUT_MS}`];
  const args = [vitest, 'run', ...files, '-t', pattern, '--reporter=json', `--outputFile=${report}`];
  spawnSync(process.execPath, [...args, ...limits], { cwd: copy, stdio: 'ignore' });
  const { testResults } = JSON.parse(readFileSync(report, 'utf8')) as Report;
  return testResults.flatMap(({ name: file, assertionResults }) =>
    assertionResults.map(({ fullName: name, status }) => ({ file, name, status })),
  );
}

/** The parts of a report of Vitest that are read here. */
interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
  }[];
}

function countOf(
  results: readonly Result[],
  test: string,
): { readonly passed: number; readonly failed: number } {
  const { file, title } = partsOf(test);
  const own = results.filter((result) => result.file.endsWith(file) && result.name.includes(title));
  const count = (status: string) => own.filter((result) => result.status === status).length;
  return { passed: count('passed'), failed: count('failed') };
}

/** Returns the file and the title of a test. Of a title with parameters, it returns the part that is the same for all. */
function partsOf(test: string): { readonly file: string; readonly title: string } {
  const [, file = '', title = ''] = /^(\S+): (.*)$/.exec(test) ?? [];
  return { file, title: title.split('%')[0] ?? '' };
}
