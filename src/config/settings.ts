import { z } from 'zod';
import { DELETION_MODES } from '../domain/cluster-deletion.ts';
import { Duration } from '../domain/validation/judging/policy.ts';
import {
  AllowedOrigins,
  BootstrapKey,
  OidcSettings,
  RateLimit,
  SessionKey,
  TrustedProxies,
} from './access-settings.ts';
import { AutoCloseSettings } from './auto-close-settings.ts';
import { KubefirstSettings } from './kubefirst-settings.ts';
import { LogSettings } from './log-settings.ts';
import { NotificationSettings } from './notification-settings.ts';
import { ValidatorSettings } from './validator-settings.ts';
import { WebhookSettings } from './webhook-settings.ts';

/** One setting: its schema, described in one or two sentences for the reference page, and the form of its variable. */
export interface Setting {
  readonly schema: z.ZodType;
  /**
   * How the text of a variable becomes a value. `text`: as it is. `whole`: a whole number. `flag`: true or false. `yaml`: a
   * structure written as YAML or JSON.
   */
  readonly form: 'text' | 'whole' | 'flag' | 'yaml';
  /** The value may contain a password or a key: messages never repeat it, and it can be read from the file that `<variable>_FILE` names. */
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

const log = LogSettings.shape;
const autoClose = AutoCloseSettings.shape;
const kubefirst = KubefirstSettings.shape;
const validator = ValidatorSettings.shape;
const webhooks = WebhookSettings.shape;
const oidc = OidcSettings.shape;

const PORT = 'must be a port from 0 to 65535';

/** All settings of the ledger by their path in `ledger.yaml`. docs/configuration.md is generated from this table. */
export const SETTINGS = {
  'http.host': {
    schema: z
      .string()
      .regex(/^[A-Za-z0-9.:_-]{1,253}$/, 'must be an address or a host name, such as 127.0.0.1 or 0.0.0.0')
      .default('127.0.0.1')
      .describe(
        'Address to listen on; `0.0.0.0` for all. Other addresses than loopback addresses need an API key, `bootstrapKey` or `oidc.issuer`.',
      ),
    form: 'text',
  },
  'http.port': {
    schema: z
      .int(PORT)
      .min(0, PORT)
      .max(65_535, PORT)
      .default(8_400)
      .describe('Port to listen on; 0 for any free port.'),
    form: 'whole',
  },
  'http.trustProxy': {
    schema: TrustedProxies,
    form: 'yaml',
  },
  'http.allowedOrigins': {
    schema: AllowedOrigins,
    form: 'yaml',
  },
  'http.rateLimit': {
    schema: RateLimit,
    form: 'whole',
  },
  bootstrapKey: {
    schema: BootstrapKey,
    form: 'text',
    isSecret: true,
  },
  'oidc.issuer': {
    schema: oidc.issuer,
    form: 'text',
  },
  'oidc.audience': {
    schema: oidc.audience,
    form: 'text',
  },
  'oidc.jwksUri': {
    schema: oidc.jwksUri,
    form: 'text',
  },
  'oidc.tokenType': {
    schema: oidc.tokenType,
    form: 'text',
  },
  'oidc.roleClaim': {
    schema: oidc.roleClaim,
    form: 'text',
  },
  'oidc.roles': {
    schema: oidc.roles,
    form: 'yaml',
  },
  'oidc.accountClaim': {
    schema: oidc.accountClaim,
    form: 'text',
  },
  'oidc.clientId': {
    schema: oidc.clientId,
    form: 'text',
  },
  'oidc.clientSecret': {
    schema: oidc.clientSecret,
    form: 'text',
    isSecret: true,
  },
  'oidc.scope': {
    schema: oidc.scope,
    form: 'text',
  },
  'oidc.rolesFrom': {
    schema: oidc.rolesFrom,
    form: 'text',
  },
  'oidc.authorizationParameters': {
    schema: oidc.authorizationParameters,
    form: 'yaml',
  },
  'sessions.key': {
    schema: SessionKey,
    form: 'text',
    isSecret: true,
  },
  dataDir: {
    schema: z
      .string()
      .min(1, 'must be a folder')
      .default('./data')
      .describe('Folder of the embedded store, of snapshots and of the key that signs checkpoints.'),
    form: 'text',
  },
  store: {
    schema: z
      .string()
      .regex(
        /^(sqlite:.*|esdb(\+discover)?:\/\/.+)$/,
        'must be sqlite:<file>, sqlite: or an esdb:// connection string',
      )
      .default('sqlite:')
      .describe(
        'Store of the log: `sqlite:<file>`, `sqlite:` for `ledger.db` in the data folder, or `esdb://…`.',
      ),
    form: 'text',
    isSecret: true,
  },
  namespace: {
    schema: z
      .string()
      .regex(/^[A-Za-z][A-Za-z0-9_-]{0,63}$/, 'must be 1 to 64 of A-Z a-z 0-9 _ - and begin with a letter')
      .default('ledger')
      .describe('Prefix of every stream on EventStoreDB.'),
    form: 'text',
  },
  'log.level': {
    schema: z
      .enum(LOG_LEVELS, { error: `must be one of ${LOG_LEVELS.join(', ')}` })
      .default('info')
      .describe(`Lowest level of the messages that are logged: ${LOG_LEVELS.join(', ')}.`),
    form: 'text',
  },
  'tracing.endpoint': {
    schema: z
      .url({ protocol: /^https?$/, error: 'must be a URL with http or https, such as http://collector:4318' })
      .optional()
      .describe(
        'Base URL of an OpenTelemetry collector that takes OTLP over HTTP. By default that of `OTEL_EXPORTER_OTLP_ENDPOINT`; without either, nothing is traced.',
      ),
    form: 'text',
  },
  'audit.origin': {
    schema: log.origin,
    form: 'text',
  },
  'audit.key': {
    schema: log.key,
    form: 'text',
    isSecret: true,
  },
  'audit.keyFile': {
    schema: log.keyFile,
    form: 'text',
  },
  'audit.acceptKey': {
    schema: log.acceptKey,
    form: 'text',
  },
  'audit.checkpointSeconds': {
    schema: log.checkpointSeconds,
    form: 'whole',
  },
  'audit.witnesses': {
    schema: log.witnesses,
    form: 'yaml',
  },
  'audit.treeMinHeightInMemory': {
    schema: log.treeMinHeightInMemory,
    form: 'whole',
  },
  'ingest.backdating': {
    schema: Duration.prefault('35d').describe('Maximum age of a fact that is not posted by an operator.'),
    form: 'text',
  },
  'deletion.mode': {
    schema: z
      .enum(DELETION_MODES, { error: `must be ${DELETION_MODES.join(' or ')}` })
      .default('external')
      .describe(
        'What ends the bill of a cluster whose deletion was confirmed: `external`, the `cluster.deleted` of the application that deletes it; `ledger-only`, the confirmation itself.',
      ),
    form: 'text',
  },
  'periods.grace': {
    schema: Duration.prefault('72h').describe(
      'How long after its end a period becomes due to be closed. Until then it waits for late facts.',
    ),
    form: 'text',
  },
  'periods.autoClose': {
    schema: autoClose.enabled,
    form: 'flag',
  },
  'periods.autoCloseSchedule': {
    schema: autoClose.schedule,
    form: 'text',
  },
  'alerts.announce': {
    schema: z
      .boolean()
      .default(true)
      .describe(
        'Whether raised, changed and resolved alerts are recorded in the log, from where the feed, webhooks and notifications have them.',
      ),
    form: 'flag',
  },
  notifications: {
    schema: NotificationSettings,
    form: 'yaml',
    isSecret: true,
  },
  'webhooks.key': {
    schema: webhooks.key,
    form: 'text',
    isSecret: true,
  },
  'webhooks.keyFile': {
    schema: webhooks.keyFile,
    form: 'text',
  },
  'webhooks.signingKey': {
    schema: webhooks.signingKey,
    form: 'text',
    isSecret: true,
  },
  'webhooks.targets': {
    schema: webhooks.targets,
    form: 'yaml',
  },
  'validator.schedule': {
    schema: validator.schedule,
    form: 'text',
  },
  'validator.shard': {
    schema: validator.shard,
    form: 'text',
  },
  'validator.runDeadline': {
    schema: validator.runDeadline,
    form: 'text',
  },
  'validator.credentials': {
    schema: validator.credentials,
    form: 'yaml',
  },
  'validator.policy': {
    schema: validator.policy,
    form: 'yaml',
  },
  'validator.probe': {
    schema: validator.probe,
    form: 'yaml',
  },
  'kubefirst.writeKey': {
    schema: kubefirst.writeKey,
    form: 'text',
    isSecret: true,
  },
  'kubefirst.accountId': {
    schema: kubefirst.accountId,
    form: 'text',
  },
  'kubefirst.accountsByManagementId': {
    schema: kubefirst.accountsByManagementId,
    form: 'yaml',
  },
  'kubefirst.accountsByDomain': {
    schema: kubefirst.accountsByDomain,
    form: 'yaml',
  },
  'kubefirst.freeClusterTypes': {
    schema: kubefirst.freeClusterTypes,
    form: 'yaml',
  },
  'kubefirst.connection': {
    schema: kubefirst.connection,
    form: 'yaml',
  },
  'kubefirst.pricePerHour': {
    schema: kubefirst.pricePerHour,
    form: 'text',
  },
  'kubefirst.records': {
    schema: kubefirst.records,
    form: 'yaml',
  },
} as const satisfies Readonly<Record<string, Setting>>;

export type SettingPath = keyof typeof SETTINGS;
export type Settings = { readonly [P in SettingPath]: z.output<(typeof SETTINGS)[P]['schema']> };

export const SETTING_PATHS = Object.keys(SETTINGS) as SettingPath[];

/** Returns the variable of a setting: `LEDGER_HTTP_PORT` for `http.port`, `LEDGER_DATA_DIR` for `dataDir`. */
export function variableOf(path: string): string {
  const words = path.replaceAll('.', '_').replaceAll(/([a-z])([A-Z])/g, '$1_$2');
  return `LEDGER_${words.toUpperCase()}`;
}

/** Returns the default of a setting in the form in which it would be written, or `undefined` if there is none. */
export function defaultOf({ schema }: Setting): unknown {
  return schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault
    ? schema.def.defaultValue
    : undefined;
}
