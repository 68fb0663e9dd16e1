import { BlockList, isIP } from 'node:net';
import { type AddressPolicyOptions, parseCidr } from './address-policy-options.ts';
import { bytesOf, embeddedIPv4 } from './ip.ts';

/**
 * Networks that never contain a server of a customer: this machine, its link, multicast, metadata services of
 * clouds.
 */
const ALWAYS_DENIED: readonly (readonly [why: string, ...networks: string[]])[] = [
  ['unspecified', '0.0.0.0/8', '::/128'],
  ['loopback', '127.0.0.0/8', '::1/128'],
  ['link-local', '169.254.0.0/16', 'fe80::/10'],
  [
    'a metadata service',
    '100.100.100.200/32',
    '168.63.129.16/32',
    '192.0.0.0/24',
    'fd00:ec2::/32',
    'fd20:ce::254/128',
  ],
  ['multicast', '224.0.0.0/4', 'ff00::/8'],
  ['reserved', '240.0.0.0/4', '64:ff9b:1::/48', '100::/64'],
];
/** Networks that are not reachable from the internet, so that what answers there is inside of some organization. */
const PRIVATE = [
  ...['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7', 'fec0::/10'],
  // Networks for measurements (RFC 2544, RFC 5180) and segment identifiers (RFC 9602), which people use as private ones.
  ...['198.18.0.0/15', '2001:2::/48', '5f00::/16'],
];

/** Decides whether the ledger may connect to an address that a customer gave. */
export class AddressPolicy {
  readonly #allowed: BlockList;
  readonly #denied: readonly (readonly [why: string, networks: BlockList])[];

  /** @throws RangeError if a network is not in CIDR notation. */
  constructor({ allow, deny, allowPrivate }: AddressPolicyOptions) {
    this.#allowed = listOf(allow);
    this.#denied = [
      ...ALWAYS_DENIED.map(([why, ...networks]) => [why, listOf(networks)] as const),
      ['in a network that the configuration denies', listOf(deny)],
      ...(allowPrivate ? [] : [['private', listOf(PRIVATE)] as const]),
    ];
  }

  /**
   * @param address an IP address; an address with a zone is denied.
   * @returns why the address is denied, as words that follow "is"; `undefined` if it is allowed.
   */
  denialReason(address: string): string | undefined {
    const bytes = bytesOf(address);
    if (bytes === undefined) return 'not a plain IP address';
    if (this.#has(this.#allowed, address)) return undefined;
    const inner = embeddedIPv4(bytes);
    if (inner.length > 0 && inner.every((each) => this.#has(this.#allowed, each))) return undefined;
    const why = this.#whyDenied(address);
    if (why !== undefined) return why;
    const whyInner = inner.map((each) => this.#whyDenied(each)).find((each) => each !== undefined);
    return whyInner === undefined ? undefined : `${whyInner}, embedded in an IPv6 address`;
  }

  #whyDenied(address: string): string | undefined {
    return this.#denied.find(([, networks]) => this.#has(networks, address))?.[0];
  }

  #has(list: BlockList, address: string): boolean {
    return list.check(address, isIP(address) === 4 ? 'ipv4' : 'ipv6');
  }
}

function listOf(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const parsed = parseCidr(network);
    if (parsed === undefined) throw new RangeError(`${network} is not a network`);
    list.addSubnet(parsed.address, parsed.bits, isIP(parsed.address) === 4 ? 'ipv4' : 'ipv6');
  }
  return list;
}
