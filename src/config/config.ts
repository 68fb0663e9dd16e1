import { isIP } from 'node:net';
import { join } from 'node:path';
import type { DeletionMode } from '../domain/cluster-deletion.ts';
import type { OidcIssuer } from './access-settings.ts';
import type { AutoCloseSettings } from './auto-close-settings.ts';
import type { KubefirstSettings } from './kubefirst-settings.ts';
import type { LogSettings } from './log-settings.ts';
import type { NotificationSettings } from './notification-settings.ts';
import { ConfigError, type EffectiveSettings, type Environment, readSettings } from './read-settings.ts';
import type { Settings } from './settings.ts';
import type { ValidatorSettings } from './validator-settings.ts';
import type { WebhookSettings } from './webhook-settings.ts';

export { ConfigError } from './read-settings.ts';

/** The store of the log. */
export type StoreChoice =
  | { readonly kind: 'sqlite'; readonly file: string }
  | { readonly kind: 'esdb'; readonly connection: string };

export interface Config {
  readonly host: string;
  readonly port: number;
  /** Networks of the proxies whose headers are believed. */
  readonly trustProxy: readonly string[];
  /** Origins of other websites whose pages may send requests. */
  readonly allowedOrigins: readonly string[];
  /** Maximum number of requests of one key in 10 seconds. */
  readonly rateLimit: number;
  /** Secret that counts as the key of an operator until the first one exists. */
  readonly bootstrapKey: string | undefined;
  /** The issuer of access tokens; absent if only API keys are accepted. */
  readonly oidc: OidcIssuer | undefined;
  /** Key that encrypts the sessions of browsers, 32 bytes in base64; absent for the file in the data folder. */
  readonly sessionKey: string | undefined;
  readonly dataDir: string;
  readonly store: StoreChoice;
  /** Prefix of every stream on EventStoreDB. */
  readonly namespace: string;
  readonly logLevel: string;
  /** Base URL of an OpenTelemetry collector; absent if nothing is to be traced. */
  readonly tracingEndpoint: string | undefined;
  readonly audit: LogSettings;
  /** How long ago a fact may be effective if it is not posted by an operator, in milliseconds. */
  readonly backdatingMs: number;
  /** Who decides that a cluster is deleted: the application that deletes it, or the confirmation itself. */
  readonly deletionMode: DeletionMode;
  /** How long a period waits for late facts after its end, in milliseconds. */
  readonly graceMs: number;
  readonly autoClose: AutoCloseSettings;
  readonly validator: ValidatorSettings;
  readonly webhooks: WebhookSettings;
  readonly notifications: NotificationSettings;
  readonly announceAlerts: boolean;
  readonly kubefirst: KubefirstSettings;
  /** Environment variables that locate the API of the Kubernetes cluster that the ledger runs in; empty outside a cluster. */
  readonly kubernetes: Readonly<Record<string, string>>;
}

/**
 * Reads the configuration from `ledger.yaml`, or the file that `LEDGER_CONFIG` names, and from variables named `LEDGER_…`.
 * @throws ConfigError that reports all mistakes together, each with its name, the value given and the values allowed. Values of
 * secret settings are not repeated.
 */
export function readConfig(environment: Environment = process.env): Config {
  const { values } = readSettings(environment);
  const dataDir = values.dataDir;
  return {
    host: values['http.host'],
    port: values['http.port'],
    trustProxy: values['http.trustProxy'],
    allowedOrigins: values['http.allowedOrigins'],
    rateLimit: values['http.rateLimit'],
    bootstrapKey: values.bootstrapKey,
    oidc: oidcOf(values),
    sessionKey: values['sessions.key'],
    dataDir,
    store: storeChoice(values.store, dataDir),
    namespace: values.namespace,
    logLevel: values['log.level'],
    tracingEndpoint: values['tracing.endpoint'] ?? (environment['OTEL_EXPORTER_OTLP_ENDPOINT'] || undefined),
    audit: auditOf(values),
    backdatingMs: values['ingest.backdating'],
    deletionMode: values['deletion.mode'],
    graceMs: values['periods.grace'],
    autoClose: {
      enabled: values['periods.autoClose'],
      schedule: values['periods.autoCloseSchedule'],
    },
    kubefirst: kubefirstOf(values),
    webhooks: webhooksOf(values),
    notifications: values.notifications,
    announceAlerts: values['alerts.announce'],
    validator: {
      schedule: values['validator.schedule'],
      shard: values['validator.shard'],
      runDeadline: values['validator.runDeadline'],
      credentials: values['validator.credentials'],
      policy: values['validator.policy'],
      probe: values['validator.probe'],
    },
    kubernetes: inClusterOf(environment),
  };
}

