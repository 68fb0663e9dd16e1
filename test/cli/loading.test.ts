import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { PROGRAM } from './program.ts';

/** Prints the URL of each module that is loaded. */
const PRINTS_MODULES = `data:text/javascript,${encodeURIComponent(`
  import { writeSync } from 'node:fs';
  import { registerHooks } from 'node:module';
  registerHooks({ load: (url, context, next) => (writeSync(2, url + '\\n'), next(url, context)) });
`)}`;

/** Returns the packages and the folders of src/cli/commands from which a command line loads modules. */
async function loaded(...args: string[]): Promise<{ packages: string[]; commands: string[] }> {
  const program = promisify(execFile)(process.execPath, ['--import', PRINTS_MODULES, PROGRAM, ...args], {
    env: { PATH: '', XDG_CONFIG_HOME: '/nonexistent' },
  });
  const { stderr } = await program.catch((error: { stderr: string }) => error);
  const named = (pattern: RegExp) => [...new Set([...stderr.matchAll(pattern)].map(([, name = '']) => name))];
  return {
    packages: named(/\/node_modules\/((?:@[^/]+\/)?[^/]+)\//g).sort(),
    commands: named(/\/src\/cli\/commands\/([\w-]+)/g).sort(),
  };
}

describe('a command line', () => {
  test.each([['--help'], ['--version'], ['help'], ['unknown'], ['--unknown']])(
    'loads no command for %s, and only the parser of command lines',
    async (args) => {
      expect(await loaded(args)).toEqual({ packages: ['commander'], commands: [] });
    },
  );

  test.each([
    ['clusters list --help', 'clusters'],
    ['help webhooks', 'webhooks'],
    ['period close 2026-13', 'period'],
    ['usage --period', 'usage'],
  ])('loads for `%s` only the commands of %s', async (line, noun) => {
    expect((await loaded(...line.split(' '))).commands).toEqual([noun]);
  });
});
