import { type LookupAddress, type LookupAllOptions, lookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import type { Agent } from 'undici';
import { AddressPolicy } from '../util/address-policy.ts';
import type { AddressPolicyOptions } from '../util/address-policy-options.ts';

const CONNECT_TIMEOUT_MS = 10_000;

/** Resolves a name as `dns.lookup` does with `all`. */
export type ResolveAll = (
  hostname: string,
  options: LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/** The ledger may not send to a target. The message says why. */
class TargetDenied extends Error {
  override readonly name = 'TargetDenied';
}

/** Rules for the targets that people give the ledger to send to, against server-side request forgery. */
export class TargetPolicy {
  readonly #addresses: AddressPolicy;
  readonly #listed: AddressPolicy;

  /** @param options the addresses that are allowed. Plain HTTP is allowed only to the networks in `allow`. */
  constructor(options: AddressPolicyOptions) {
    this.#addresses = new AddressPolicy(options);
    this.#listed = new AddressPolicy({ ...options, deny: ['0.0.0.0/0', '::/0'] });
  }

  /**
   * Returns why a URL can never be a target, as words that follow the name of the field; `undefined` if it may be one. Names
   * are resolved when something is sent, so their addresses are checked then.
   */
  problemOf(text: string): string | undefined {
    if (!URL.canParse(text)) return 'must be an absolute URL such as https://example.com/hooks';
    const { protocol, hostname, username, password, hash } = new URL(text);
    if (protocol !== 'https:' && protocol !== 'http:') return 'must be an https URL';
    if (username !== '' || password !== '') return 'must not contain a user name or a password';
    if (hash !== '') return 'must not contain a fragment';
    const address = addressIn(hostname);
    if (protocol === 'http:' && (address === undefined || this.#listed.denialReason(address) !== undefined))
      return 'must be an https URL: plain http is allowed only to an IP address in a network of webhooks.targets.allow';
    const why = address === undefined ? undefined : this.#addresses.denialReason(address);
    return why === undefined ? undefined : `is not allowed: ${address} is ${why}`;
  }

  /** Returns why nothing may be sent to an address; `undefined` if it is allowed. */
  denialReason(address: string): string | undefined {
    const why = this.#addresses.denialReason(address);
    return why === undefined ? undefined : `${address} is ${why}, which webhooks.targets does not allow`;
  }
}

/**
 * Returns an agent of undici that connects only to addresses that the policy allows. A name is resolved once per connection and
 * the connection goes to the address that was checked, so that a name that changes its address between the check and the
 * connection gains nothing. Redirects are not followed.
 * @param resolve returns all addresses of a name; by default as the host does.
 */
export async function guardedAgent(policy: TargetPolicy, resolve: ResolveAll = lookup): Promise<Agent> {
  const undici = await import('undici');
  const checked: LookupFunction = (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, '');
      const denied = addresses
        .map(({ address }) => policy.denialReason(address))
        .find((why) => why !== undefined);
      if (denied !== undefined) return callback(new TargetDenied(denied), '');
      if (options.all === true) return callback(null, addresses);
      const [first] = addresses;
      return callback(null, first?.address ?? '', first?.family);
    });
  };
  return new undici.Agent({
    connect: { lookup: checked, timeout: CONNECT_TIMEOUT_MS },
    pipelining: 1,
    connections: 10,
    maxHeaderSize: 16 * 1_024,
  });
}

/** Returns the IP address that the host of a URL is, without brackets; `undefined` if it is a name. */
export function addressIn(hostname: string): string | undefined {
  const bare = hostname.replace(/^\[(.*)\]$/, '$1');
  return isIP(bare) === 0 ? undefined : bare;
}
