import { Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import { codeOf, ProbeFailure } from './probe-failure.ts';

const QUERY_MS = 2_000;
const TRIES = 3;
/** Maximum number of addresses of one name. */
const MAX_ADDRESSES = 16;

/**
 * Resolves a host to all of its addresses. It queries DNS servers only, with the absolute name (no search domains,
 * no hosts file), and a pending lookup can be cancelled.
 * @param servers DNS servers as `ip` or `ip:port`; by default those of the machine.
 * @throws ProbeFailure if there is no address, or if the lookup fails.
 */
export async function addressesOf(
  host: string,
  servers: readonly string[] | undefined,
  signal: AbortSignal,
): Promise<readonly string[]> {
  if (isIP(host) !== 0) return [host];
  const resolver = new Resolver({ timeout: QUERY_MS, tries: TRIES });
  if (servers !== undefined) resolver.setServers(servers);
  const cancel = () => resolver.cancel();
  signal.addEventListener('abort', cancel);
  try {
    signal.throwIfAborted();
    const answers = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
    signal.throwIfAborted();
    const addresses = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
    if (addresses.length > MAX_ADDRESSES)
      throw new ProbeFailure('unknown', 'dns-failure', `the name has more than ${MAX_ADDRESSES} addresses`);
    if (addresses.length > 0) return addresses;
    throw nameFailure(answers.map((answer) => codeOf((answer as PromiseRejectedResult).reason)));
  } finally {
    signal.removeEventListener('abort', cancel);
    resolver.cancel();
  }
}

/**
 * Classifies failed lookups. `ENOTFOUND`: the name does not exist. `ENODATA`: it has no address of this family.
 * Other codes are inconclusive.
 */
function nameFailure(codes: readonly string[]): ProbeFailure {
  const failed = codes.find((code) => code !== 'ENOTFOUND' && code !== 'ENODATA');
  if (failed !== undefined)
    return new ProbeFailure('unknown', 'dns-failure', `the name could not be resolved (${failed})`);
  const isAbsent = codes.includes('ENOTFOUND');
  const detail = isAbsent ? 'the name does not exist' : 'the name has no address';
  return new ProbeFailure('unreachable', 'name-not-found', detail);
}
