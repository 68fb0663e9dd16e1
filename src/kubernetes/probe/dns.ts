import { Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import { codeOf, ProbeFailure } from './probe-failure.ts';

const QUERY_MS = 2_000;
const TRIES = 3;
/** Maximum number of addresses of one name. */
const MAX_ADDRESSES = 16;

/** How names are resolved. */
export interface NameSettings {
  /** DNS servers as `ip` or `ip:port`; by default those of the machine. */
  readonly servers: readonly string[] | undefined;
  /** Domains that are tried for names from inside a cluster; empty if the ledger does not run in one. */
  readonly searchDomains: readonly string[];
}

/**
 * Resolves a host to all of its addresses. It queries DNS servers only, with the absolute name (no hosts file), and
 * a pending lookup can be cancelled. Search domains are only used for names that no public DNS server could know.
 * @throws ProbeFailure if there is no address, or if the lookup fails.
 */
export async function addressesOf(
  host: string,
  { servers, searchDomains }: NameSettings,
  signal: AbortSignal,
): Promise<readonly string[]> {
  if (isIP(host) !== 0) return [host];
  // RFC 6761: a name for loopback that needs no DNS.
  if (host === 'localhost' || host.endsWith('.localhost')) return ['127.0.0.1'];
  const resolver = new Resolver({ timeout: QUERY_MS, tries: TRIES });
  if (servers !== undefined) resolver.setServers(servers);
  const cancel = () => resolver.cancel();
  signal.addEventListener('abort', cancel);
  try {
    if (isInternal(host)) return await lookUpInternal(host, searchDomains, resolver, signal);
    const found = await lookUp(host, resolver, signal);
    if (!(found instanceof ProbeFailure)) return found;
    if (found.code === 'name-not-found' && !(await hasTopLevel(host, resolver, signal)))
      return await lookUpInternal(host, searchDomains, resolver, signal);
    throw found;
  } finally {
    signal.removeEventListener('abort', cancel);
    resolver.cancel();
  }
}

/**
 * Returns whether a name can only be known to a resolver inside some cluster, or inside some network: a single
 * label, a Service, or a domain that is reserved for private use.
 */
function isInternal(host: string): boolean {
  return !host.includes('.') || /\.(?:local|internal)$|^[^.]+\.[^.]+\.svc(?:\.|$)|\.svc$/.test(host);
}

/**
 * Looks up a name with each search domain and then as it is, as a resolver inside a cluster does. That none of them
 * exists says nothing about the cluster: the name may be known elsewhere.
 */
async function lookUpInternal(
  host: string,
  searchDomains: readonly string[],
  resolver: Resolver,
  signal: AbortSignal,
): Promise<readonly string[]> {
  for (const name of [...searchDomains.map((domain) => `${host}.${domain}`), host]) {
    const found = await lookUp(name, resolver, signal);
    if (!(found instanceof ProbeFailure)) return found;
    if (found.code !== 'name-not-found') throw found;
  }
  const why =
    searchDomains.length === 0
      ? 'is a name that only a resolver inside its cluster or network knows'
      : 'is not known inside this cluster: its Service is gone, or it is a name of another cluster or network';
  throw new ProbeFailure(
    'unverifiable',
    'internal-name',
    `${host} ${why}; give the server an address that the ledger can reach`,
  );
}

/** @returns the addresses of a name, or why there are none. */
async function lookUp(
  name: string,
  resolver: Resolver,
  signal: AbortSignal,
): Promise<readonly string[] | ProbeFailure> {
  signal.throwIfAborted();
  const answers = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
  signal.throwIfAborted();
  const addresses = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
  if (addresses.length > MAX_ADDRESSES)
    return new ProbeFailure('unknown', 'dns-failure', `the name has more than ${MAX_ADDRESSES} addresses`);
  if (addresses.length > 0) return addresses;
  return nameFailure(answers.map((answer) => codeOf((answer as PromiseRejectedResult).reason)));
}

/** Returns whether the top-level domain of a name exists. If that cannot be found out, it is taken to exist. */
async function hasTopLevel(host: string, resolver: Resolver, signal: AbortSignal): Promise<boolean> {
  const topLevel = host.slice(host.lastIndexOf('.') + 1);
  const code = await resolver.resolveNs(topLevel).then(
    () => undefined,
    (error: unknown) => codeOf(error),
  );
  signal.throwIfAborted();
  return code !== 'ENOTFOUND';
}

/**
 * Classifies failed lookups. `ENOTFOUND`: the name does not exist. `ENODATA`: it has no address of this family.
 * `ECONNREFUSED`: the DNS server of the ledger is down. Other codes are inconclusive.
 */
function nameFailure(codes: readonly string[]): ProbeFailure {
  const failed = codes.find((code) => code !== 'ENOTFOUND' && code !== 'ENODATA');
  if (failed === 'ECONNREFUSED')
    return new ProbeFailure('unverifiable', 'network-down', 'the DNS server of the ledger does not answer');
  if (failed !== undefined)
    return new ProbeFailure('unknown', 'dns-failure', `the name could not be resolved (${failed})`);
  const isAbsent = codes.includes('ENOTFOUND');
  const detail = isAbsent ? 'the name does not exist' : 'the name has no address';
  return new ProbeFailure('unreachable', 'name-not-found', detail);
}
