/**
 * Changes the rules and the audit in thousands of places, one at a time, and runs the tests of the room that was changed:
 * `npm run mutants -- [room …]`. Exits with 1 if the tests of a room notice less than nine in ten. Each room leaves its report in
 * reports/mutants/.
 */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Counts, count } from './count.ts';
import { ROOMS } from './rooms.ts';

/** Share of mutants that the tests of each room must notice. */
const AT_LEAST = 0.9;

const stryker = fileURLToPath(
  new URL('../../node_modules/@stryker-mutator/core/bin/stryker.js', import.meta.url),
);
const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !(name in ROOMS));
if (unknown.length > 0) {
  process.stderr.write(`no room ${unknown.join(', ')}; the rooms are ${Object.keys(ROOMS).join(', ')}\n`);
  process.exit(2);
}
let isGood = true;
for (const [name, { mutate, tests, isThread = false }] of Object.entries(ROOMS)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  const report = join('reports', 'mutants', `${name.replace('/', '-')}.json`);
  const config = join(tmpdir(), `stryker-${process.pid}.json`);
  writeFileSync(
    config,
    JSON.stringify({
      testRunner: 'in-process',
      plugins: ['./test/mutants/runner.ts', './test/mutants/descriptions.js'],
      ignorers: ['descriptions'],
      // Modules that were imported anew stay in memory.
      maxTestRunnerReuse: 400,
      // A test may take twice as long as in the first run: other work may slow it down.
      timeoutFactor: 2,
      timeoutMS: 10_000,
      mutate,
      roomTests: tests,
      coverageAnalysis: isThread ? 'off' : 'perTest',
      concurrency: 1,
      reporters: ['json', 'progress-append-only'],
      jsonReporter: { fileName: report },
      tempDirName: mkdtempSync(join(tmpdir(), 'ledger-mutants-')),
      warnings: { slow: false },
    }),
  );
  const { status } = spawnSync(process.execPath, [stryker, 'run', config], { stdio: ['ignore', 2, 2] });
  if (status !== 0) process.exit(status ?? 1);
  const counts = count(JSON.parse(readFileSync(report, 'utf8')));
  isGood &&= counts.score >= AT_LEAST;
  process.stdout.write(`${line(name, counts)}\n`);
}
process.exit(isGood ? 0 : 1);

function line(name: string, { mutants, noticed, score, survivors }: Counts): string {
  const lines = survivors.map((text) => `  ${text}`);
  return [`${name}: ${noticed} of ${mutants} mutants noticed, ${(score * 100).toFixed(1)} %`, ...lines].join(
    '\n',
  );
}
