import { isIP } from 'node:net';
import { z } from 'zod';
import { LogSettings } from '../audit/log-settings.ts';
import { AutoCloseSettings } from '../jobs/auto-close.ts';
import { KubefirstSettings } from './kubefirst-settings.ts';
import { ValidatorSettings } from './validator-settings.ts';

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

/** New names of renamed settings, by the full path of the old name. */
export const RENAMED_SETTINGS: ReadonlyMap<string, string> = new Map([
  ['audit.treeFloor', 'audit.treeMinHeightInMemory'],
  ['validator.policy.massRatio', 'validator.policy.outageRatio'],
  ['validator.policy.massLeast', 'validator.policy.outageMinClusters'],
  ['validator.policy.massWindow', 'validator.policy.outageWindow'],
  ['validator.probe.silenceMs', 'validator.probe.workerTimeoutMs'],
]);

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

function isLoopback(host: string): boolean {
  if (host === 'localhost' || host === '::1') return true;
  return isIP(host) === 4 && host.startsWith('127.');
}

const audit = LogSettings.shape;
const autoClose = AutoCloseSettings.shape;
const kubefirst = KubefirstSettings.shape;

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
  'audit.origin': {
    schema: audit.origin,
    form: 'text',
    about: 'Which log it is, for ever; by default `cluster-ledger.local/<ledger id>`.',
  },
  'audit.key': {
    schema: audit.key,
    form: 'text',
    about: 'The keys that sign the log, with white space between them; by default those of `audit.keyFile`.',
    isSecret: true,
  },
  'audit.keyFile': {
    schema: audit.keyFile,
    form: 'text',
    about:
      'File of the keys that sign the log; by default `log-key` in the data folder, made at the first start.',
  },
  'audit.acceptKey': {
    schema: audit.acceptKey,
    form: 'text',
    about: 'Id of the current key, where it follows on keys that are lost: an operator vouches for it.',
  },
  'audit.checkpointSeconds': {
    schema: audit.checkpointSeconds,
    form: 'whole',
    about: 'While events arrive, a checkpoint is signed at least so often.',
  },
  'audit.treeMinHeightInMemory': {
    schema: audit.treeMinHeightInMemory,
    form: 'whole',
    about:
      'Height of the lowest nodes of the tree that stay in memory, 0 to 8: 64 bytes per event divided by 2 to that power. Above 0 proofs read parts of the log again.',
  },
  'periods.autoClose': {
    schema: autoClose.enabled,
    form: 'flag',
    about: 'Whether periods that are due are closed by themselves.',
  },
  'periods.autoCloseSchedule': {
    schema: autoClose.schedule,
    form: 'text',
    about: 'When it is looked whether a period is due, as cron has it, in UTC.',
  },
  'validator.schedule': {
    schema: ValidatorSettings.shape.schedule,
    form: 'text',
    about: 'When every cluster is asked, as cron has it, in UTC; `off` for on request alone.',
  },
  'validator.shard': {
    schema: ValidatorSettings.shape.shard,
    form: 'text',
    about:
      'The part of the fleet that this process asks: `2/3` is the second of three, shared out by a hash of the id.',
  },
  'validator.runDeadline': {
    schema: ValidatorSettings.shape.runDeadline,
    form: 'text',
    about: 'A run that takes longer counts for nothing, and the next one asks everybody again.',
  },
  'validator.credentials': {
    schema: ValidatorSettings.shape.credentials,
    form: 'yaml',
    about:
      'Where the credentials are that registrations refer to: `directory`, and of the `managementCluster` (`inCluster` or `kubeconfig`) `argocd`, `clusterApi`, `secrets`. Without any, nothing is asked.',
  },
  'validator.policy': {
    schema: ValidatorSettings.shape.policy,
    form: 'yaml',
    about: 'Thresholds, mode and exceptions: see [the validator](validator.md).',
  },
  'validator.probe': {
    schema: ValidatorSettings.shape.probe,
    form: 'yaml',
    about:
      'How many are asked at a time, for how long, how often per host, and which addresses may be connected to.',
  },
  'kubefirst.writeKey': {
    schema: kubefirst.writeKey,
    form: 'text',
    about: 'What telemetry of Kubefirst must show as the user name of basic authentication.',
    isSecret: true,
  },
  'kubefirst.accountId': {
    schema: kubefirst.accountId,
    form: 'text',
    about:
      'Account of every cluster that no rule below names; without it one per management cluster, by its id.',
  },
  'kubefirst.accountsByManagementId': {
    schema: kubefirst.accountsByManagementId,
    form: 'yaml',
    about: 'Accounts by `cluster_id` of the management cluster.',
  },
  'kubefirst.accountsByDomain': {
    schema: kubefirst.accountsByDomain,
    form: 'yaml',
    about: 'Accounts by domain, also of the domains below it.',
  },
  'kubefirst.freeClusterTypes': {
    schema: kubefirst.freeClusterTypes,
    form: 'yaml',
    about: 'Types of clusters that are registered as not billable.',
  },
  'kubefirst.connection': {
    schema: kubefirst.connection,
    form: 'yaml',
    about: 'Reference to the credentials of a billed cluster, with `{name}` for its name; `null` for none.',
  },
  'kubefirst.pricePerHour': {
    schema: kubefirst.pricePerHour,
    form: 'text',
    about: 'Price of a cluster-hour on the billing page, a decimal number; without it no totals are given.',
  },
  'kubefirst.records': {
    schema: kubefirst.records,
    form: 'yaml',
    about:
      'The records of Kubefirst to follow: `managementCluster` (`inCluster` or `kubeconfig`), `namespace`, `name`.',
  },
} as const satisfies Readonly<Record<string, Setting>>;

export type SettingPath = keyof typeof SETTINGS;
export type Settings = { readonly [P in SettingPath]: z.output<(typeof SETTINGS)[P]['schema']> };

export const SETTING_PATHS = Object.keys(SETTINGS) as SettingPath[];

/** The variable of a setting: `http.port` is `LEDGER_HTTP_PORT`, `dataDir` is `LEDGER_DATA_DIR`. */
export function variableOf(path: string): string {
  const words = path.replaceAll('.', '_').replaceAll(/([a-z])([A-Z])/g, '$1_$2');
  return `LEDGER_${words.toUpperCase()}`;
}

/** The default of a setting, as it would be given. */
export function defaultOf({ schema }: Setting): unknown {
  return schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault
    ? schema.def.defaultValue
    : undefined;
}
