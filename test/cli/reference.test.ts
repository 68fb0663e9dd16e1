import { execFile, spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { completionScript } from '../../src/cli/commands/completion/completion-script.ts';
import { buildProgram, commandsUnder, nameOf } from '../../src/cli/program.ts';
import { Output } from '../../src/cli/terminal/output.ts';
import { folderForTest, PROGRAM, run } from './program.ts';

const root = join(import.meta.dirname, '../..');
const environment = { url: undefined, token: undefined, context: undefined, configDir: '/nonexistent' };
const program = buildProgram({ out: new Output(), environment }, '0.0.0');
const commands = commandsUnder(program);
const leaves = commands.filter((command) => command.commands.length === 0 || command.name() === 'key');

/** Returns the options of a command in the form `--period <month>`. */
const optionsOf = (command: Command) => command.options.map(({ flags }) => flags);

test('docs/cli.md lists exactly the commands, arguments and options of the program', async () => {
  const page = await readFile(join(root, 'docs/cli.md'), 'utf8');
  const shared = new Map<string, string[]>();
  for (const [, name, rows] of page.matchAll(/^## (Options of .+)\n([\s\S]*?)(?=^## )/gm))
    shared.set(name as string, flagsIn(rows as string));
  const sections = [...page.matchAll(/^### `(cluster-ledger .+)`\n([\s\S]*?)(?=^#|(?![\s\S]))/gm)];
  const documented = sections.map(([, call, text]) => {
    const linked = [...(text as string).matchAll(/\[(Options of [^\]]+)\]/g)].map(
      ([, name]) => name as string,
    );
    return [
      call,
      [...flagsIn(text as string), ...linked.flatMap((name) => shared.get(name) ?? [name])].sort(),
    ];
  });
  const implemented = leaves.map((command) => {
    const args = command.registeredArguments.map((argument) =>
      argument.required ? ` <${argument.name()}>` : ` [${argument.name()}]`,
    );
    return [`${nameOf(command)}${args.join('')}`, optionsOf(command).sort()];
  });
  expect(Object.fromEntries(documented)).toEqual(Object.fromEntries(implemented));
});

function flagsIn(text: string): string[] {
  return [...text.matchAll(/^\| `(-[^`]+)` +\|/gm)].map(([, flags]) =>
    (flags as string).replaceAll('\\|', '|'),
  );
}

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

describe('completion', () => {
  test.each([
    [['cluster-ledger', 'per'], 'period'],
    [['cluster-ledger', 'period', ''], 'list show close statements --help'],
    [['cluster-ledger', 'period', 'close', '2026-03', '--e'], '--early'],
    [['cluster-ledger', 'log', 'key', 'r'], 'rotate retire'],
  ])('in bash completes %j', async (words, candidates) => {
    const quoted = words.map((word) => `'${word}'`).join(' ');
    const script = `${completionScript('bash', program)}
COMP_WORDS=(${quoted}); COMP_CWORD=${words.length - 1}; _cluster_ledger; echo "\${COMPREPLY[*]}"`;
    const { stdout } = await promisify(execFile)('bash', ['-c', script]);
    expect(stdout.trim()).toBe(candidates);
  });

  test.each(['zsh', 'fish'] as const)('prints a script that %s can parse', async (shell) => {
    const script = completionScript(shell, program);
    for (const command of commands) expect(script).toContain(command.name());
    // fish does not read a script from a socket, which is what Node.js gives a child as its input.
    const file = join(await folderForTest(), `completion.${shell}`);
    await writeFile(file, script);
    if (has(shell)) expect(spawnSync(shell, ['-n', file]).status).toBe(0);
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
