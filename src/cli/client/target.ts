import type { CliEnvironment } from '../../config/cli-environment.ts';
import { usageError } from '../terminal/cli-error.ts';
import { printWarning } from '../terminal/output.ts';
import { type Client, HttpClient } from './client.ts';
import { type Context, Contexts } from './contexts.ts';

const DEFAULT_URL = 'http://127.0.0.1:8400';

/** Options that choose a ledger. */
export interface TargetOptions {
  readonly url?: string;
  readonly token?: string;
  /** An API key, which is sent as a token. */
  readonly key?: string;
  readonly context?: string;
  readonly store?: string;
  readonly namespace?: string;
}

export type Target =
  | {
      readonly kind: 'server';
      readonly url: string;
      readonly token: string | undefined;
      readonly from: string;
    }
  | {
      readonly kind: 'store';
      readonly store: string;
      readonly namespace: string | undefined;
      readonly from: string;
    };

/**
 * Connects to a ledger. The first of these chooses it: the command line, `LEDGER_URL`, `LEDGER_CONTEXT`, the current
 * context, the default URL.
 * @param takesStore whether the command can run on a store without a running ledger.
 * @throws CliError if the options are not valid, or the store cannot be opened.
 */
export async function connect(
  options: TargetOptions,
  environment: CliEnvironment,
  takesStore: boolean,
): Promise<Client> {
  const target = await targetOf(options, environment);
  if (target.kind === 'server') return httpClient(target);
  if (!takesStore)
    throw usageError(`${target.from} is a store, but this command needs a running ledger: pass --url`);
  const { openStoreClient } = await import('./store-client.ts');
  return openStoreClient(target.store, target.namespace);
}

/** Returns the chosen ledger. @throws CliError if the context is unknown, or an option does not apply to the ledger. */
export async function targetOf(options: TargetOptions, environment: CliEnvironment): Promise<Target> {
  const target = await chooseTarget(options, environment);
  if (target.kind === 'server' && options.namespace !== undefined)
    throw usageError('--namespace requires --store: a running ledger has its own namespace');
  if (target.kind === 'store' && (options.token ?? options.key) !== undefined)
    throw usageError(
      `${options.token === undefined ? '--key' : '--token'} requires a running ledger, but ${target.from} is a store`,
    );
  return target;
}

async function chooseTarget(options: TargetOptions, environment: CliEnvironment): Promise<Target> {
  const token = options.token ?? options.key ?? environment.token;
  if (options.store !== undefined)
    return { kind: 'store', store: options.store, namespace: options.namespace, from: '--store' };
  if (options.url !== undefined) return { kind: 'server', url: options.url, token, from: '--url' };
  const contexts = new Contexts(environment.configDir);
  const named = async (name: string) =>
    targetOfContext(await contexts.find(name), name, options, environment);
  if (options.context !== undefined) return named(options.context);
  if (environment.url !== undefined)
    return { kind: 'server', url: environment.url, token, from: 'LEDGER_URL' };
  if (environment.context !== undefined) return named(environment.context);
  const { current } = await contexts.read();
  if (current !== null) return named(current);
  return { kind: 'server', url: DEFAULT_URL, token, from: 'the default' };
}

/** Returns the ledger of a context. The token of a context is sent to its own URL only. */
function targetOfContext(
  context: Context,
  name: string,
  options: TargetOptions,
  { token }: CliEnvironment,
): Target {
  const from = `context ${name}`;
  if ('store' in context)
    return { kind: 'store', store: context.store, namespace: options.namespace ?? context.namespace, from };
  return {
    kind: 'server',
    url: context.url,
    token: options.token ?? options.key ?? context.token ?? token,
    from,
  };
}

function httpClient(target: Extract<Target, { kind: 'server' }>): Client {
  const { url, token } = serverOf(target);
  return new HttpClient(url, token);
}

/** Returns the checked URL and token of a running ledger. @throws CliError if either is not valid. */
export function serverOf({ url: text, token, from }: Extract<Target, { kind: 'server' }>) {
  const url = serverUrl(text, from);
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token))
    throw usageError('the token must be printable ASCII without spaces');
  if (token !== undefined && url.protocol === 'http:' && !isLoopback(url.hostname))
    printWarning(`the token is sent to ${url.host} unencrypted: use https`);
  return { url, token };
}

/** Parses the URL of a ledger. @param from the option or variable that holds it. @throws CliError if it is not valid. */
export function serverUrl(text: string, from: string): URL {
  const url = URL.parse(text);
  // The text may hold a password: it is repeated only if it has no "@".
  const shown = text.includes('@') ? 'something else' : JSON.stringify(text);
  if (url === null || !/^https?:$/.test(url.protocol))
    throw usageError(`${from} must be a URL with http or https, such as ${DEFAULT_URL}; given ${shown}`);
  if (url.username !== '' || url.password !== '')
    throw usageError(`${from} must not contain a user or password: pass --token`);
  if (url.search !== '' || url.hash !== '')
    throw usageError(`${from} must not contain ? or #; given ${shown}`);
  return url;
}

function isLoopback(host: string): boolean {
  return /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/i.test(host);
}
