import { readFile } from 'node:fs/promises';
import { verifyEvidence } from '../../../audit/verify/verify-evidence.ts';
import { verifyStore } from '../../../audit/verify/verify-store.ts';
import { LogUnreachable, verifyUrl } from '../../../audit/verify/verify-url.ts';
import type { CliContext } from '../../client/cli-context.ts';
import { serverOf, type TargetOptions, targetOf } from '../../client/target.ts';
import { CliError, EXIT, unreachable, usageError } from '../../terminal/cli-error.ts';
import { readInput } from '../../terminal/input.ts';
import { Progress } from '../../terminal/progress.ts';
import { readKeys } from './read-keys.ts';
import { printEvidence, printFailed, printLog, printStore } from './verify-report.ts';

export interface VerifyOptions extends Omit<TargetOptions, 'key'> {
  readonly json?: boolean;
  readonly key?: readonly string[];
  readonly checkpoint?: string;
  readonly statements?: boolean;
}

/** Verifies an evidence file offline. @throws CliError if the options or the file cannot be used. */
export async function verifyFile({ out }: CliContext, file: string, options: VerifyOptions): Promise<void> {
  if (options.statements !== undefined)
    throw usageError('the statement of a file is always recomputed: --statements requires --url or --store');
  const trust = await readTrust(options);
  const verdict = verifyEvidence(await readBytes(file), trust);
  if (options.json) await printJson(out, verdict);
  else if (verdict.ok) await printEvidence(out, verdict.summary);
  else await printFailed(out, verdict, true);
}

/** Verifies a whole published log, and an evidence file against it. @throws CliError if the options cannot be used, or the ledger cannot be reached. */
export async function verifyPublishedLog(
  cli: CliContext,
  file: string | undefined,
  options: VerifyOptions,
): Promise<void> {
  const { key: _, ...server } = options;
  const target = await targetOf(server, cli.environment);
  if (target.kind === 'store') throw usageError(`${target.from} is a store: pass --store`);
  const { url, token } = serverOf(target);
  const trust = await readTrust(options);
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

/** Verifies a store that no ledger uses. @throws CliError if the options cannot be used, or the store cannot be opened. */
export async function verifyLocalStore(
  { out }: CliContext,
  file: string | undefined,
  options: VerifyOptions,
  store: string,
): Promise<void> {
  if (file !== undefined)
    throw usageError('an evidence file cannot be verified with --store: verify it alone, or with --url');
  if (options.checkpoint !== undefined && options.key === undefined)
    throw usageError('--checkpoint requires --key, the key that signed it');
  const { keys, olderCheckpoint } = await readTrust(options);
  const { statements = true, namespace } = options;
  const { withStore } = await import('../../client/open-store.ts');
  const progress = new Progress('reading the log', 'events');
  const onProgress = (done: number, total: number) => progress.at(done, total);
  const verdict = await withStore(store, namespace, (opened) =>
    verifyStore(opened, { keys, olderCheckpoint, statements, onProgress }),
  ).finally(() => progress.end());
  if (options.json) await printJson(out, verdict);
  else if (verdict.ok)
    await printStore(out, verdict.summary, { hasKeys: keys.length > 0, older: olderCheckpoint });
  else await printFailed(out, verdict, false);
}

async function readTrust({ key = [], checkpoint }: VerifyOptions) {
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
    throw new CliError(EXIT.failed, `cannot read ${file}: ${(error as Error).message}`);
  }
}

async function printJson(out: CliContext['out'], verdict: { readonly ok: boolean }): Promise<void> {
  if (!verdict.ok) process.exitCode = EXIT.checksFailed;
  await out.json(verdict);
}
