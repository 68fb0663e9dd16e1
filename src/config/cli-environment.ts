import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import type { Environment } from './read-settings.ts';

/** Environment of the command line. */
export interface CliEnvironment {
  readonly url: string | undefined;
  readonly token: string | undefined;
  readonly context: string | undefined;
  /** Folder of the user's settings (XDG Base Directory Specification). */
  readonly configDir: string;
}

/** Reads `LEDGER_URL`, `LEDGER_KEY`, `LEDGER_TOKEN` and `LEDGER_CONTEXT`. An empty variable counts as absent. */
export function readCliEnvironment(environment: Environment = process.env): CliEnvironment {
  const { LEDGER_URL, LEDGER_KEY, LEDGER_TOKEN, LEDGER_CONTEXT, XDG_CONFIG_HOME } = environment;
  // The specification says that relative paths are ignored.
  const isSet = XDG_CONFIG_HOME !== undefined && isAbsolute(XDG_CONFIG_HOME);
  return {
    url: LEDGER_URL || undefined,
    token: LEDGER_KEY || LEDGER_TOKEN || undefined,
    context: LEDGER_CONTEXT || undefined,
    configDir: isSet ? XDG_CONFIG_HOME : join(homedir(), '.config'),
  };
}
