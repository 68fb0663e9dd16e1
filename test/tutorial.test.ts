import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { PROGRAM } from './cli/program.ts';
import { LedgerProcess } from './support/ledger-process.ts';
import { blocksOf } from './support/page.ts';

const run = promisify(execFile);

/** Commands that other tests run: `npm ci` is what brings this test here, and test/npm-scripts.test.ts runs `npm start`. */
const INSTALL = 'npm ci';
const START = 'npm start';

/** Compares an output with the one on the page, line by line; `…` on the page stands for any text. */
function expectAsShown(output: string, shown: string): void {
  const pattern = shown.split('…').map((text) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  expect(output.trimEnd()).toMatch(new RegExp(`^${pattern.join('.*')}$`));
}

test('every command of docs/tutorial.md works in order, and prints what the page shows', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ledger-tutorial-'));
  const ledger = new LedgerProcess({ LEDGER_DATA_DIR: join(folder, 'data') }, folder);
  onTestFinished(async () => {
    await ledger.stop();
    await rm(folder, { recursive: true });
  });
  const shell = async (command: string) => {
    const here = command.replace(/^npx cluster-ledger /gm, `'${process.execPath}' '${PROGRAM}' `);
    const surroundings = `export XDG_CONFIG_HOME='${folder}' LEDGER_URL='${ledger.url}'`;
    return (await run('bash', ['-e', '-c', `${surroundings}\n${here}`], { cwd: folder })).stdout;
  };
  const commands: string[] = [];
  let output = '';
  for (const { language, text } of await blocksOf('docs/tutorial.md')) {
    if (language === 'text') expectAsShown(output, text);
    if (language !== 'sh') continue;
    commands.push(text);
    if (text === START) await ledger.start();
    else if (text !== INSTALL) output = await shell(text);
  }
  expect(commands.slice(0, 1)).toEqual([INSTALL]);
  expect(commands).toContain(START);
  expect(output).toContain('verified: acme, 2026-03');
});
