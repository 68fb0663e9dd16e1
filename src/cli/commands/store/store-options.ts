import type { Command } from 'commander';

/** Options that choose a store. */
export interface StoreOptions {
  readonly store?: string;
  readonly namespace?: string;
}

export interface BackupOptions extends StoreOptions {
  readonly to: string;
  readonly key?: readonly string[];
  readonly json?: boolean;
}

export interface RestoreOptions extends StoreOptions {
  readonly replace?: boolean;
  readonly key?: readonly string[];
  readonly json?: boolean;
}

export interface RebuildOptions extends StoreOptions {
  readonly dataDir?: string;
  readonly json?: boolean;
}

export interface CopyOptions {
  readonly from: string;
  readonly to: string;
  readonly fromNamespace?: string;
  readonly toNamespace?: string;
  readonly json?: boolean;
}

/** Adds the options that choose a store; without them it is the one of the settings here. */
export function withStoreHere(command: Command, verb: string): Command {
  return command
    .option(
      '--store <store>',
      `store to ${verb}: sqlite:<file> or esdb://… (default: the one that a ledger started here would use)`,
    )
    .option('--namespace <name>', 'stream prefix in the store (default: ledger)');
}
