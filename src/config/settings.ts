import { isIP } from 'node:net';
import { z } from 'zod';

/** One setting: what it may be, how its variable is written, and what it is for. */
export interface Setting {
  readonly schema: z.ZodType;
  /**
   * How the text of a variable becomes a value: `text` as it is, `whole` a whole number, `flag` true or false, `yaml` a
   * structure written as YAML or JSON.
   */
  readonly form: 'text' | 'whole' | 'flag' | 'yaml';
  /** For the reference page, one sentence. */
  readonly about: string;
  /** It may hold a password or a key: never repeated, and it may stand in a file of its own, named by `<variable>_FILE`. */
  readonly isSecret?: true;
}

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

function isLoopback(host: string): boolean {
  if (host === 'localhost' || host === '::1') return true;
  return isIP(host) === 4 && host.startsWith('127.');
}

const PORT = 'must be a port from 0 to 65535';

/** Every setting of the ledger by its path in `ledger.yaml`; docs/configuration.md is made from it. */
export const SETTINGS = {
  'http.host': {
    schema: z
      .string()
      .refine(
        isLoopback,
        'must be a loopback address (127.0.0.1, ::1 or localhost): there are no API keys yet',
      )
      .default('127.0.0.1'),
    form: 'text',
    about: 'Address to listen on: loopback only, until there are API keys.',
  },
  'http.port': {
    schema: z.int(PORT).min(0, PORT).max(65_535, PORT).default(8_400),
    form: 'whole',
    about: 'Port to listen on; 0 for any free port.',
  },
  dataDir: {
    schema: z.string().min(1, 'must be a folder').default('./data'),
    form: 'text',
    about: 'Folder of the embedded store, of snapshots and of the key that signs checkpoints.',
  },
  store: {
    schema: z
      .string()
      .regex(
        /^(sqlite:.*|esdb(\+discover)?:\/\/.+)$/,
        'must be sqlite:<file>, sqlite: or an esdb:// connection string',
      )
      .default('sqlite:'),
    form: 'text',
    about: 'Where the log is: `sqlite:<file>`, `sqlite:` for `ledger.db` in the data folder, or `esdb://…`.',
    isSecret: true,
  },
  namespace: {
    schema: z
      .string()
      .regex(/^[A-Za-z][A-Za-z0-9_-]{0,63}$/, 'must be 1 to 64 of A-Z a-z 0-9 _ - and begin with a letter')
      .default('ledger'),
    form: 'text',
    about: 'Prefix of every stream on EventStoreDB.',
  },
  'log.level': {
    schema: z.enum(LOG_LEVELS, { error: `must be one of ${LOG_LEVELS.join(', ')}` }).default('info'),
    form: 'text',
    about: `What is logged: ${LOG_LEVELS.join(', ')}.`,
  },
} as const satisfies Readonly<Record<string, Setting>>;

export type SettingPath = keyof typeof SETTINGS;
export type Settings = { readonly [P in SettingPath]: z.output<(typeof SETTINGS)[P]['schema']> };

export const SETTING_PATHS = Object.keys(SETTINGS) as SettingPath[];

/** The variable of a setting: `http.port` is `LEDGER_HTTP_PORT`, `dataDir` is `LEDGER_DATA_DIR`. */
export function variableOf(path: SettingPath): string {
  const words = path.replaceAll('.', '_').replaceAll(/([a-z])([A-Z])/g, '$1_$2');
  return `LEDGER_${words.toUpperCase()}`;
}
