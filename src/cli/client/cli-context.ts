import type { CliEnvironment } from '../../config/cli-environment.ts';
import type { Output } from '../terminal/output.ts';
import type { Client } from './client.ts';
import { connect, type TargetOptions } from './target.ts';

/** The output and the environment of a command. */
export interface CliContext {
  readonly out: Output;
  readonly environment: CliEnvironment;
}

/** Connects to the ledger that the options choose (a running one, or a store opened for reading), and closes it after use. */
export async function withLedger(
  { environment }: CliContext,
  options: TargetOptions,
  use: (client: Client) => Promise<void>,
): Promise<void> {
  await useAndClose(await connect(options, environment, true), use);
}

/** Connects as `withLedger` does, but rejects a store: the command needs a running ledger. */
export async function withRunningLedger(
  { environment }: CliContext,
  options: TargetOptions,
  use: (client: Client) => Promise<void>,
): Promise<void> {
  await useAndClose(await connect(options, environment, false), use);
}

async function useAndClose(client: Client, use: (client: Client) => Promise<void>): Promise<void> {
  try {
    await use(client);
  } finally {
    await client.close();
  }
}
