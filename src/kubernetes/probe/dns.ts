import { Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import { codeOf, ProbeFailure } from './probe-failure.ts';

const QUERY_MS = 2_000;
const TRIES = 3;
/** A name with more addresses than this is not one of an API server. */
const MAX_ADDRESSES = 16;

/**
 * All addresses of a host. Names go to DNS servers alone, absolute as they are (no search domains, no hosts file), and a
 * lookup under way can be cancelled: one that is slow holds up nobody else.
 * @param servers DNS servers, `ip` or `ip:port`; those of the machine where there are none.
 * @throws ProbeFailure where there is no address, or it is not known whether there is one.
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

/** `ENOTFOUND`: there is no such name; `ENODATA`: there is, without an address of that family. Others say nothing. */
function nameFailure(codes: readonly string[]): ProbeFailure {
  const failed = codes.find((code) => code !== 'ENOTFOUND' && code !== 'ENODATA');
  if (failed !== undefined)
    return new ProbeFailure('unknown', 'dns-failure', `the name was not resolved (${failed})`);
  const isAbsent = codes.includes('ENOTFOUND');
  const detail = isAbsent ? 'the name does not exist' : 'the name has no address';
  return new ProbeFailure('unreachable', 'name-not-found', detail);
}
