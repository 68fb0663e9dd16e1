import { readFile } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import { verifyEvidence } from '../../audit/verify/verify-evidence.ts';
import { verifyStore } from '../../audit/verify/verify-store.ts';
import { LogUnreachable, verifyUrl } from '../../audit/verify/verify-url.ts';
import type { Cli } from '../cli.ts';
import { EXIT, Failure, unreachable, wrongUsage } from '../failure.ts';
import { readInput } from '../input.ts';
import { readKeys } from '../keys.ts';
import { each, withJson, withTarget } from '../options.ts';
import { Progress } from '../progress.ts';
import { serverOf, type TargetOptions, targetOf } from '../target.ts';
import { printEvidence, printFailed, printLog, printStore } from '../verdicts.ts';

interface Options extends TargetOptions {
  readonly json?: boolean;
  readonly key?: readonly string[];
  readonly checkpoint?: string;
  readonly statements?: boolean;
}

export function addVerify(parent: Command, cli: Cli): void {
  const command = parent
    .command('verify')
    .summary('check an evidence file, a whole log or a store, without trusting the ledger')
    .description(
      'Checks an evidence file offline; with --url (or --context) the whole published log of a ledger, and that it has nothing which the file lacks; with --store a store. Exits with 3 where something does not hold, and says what.',
    )
    .argument('[file]', 'an evidence file')
    .option(
      '--key <key|file>',
      'a key of the ledger in verifier form, or a file of them; may be repeated',
      each(),
    )
    .addOption(
      new Option('--checkpoint <file>', 'a signed checkpoint kept from before, to compare with').conflicts(
        'store',
      ),
    )
    .option(
      '--statements',
      'work out the statements of all closed periods again; with --store that is the default',
    )
    .option('--no-statements', 'do not')
    .addHelpText(
      'after',
      '\nExamples:\n  $ cluster-ledger verify acme-2026-03.json --key ledger.key --checkpoint checkpoint-2026-02\n  $ cluster-ledger verify --url https://ledger.example.com --key ledger.key --statements\n  $ cluster-ledger verify --store sqlite:/backup/ledger.db --key ledger.key',
    )
    .action((file: string | undefined, options: Options) => {
      if (options.store !== undefined) return verifyTheStore(cli, file, options, options.store);
      const isOnline = options.url !== undefined || options.context !== undefined;
      if (file === undefined && !isOnline)
        throw wrongUsage('say what to verify: an evidence file, --url, --context or --store');
      if (options.key === undefined)
        throw wrongUsage('say which key to trust: --key, from anywhere but the ledger itself');
      return isOnline ? verifyTheLog(cli, file, options) : verifyTheFile(cli, file as string, options);
    });
  withJson(withTarget(command), 'print the result as JSON');
}

async function verifyTheFile({ out }: Cli, file: string, options: Options): Promise<void> {
  if (options.statements !== undefined)
    throw wrongUsage(
      'the statement in a file is always worked out again: --statements goes with --url or --store',
    );
  const trust = await trusted(options);
  const verdict = verifyEvidence(await readBytes(file), trust);
  if (options.json) await printJson(out, verdict);
  else if (verdict.ok) await printEvidence(out, verdict.summary);
  else await printFailed(out, verdict, true);
}

async function verifyTheLog(cli: Cli, file: string | undefined, options: Options): Promise<void> {
  const target = await targetOf(options, cli.environment);
  if (target.kind === 'store') throw wrongUsage(`${target.from} is a store: give --store`);
  const { url, token } = serverOf(target);
  const trust = await trusted(options);
  const evidence = file === undefined ? undefined : await readBytes(file);
  const progress = new Progress('reading the log', 'events');
  const onProgress = (done: number, total: number) => progress.at(done, total);
  const { statements = false } = options;
  const verdict = await verifyUrl({ ...trust, url: url.href, token, evidence, statements, onProgress })
    .catch((error: unknown) => {
      if (error instanceof LogUnreachable) throw unreachable(`${url.href}: ${error.message}`, error);
      throw error;
    })
    .finally(() => progress.end());
  if (options.json) await printJson(cli.out, verdict);
  else if (verdict.ok) await printLog(cli.out, verdict.summary);
  else await printFailed(cli.out, verdict, false);
}

async function verifyTheStore(
  { out }: Cli,
  file: string | undefined,
  options: Options,
  store: string,
): Promise<void> {
  if (file !== undefined) throw wrongUsage('a file is verified with --url or by itself, not with --store');
  const { keys } = await trusted(options);
  const { statements = true, namespace } = options;
  const { withStore } = await import('../store-client.ts');
  const progress = new Progress('reading the log', 'events');
  const onProgress = (done: number, total: number) => progress.at(done, total);
  const verdict = await withStore(store, namespace, (opened) =>
    verifyStore(opened, { keys, statements, onProgress }),
  ).finally(() => progress.end());
  if (options.json) await printJson(out, verdict);
  else if (verdict.ok) await printStore(out, verdict.summary, keys.length > 0);
  else await printFailed(out, verdict, false);
}

async function trusted({ key = [], checkpoint }: Options) {
  const [keys, olderCheckpoint] = await Promise.all([
    readKeys(key),
    checkpoint === undefined ? undefined : readInput(checkpoint),
  ]);
  return { keys, olderCheckpoint };
}

async function readBytes(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (error) {
    throw new Failure(EXIT.failed, `${file} cannot be read: ${(error as Error).message}`);
  }
}

async function printJson(out: Cli['out'], verdict: { readonly ok: boolean }): Promise<void> {
  if (!verdict.ok) process.exitCode = EXIT.foundWrong;
  await out.json(verdict);
}
