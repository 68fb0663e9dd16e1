import { isIPv4, isIPv6 } from 'node:net';

/**
 * Returns the 16 bytes of an IPv6 address or the 4 of an IPv4 address; `undefined` for other text and for addresses
 * with a zone.
 */
export function bytesOf(address: string): readonly number[] | undefined {
  if (isIPv4(address)) return address.split('.').map(Number);
  if (!isIPv6(address) || address.includes('%')) return undefined;
  const [head = '', tail] = address.split('::');
  const front = groups(head);
  const back = groups(tail ?? '');
  const zeros = tail === undefined ? [] : new Array<number>(16 - front.length - back.length).fill(0);
  return [...front, ...zeros, ...back];
}

function groups(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (group.includes('.')) return group.split('.').map(Number);
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 255];
  });
}

/**
 * Returns the IPv4 addresses that an IPv6 address may lead to: mapped, compatible, translated, NAT64, 6to4, Teredo
 * and ISATAP addresses.
 */
export function embeddedIPv4(bytes: readonly number[]): readonly string[] {
  if (bytes.length !== 16) return [];
  const dotted = (from: number, flip = 0) =>
    Array.from({ length: 4 }, (_, i) => (bytes[from + i] as number) ^ flip).join('.');
  const begins = (...prefix: number[]) => prefix.every((byte, i) => bytes[i] === byte);
  const zeros = (from: number, to: number) => bytes.slice(from, to).every((byte) => byte === 0);
  const addresses: string[] = [];
  // ::a.b.c.d, ::ffff:a.b.c.d and ::ffff:0:a.b.c.d. This includes `::` and `::1`, which are denied anyway.
  const isMapped = zeros(0, 10) && bytes[10] === 255 && bytes[11] === 255;
  const isTranslated = zeros(0, 8) && bytes[8] === 255 && bytes[9] === 255 && zeros(10, 12);
  if (zeros(0, 12) || isMapped || isTranslated) addresses.push(dotted(12));
  if (begins(0, 0x64, 0xff, 0x9b) && zeros(4, 12)) addresses.push(dotted(12));
  if (begins(0x20, 0x02)) addresses.push(dotted(2));
  if (begins(0x20, 0x01, 0, 0)) addresses.push(dotted(4), dotted(12, 255));
  if ((bytes[8] === 0 || bytes[8] === 2) && bytes[9] === 0 && bytes[10] === 0x5e && bytes[11] === 0xfe)
    addresses.push(dotted(12));
  return addresses;
}

/** Returns whether two texts are the same address. */
export function sameAddress(a: string, b: string): boolean {
  const [left, right] = [bytesOf(a), bytesOf(b)];
  return left !== undefined && right !== undefined && left.join() === right.join();
}
