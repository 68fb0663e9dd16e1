import type { CliEnvironment } from '../../config/config.ts';
import type { Output } from '../terminal/output.ts';
import type { Client } from './client.ts';
import { connect, type TargetOptions } from './target.ts';

/** What every command works with. */
export interface CliContext {
  readonly out: Output;
  readonly environment: CliEnvironment;
}

/** Uses the ledger that the options name: one that runs, or one on a store that is opened here. */
export async function withLedger(
  { environment }: CliContext,
  options: TargetOptions,
  use: (client: Client) => Promise<void>,
): Promise<void> {
  await useAndClose(await connect(options, environment, true), use);
}

/** The same for what only a ledger that runs can do. */
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