/** Returns the settings in force, and where each comes from. @throws ConfigError as `readConfig` does */
export function effectiveSettings(environment: Environment = process.env): EffectiveSettings {
  const settings = readSettings(environment);
  auditOf(settings.values);
  oidcOf(settings.values);
  return settings;
}

function storeChoice(store: string, dataDir: string): StoreChoice {
  if (!store.startsWith('sqlite:')) return { kind: 'esdb', connection: store };
  const file = store.slice('sqlite:'.length);
  return { kind: 'sqlite', file: file === '' ? join(dataDir, 'ledger.db') : file };
}

function oidcOf(values: Settings): OidcIssuer | undefined {
  const { 'oidc.issuer': issuer, 'oidc.audience': audience } = values;
  if ((issuer === undefined) !== (audience === undefined))
    throw new ConfigError('LEDGER_OIDC_ISSUER and LEDGER_OIDC_AUDIENCE must be set together');
  const { 'oidc.clientId': clientId, 'oidc.clientSecret': clientSecret } = values;
  if (clientId !== undefined && issuer === undefined)
    throw new ConfigError('LEDGER_OIDC_CLIENT_ID needs LEDGER_OIDC_ISSUER and LEDGER_OIDC_AUDIENCE');
  if (clientSecret !== undefined && clientId === undefined)
    throw new ConfigError('LEDGER_OIDC_CLIENT_SECRET needs LEDGER_OIDC_CLIENT_ID');
  if (issuer === undefined || audience === undefined) return undefined;
  return {
    issuer,
    audience,
    jwksUri: values['oidc.jwksUri'],
    tokenType: values['oidc.tokenType'],
    roleClaim: values['oidc.roleClaim'],
    roles: values['oidc.roles'],
    accountClaim: values['oidc.accountClaim'],
    clientId,
    clientSecret,
    scope: values['oidc.scope'],
    rolesFrom: values['oidc.rolesFrom'],
    authorizationParameters: values['oidc.authorizationParameters'],
  };
}

/** Returns whether nobody on another machine can connect to an address. */
export function isLoopbackHost(host: string): boolean {
  if (host === 'localhost' || host === '::1') return true;
  return isIP(host) === 4 && host.startsWith('127.');
}

function auditOf(values: Settings): LogSettings {
  const settings = {
    origin: values['audit.origin'],
    key: values['audit.key'],
    keyFile: values['audit.keyFile'],
    acceptKey: values['audit.acceptKey'],
  };
  if (settings.key !== undefined && settings.keyFile !== undefined)
    throw new ConfigError('LEDGER_AUDIT_KEY and LEDGER_AUDIT_KEY_FILE are both set: set one of them');
  return {
    ...withoutAbsent(settings),
    checkpointSeconds: values['audit.checkpointSeconds'],
    witnesses: values['audit.witnesses'],
    treeMinHeightInMemory: values['audit.treeMinHeightInMemory'],
  };
}

function webhooksOf(values: Settings): WebhookSettings {
  const settings = {
    key: values['webhooks.key'],
    keyFile: values['webhooks.keyFile'],
    signingKey: values['webhooks.signingKey'],
    targets: values['webhooks.targets'],
  };
  if (settings.key !== undefined && settings.keyFile !== undefined)
    throw new ConfigError('LEDGER_WEBHOOKS_KEY and LEDGER_WEBHOOKS_KEY_FILE are both set: set one of them');
  return withoutAbsent(settings);
}

function kubefirstOf(values: Settings): KubefirstSettings {
  return {
    ...withoutAbsent({
      writeKey: values['kubefirst.writeKey'],
      pricePerHour: values['kubefirst.pricePerHour'],
      records: values['kubefirst.records'],
      accountId: values['kubefirst.accountId'],
    }),
    accountsByManagementId: values['kubefirst.accountsByManagementId'],
    accountsByDomain: values['kubefirst.accountsByDomain'],
    freeClusterTypes: values['kubefirst.freeClusterTypes'],
    connection: values['kubefirst.connection'],
  };
}

function withoutAbsent<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const present = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(present) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

function inClusterOf(environment: Environment): Record<string, string> {
  const names = ['KUBERNETES_SERVICE_HOST', 'KUBERNETES_SERVICE_PORT'] as const;
  return Object.fromEntries(
    names.flatMap((name) => (environment[name] === undefined ? [] : [[name, environment[name]]])),
  );
}
