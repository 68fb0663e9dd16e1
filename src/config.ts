import { isIP } from 'node:net';
import { join } from 'node:path';
import { z } from 'zod';

/** Where the log is kept. */
export type StoreChoice =
  | { readonly kind: 'sqlite'; readonly file: string }
  | { readonly kind: 'esdb'; readonly connection: string };

export interface Config {
  readonly host: string;
  readonly port: number;
  readonly dataDir: string;
  readonly store: StoreChoice;
  /** Prefix of every stream on EventStoreDB. */
  readonly namespace: string;
  readonly logLevel: string;
}

/** Everything that is wrong with the configuration, a line each. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

function isLoopback(host: string): boolean {
  if (host === 'localhost' || host === '::1') return true;
  return isIP(host) === 4 && host.startsWith('127.');
}

const Environment = z.strictObject({
  LEDGER_HTTP_HOST: z
    .string()
    .refine(isLoopback, 'must be a loopback address (127.0.0.1, ::1 or localhost): there are no API keys yet')
    .default('127.0.0.1'),
  LEDGER_HTTP_PORT: z
    .string()
    .regex(/^(0|[1-9]\d{0,4})$/, 'must be a port from 0 to 65535')
    .transform(Number)
    .refine((port) => port <= 65_535, 'must be a port from 0 to 65535')
    .default(8_400),
  LEDGER_DATA_DIR: z.string().min(1, 'must be a folder').default('./data'),
  LEDGER_STORE: z
    .string()
    .regex(
      /^(sqlite:.*|esdb(\+discover)?:\/\/.+)$/,
      'must be sqlite:<file>, sqlite: or an esdb:// connection string',
    )
    .default('sqlite:'),
  LEDGER_NAMESPACE: z
    .string()
    .regex(/^[A-Za-z][A-Za-z0-9_-]{0,63}$/, 'must be 1 to 64 of A-Z a-z 0-9 _ - and begin with a letter')
    .default('ledger'),
  LEDGER_LOG_LEVEL: z.enum(LOG_LEVELS, { error: `must be one of ${LOG_LEVELS.join(', ')}` }).default('info'),
});

/**
 * Reads the configuration from variables named `LEDGER_…`.
 * @throws ConfigError with all that is wrong at once: the name, what was given and what is allowed. What may hold a
 * password is not repeated.
 */
export function readConfig(environment: Readonly<Record<string, string | undefined>> = process.env): Config {
  const given = Object.fromEntries(
    Object.entries(environment).filter(([name]) => name.startsWith('LEDGER_')),
  );
  const parsed = Environment.safeParse(given);
  if (!parsed.success)
    throw new ConfigError(parsed.error.issues.flatMap((issue) => explain(issue, given)).join('\n'));
  const { LEDGER_STORE: store, LEDGER_DATA_DIR: dataDir, ...rest } = parsed.data;
  return {
    host: rest.LEDGER_HTTP_HOST,
    port: rest.LEDGER_HTTP_PORT,
    dataDir,
    store: storeChoice(store, dataDir),
    namespace: rest.LEDGER_NAMESPACE,
    logLevel: rest.LEDGER_LOG_LEVEL,
  };
}

function explain(issue: z.core.$ZodIssue, given: Readonly<Record<string, string | undefined>>): string[] {
  if (issue.code === 'unrecognized_keys') {
    const known = Object.keys(Environment.shape).join(', ');
    return issue.keys.map((name) => `${name} is not known; the settings are ${known}`);
  }
  const name = String(issue.path[0]);
  const value = name === 'LEDGER_STORE' ? 'something else' : JSON.stringify(given[name]);
  return [`${name} ${issue.message}; given ${value}`];
}

function storeChoice(store: string, dataDir: string): StoreChoice {
  if (!store.startsWith('sqlite:')) return { kind: 'esdb', connection: store };
  const file = store.slice('sqlite:'.length);
  return { kind: 'sqlite', file: file === '' ? join(dataDir, 'ledger.db') : file };
}
