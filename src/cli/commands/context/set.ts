import { text } from 'node:stream/consumers';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { CliContext } from '../../client/cli-context.ts';
import { CONTEXT_NAME, type Context, Contexts } from '../../client/contexts.ts';
import { serverUrl } from '../../client/target.ts';
import { usageError } from '../../terminal/cli-error.ts';
import { printMessage } from '../../terminal/output.ts';

interface Options {
  readonly url?: string;
  readonly token?: string;
  readonly key?: string;
  readonly tokenStdin?: boolean;
  readonly store?: string;
  readonly namespace?: string;
}

export function addContextSet(parent: Command, { environment }: CliContext): void {
  parent
    .command('set')
    .summary('save a ledger under a name')
    .description(
      'Saves the URL and token of a ledger, or a store, under a name, in a file that only you may read. The first context becomes the current one.',
    )
    .argument('<name>', 'name of the context', contextName)
    .option('--url <url>', 'URL of the ledger, http or https')
    .option('--token <token>', 'API key or access token')
    .addOption(new Option('--key <key>', 'API key').conflicts('token'))
    .addOption(
      new Option(
        '--token-stdin',
        'read the key or token from stdin, so that other users cannot see it',
      ).conflicts(['token', 'key']),
    )
    .addOption(
      new Option('--store <store>', 'a store to read instead: sqlite:<file> or esdb://…').conflicts([
        'url',
        'token',
        'key',
        'tokenStdin',
      ]),
    )
    .addOption(new Option('--namespace <name>', 'stream prefix in the store').conflicts('url'))
    .addHelpText(
      'after',
      '\nExamples:\n  $ cluster-ledger context set prod --url https://ledger.example.com --token-stdin < token\n  $ cluster-ledger context set copy --store sqlite:/backup/ledger.db',
    )
    .action(async (name: string, options: Options) => {
      const context = await contextOf(options);
      const contexts = new Contexts(environment.configDir);
      const saved = await contexts.read();
      const current = saved.current ?? name;
      await contexts.write({ current, contexts: { ...saved.contexts, [name]: context } });
      printMessage(
        `context ${name} saved in ${contexts.file}${current === name ? '; it is the current context' : ''}`,
      );
    });
}

export function contextName(name: string): string {
  if (CONTEXT_NAME.test(name)) return name;
  throw new InvalidArgumentError(
    'It must have 1 to 64 of the characters A-Z a-z 0-9 . _ - and begin with a letter or digit.',
  );
}

async function contextOf({ url, token, key, tokenStdin, store, namespace }: Options): Promise<Context> {
  if (store !== undefined) return { store, ...(namespace !== undefined && { namespace }) };
  if (url === undefined) throw usageError('no ledger given: pass --url or --store');
  serverUrl(url, '--url');
  const secret = tokenStdin ? (await text(process.stdin)).trim() : (token ?? key);
  if (secret === '') throw usageError('there is no token on stdin');
  return { url, ...(secret !== undefined && { token: secret }) };
}
