import { execFile, spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { completionScript } from '../../src/cli/commands/completion/completion-script.ts';
import { buildProgram, commandsUnder, nameOf } from '../../src/cli/program.ts';
import { GENERATED_FROM_HERE, referencePage } from '../../src/cli/reference-page.ts';
import { Output } from '../../src/cli/terminal/output.ts';
import { PROGRAM, run } from './program.ts';

const root = join(import.meta.dirname, '../..');
const environment = { url: undefined, token: undefined, context: undefined, configDir: '/nonexistent' };
const program = await buildProgram({ out: new Output(), environment }, '0.0.0');
const commands = commandsUnder(program);
const leaves = commands.filter((command) => command.commands.length === 0 || command.name() === 'key');

test('docs/cli.md describes every command of the program: its arguments, options and examples', async () => {
  const file = join(root, 'docs/cli.md');
  const [introduction = ''] = (await readFile(file, 'utf8')).split(GENERATED_FROM_HERE);
  const page = `${introduction}${GENERATED_FROM_HERE}\n\n${referencePage(program)}`;
  for (const command of leaves) expect(page).toContain(`### \`${nameOf(command)}`);
  await expect(page).toMatchFileSnapshot(file);
});

describe('--help', () => {
  test.each(leaves.map((command) => [nameOf(command), command] as const))(
    'shows a summary and an example for %s',
    (name, command) => {
      let help = '';
      command.configureOutput({ writeOut: (text) => (help += text) });
      command.outputHelp();
      expect(command.summary()).not.toBe('');
      expect(help).toContain(`Usage: ${name}`);
      const [, examples = ''] = help.split(/\nExamples?:\n/);
      for (const example of examples.trimEnd().split('\n'))
        expect(example).toMatch(/^ {2}\$ .*cluster-ledger /);
      expect(examples).toContain(name);
    },
  );

  test('lists each command of the program as its module declares it, although no module is loaded for it', async () => {
    let help = '';
    program.configureOutput({ writeOut: (text) => (help += text), getOutHasColors: () => false });
    program.outputHelp();
    expect((await run(['--help'])).stdout).toBe(help);
  });

  test('goes to stdout and ends with 0, as the output of --version does', async () => {
    const [help, version] = await Promise.all([run(['usage', '--help']), run(['--version'])]);
    expect(help).toMatchObject({
      code: 0,
      stderr: '',
      stdout: expect.stringMatching(/^Usage: cluster-ledger usage/),
    });
    const { version: own } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
    expect(version).toEqual({ code: 0, stdout: `${own}\n`, stderr: '' });
  });
});

const has = (shell: string) => spawnSync(shell, ['-c', 'true']).status === 0;
const COMPLETED = [
  [['cluster-ledger', 'per'], 'period'],
  [['cluster-ledger', 'period', 'cl'], 'close'],
  [['cluster-ledger', 'period', 'close', '2026-03', '--e'], '--early'],
  [['cluster-ledger', 'log', 'key', 'ret'], 'retire'],
  [['cluster-ledger', 'clusters', 'list', '--status', 'orp'], 'orphan'],
  [['cluster-ledger', 'clusters', 'list', '-o', 'ya'], 'yaml'],
  [['cluster-ledger', 'completion', 'z'], 'zsh'],
] as const;

/** How each shell is asked for the completions of a command line. */
const ASKED: Readonly<
  Record<'bash' | 'zsh' | 'fish', (script: string, line: readonly string[]) => string[]>
> = {
  bash: (script, line) => [
    '-c',
    `${script}\nCOMP_WORDS=(${line.join(' ')}); COMP_CWORD=${line.length - 1}; _cluster_ledger; printf '%s\\n' "\${COMPREPLY[@]}"`,
  ],
  // The completion system of zsh needs a terminal, so that its two functions are replaced by ones that print.
  zsh: (script, line) => [
    '-c',
    `compdef() {}; _files() {}; compadd() { shift; print -l -- $@ | grep -- "^${line.at(-1)}" }
${script}\nwords=(${line.join(' ')}); CURRENT=${line.length}; PREFIX=${line.at(-1)}; _cluster_ledger`,
  ],
  fish: (script, line) => ['-c', `${script}\ncomplete -C '${line.join(' ')}' | string split -f1 \\t; true`],
};

describe('completion', () => {
  describe.each(['bash', 'zsh', 'fish'] as const)('in %s', (shell) => {
    test.runIf(has(shell)).each(COMPLETED)(
      has(shell) ? 'completes %j' : `completes %j — NOT RUN: ${shell} is not installed`,
      async (line, expected) => {
        const script = completionScript(shell, program);
        const { stdout } = await promisify(execFile)(shell, ASKED[shell](script, line));
        expect(stdout.trim().split('\n')).toEqual([expected]);
      },
    );
  });

  test.each(['bash', 'zsh', 'fish'] as const)('for %s has every command', (shell) => {
    const script = completionScript(shell, program);
    for (const command of commands) expect(script).toContain(command.name());
  });

  test('is a command of the program', async () => {
    expect((await run(['completion', 'bash'])).stdout).toBe(completionScript('bash', program));
  });
});

test('a Node.js version that is too old gets a message that names the required one', async () => {
  const old = spawnSync('/usr/bin/node', [PROGRAM, '--version'], { encoding: 'utf8' });
  const { engines } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const wanted = engines.node.replace('>=', '');
  // The Node.js of this machine may be new enough, or absent.
  const [major = 0, least = 0] = [process.versions.node, wanted].map(Number.parseFloat);
  expect(major).toBeGreaterThanOrEqual(least);
  if (old.status === 1)
    expect(old.stderr).toContain(`cluster-ledger needs Node.js ${wanted} or later; this is `);
});
