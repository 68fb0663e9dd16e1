import type { CliEnvironment } from '../../config/config.ts';
import { usageError } from '../terminal/cli-error.ts';
import { printWarning } from '../terminal/output.ts';
import { type Client, HttpClient } from './client.ts';
import { type Context, Contexts } from './contexts.ts';

const DEFAULT_URL = 'http://127.0.0.1:8400';

/** How a command is told which ledger to talk to. */
export interface TargetOptions {
  readonly url?: string;
  readonly token?: string;
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
 * Connects to the ledger that is meant: what is named on the command line; else `LEDGER_URL`, the context that
 * `LEDGER_CONTEXT` names, the current context, the ledger of this machine.
 * @param takesStore whether the command can be answered from a store that is opened here.
 * @throws CliError if nothing can be made of what was given, or a store does not open.
 */
export async function connect(
  options: TargetOptions,
  environment: CliEnvironment,
  takesStore: boolean,
): Promise<Client> {
  const target = await targetOf(options, environment);
  if (target.kind === 'server') return httpClient(target);
  if (!takesStore)
    throw usageError(`${target.from} is a store, and this command needs a ledger that runs: give --url`);
  const { openStoreClient } = await import('./store-client.ts');
  return openStoreClient(target.store, target.namespace);
}

/** The ledger that is meant. @throws CliError if a context is named that is not saved, or an option does not fit. */
export async function targetOf(options: TargetOptions, environment: CliEnvironment): Promise<Target> {
  const target = await chooseTarget(options, environment);
  if (target.kind === 'server' && options.namespace !== undefined)
    throw usageError('--namespace goes with a store; a ledger that runs has its own');
  if (target.kind === 'store' && options.token !== undefined)
    throw usageError(`--token goes with a ledger that runs, and ${target.from} is a store`);
  return target;
}

async function chooseTarget(options: TargetOptions, environment: CliEnvironment): Promise<Target> {
  const token = options.token ?? environment.token;
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

/** The token of a context goes to its own URL alone. */
function targetOfContext(
  context: Context,
  name: string,
  options: TargetOptions,
  { token }: CliEnvironment,
): Target {
  const from = `context ${name}`;
  if ('store' in context)
    return { kind: 'store', store: context.store, namespace: options.namespace ?? context.namespace, from };
  return { kind: 'server', url: context.url, token: options.token ?? context.token ?? token, from };
}

function httpClient(target: Extract<Target, { kind: 'server' }>): Client {
  const { url, token } = serverOf(target);
  return new HttpClient(url, token);
}

/** @throws CliError if it is no URL of a server, or no token. */
export function serverOf({ url: text, token, from }: Extract<Target, { kind: 'server' }>) {
  const url = serverUrl(text, from);
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token))
    throw usageError('the token must be printable ASCII without spaces');
  if (token !== undefined && url.protocol === 'http:' && !isLoopback(url.hostname))
    printWarning(`the token goes to ${url.host} unencrypted: use https`);
  return { url, token };
}

/** @param from where it was given. @throws CliError if it is no URL of a server. */
export function serverUrl(text: string, from: string): URL {
  const url = URL.parse(text);
  // What is no URL may hold a password: it is repeated only where it cannot.
  const given = text.includes('@') ? 'something else' : JSON.stringify(text);
  if (url === null || !/^https?:$/.test(url.protocol))
    throw usageError(`${from} must be a URL with http or https, such as ${DEFAULT_URL}; given ${given}`);
  if (url.username !== '' || url.password !== '')
    throw usageError(`${from} must not hold a user or password: give --token`);
  if (url.search !== '' || url.hash !== '')
    throw usageError(`${from} must end with its path, without ? and #; given ${given}`);
  return url;
}

function isLoopback(host: string): boolean {
  return /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/i.test(host);
}
