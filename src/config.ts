import { join } from 'node:path';
import { type Environment, readSettings } from './config/read-settings.ts';

export { ConfigError } from './config/read-settings.ts';

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

/**
 * Reads the configuration from `ledger.yaml`, or the file that `LEDGER_CONFIG` names, and from variables named `LEDGER_…`.
 * @throws ConfigError with all that is wrong at once: the name, what was given and what is allowed. What may hold a
 * password is not repeated.
 */
export function readConfig(environment: Environment = process.env): Config {
  const { values } = readSettings(environment);
  const dataDir = values.dataDir;
  return {
    host: values['http.host'],
    port: values['http.port'],
    dataDir,
    store: storeChoice(values.store, dataDir),
    namespace: values.namespace,
    logLevel: values['log.level'],
  };
}

function storeChoice(store: string, dataDir: string): StoreChoice {
  if (!store.startsWith('sqlite:')) return { kind: 'esdb', connection: store };
  const file = store.slice('sqlite:'.length);
  return { kind: 'sqlite', file: file === '' ? join(dataDir, 'ledger.db') : file };
}
