import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AddressPolicy } from '../../src/util/address-policy.ts';
import { AddressPolicyOptions } from '../../src/util/address-policy-options.ts';
import { bytesOf, sameAddress } from '../../src/util/ip.ts';

const policy = (options: object = {}) => new AddressPolicy(AddressPolicyOptions.parse(options));

describe('an address is denied', () => {
  test.each([
    ['0.0.0.0', 'unspecified'],
    ['0.1.2.3', 'unspecified'],
    ['::', 'unspecified'],
    ['127.0.0.1', 'loopback'],
    ['127.255.255.254', 'loopback'],
    ['::1', 'loopback'],
    ['169.254.169.254', 'link-local'],
    ['169.254.1.1', 'link-local'],
    ['fe80::1', 'link-local'],
    ['febf::1', 'link-local'],
    ['fd00:ec2::254', 'a metadata service'],
    ['100.100.100.200', 'a metadata service'],
    ['168.63.129.16', 'a metadata service'],
    ['192.0.0.192', 'a metadata service'],
    ['224.0.0.1', 'multicast'],
    ['239.255.255.255', 'multicast'],
    ['ff02::1', 'multicast'],
    ['255.255.255.255', 'reserved'],
    ['240.0.0.1', 'reserved'],
    ['64:ff9b:1::7f00:1', 'reserved'],
    ['fe80::1%eth0', 'not a plain IP address'],
    ['example.com', 'not a plain IP address'],
    ['', 'not a plain IP address'],
  ])('%s is %s', (address, why) => {
    expect(policy().denialReason(address)).toBe(why);
  });

  test.each([
    ['mapped', '::ffff:127.0.0.1'],
    ['mapped, in hexadecimal', '::ffff:7f00:1'],
    ['mapped, written out', '0:0:0:0:0:ffff:a9fe:a9fe'],
    ['compatible', '::127.0.0.1'],
    ['translated', '::ffff:0:127.0.0.1'],
    ['NAT64', '64:ff9b::169.254.169.254'],
    ['6to4', '2002:7f00:1::'],
    ['6to4, with a host', '2002:a9fe:a9fe:1::5'],
    ['Teredo, its server', '2001:0:7f00:1::'],
    ['Teredo, its client', '2001:0:808:808::80ff:fffe'],
    ['ISATAP', '2001:db8::5efe:127.0.0.1'],
    ['ISATAP, universal', '2001:db8::200:5efe:7f00:1'],
  ])('if it embeds a denied IPv4 address: %s', (_, address) => {
    expect(policy().denialReason(address)).toMatch(/^(loopback|link-local)(, embedded in an IPv6 address)?$/);
  });

  test('if it is in a network that the configuration denies, in any form', () => {
    const ours = policy({ deny: ['10.96.0.0/12', 'fd12::/16'] });
    for (const address of [
      '10.96.0.1',
      '10.111.255.255',
      '::ffff:10.96.0.1',
      '64:ff9b::10.100.0.1',
      'fd12::1',
    ])
      expect(ours.denialReason(address), address).toMatch(/^in a network that the configuration denies/);
    expect(ours.denialReason('10.112.0.1')).toBeUndefined();
  });

  test('if it is private and the configuration denies private networks', () => {
    const strict = policy({ allowPrivate: false });
    for (const address of [
      '10.1.2.3',
      '172.31.0.1',
      '192.168.1.1',
      '100.64.0.1',
      '198.18.0.1',
      '::ffff:198.19.255.254',
      '2001:2::1',
      '5f00::1',
      'fc00::1',
      '::ffff:10.0.0.1',
    ])
      expect(strict.denialReason(address), address).toMatch(/^private/);
    expect(strict.denialReason('172.32.0.1')).toBeUndefined();
  });
});

describe('an address is allowed', () => {
  test.each([
    '8.8.8.8',
    '203.0.113.7',
    '10.0.0.1',
    '192.168.1.1',
    '100.64.0.1',
    '2606:4700::1111',
    'fd34:fe56:7891:2f3a::1',
    '64:ff9b::8.8.8.8',
    '2002:808:808::1',
    '::ffff:8.8.8.8',
  ])('%s', (address) => {
    expect(policy().denialReason(address)).toBeUndefined();
  });

  test('if the configuration allows its network, in any form, and no other address is', () => {
    const local = policy({ allow: ['127.0.0.0/8'] });
    for (const address of ['127.0.0.1', '::ffff:127.0.0.1', '64:ff9b::127.0.0.1'])
      expect(local.denialReason(address), address).toBeUndefined();
    for (const address of ['::1', '169.254.169.254', '0.0.0.0', '2001:0:7f00:1::'])
      expect(local.denialReason(address), address).toBeDefined();
  });
});

test.each(['10.0.0.0', '10.0.0.0/33', '::/129', 'example.com/8', '10.0.0/8', ''])(
  '%s is not a network',
  (network) => {
    expect(AddressPolicyOptions.safeParse({ deny: [network] }).success).toBe(false);
  },
);

test('a denied IPv4 address is denied in every IPv6 form that embeds it', () => {
  const byte = fc.integer({ min: 0, max: 255 });
  const ours = policy();
  const hex = (a: number, b: number) => ((a << 8) | b).toString(16);
  fc.assert(
    fc.property(byte, byte, byte, byte, (a, b, c, d) => {
      const plain = `${a}.${b}.${c}.${d}`;
      const flipped = `${hex(a ^ 255, b ^ 255)}:${hex(c ^ 255, d ^ 255)}`;
      const forms = [
        `::ffff:${plain}`,
        `64:ff9b::${plain}`,
        `2002:${hex(a, b)}:${hex(c, d)}::1`,
        `2001:0:808:808::${flipped}`,
      ];
      for (const form of forms)
        if (ours.denialReason(plain) !== undefined) expect(ours.denialReason(form), form).toBeDefined();
    }),
    { numRuns: 500 },
  );
});

test('two spellings of one address are the same, and two addresses are not', () => {
  expect(sameAddress('::ffff:127.0.0.1', '0:0:0:0:0:ffff:7f00:1')).toBe(true);
  expect(sameAddress('FD00::1', 'fd00:0::0:1')).toBe(true);
  expect(sameAddress('127.0.0.1', '::ffff:127.0.0.1')).toBe(false);
  expect(sameAddress('', '')).toBe(false);
  expect(bytesOf('1::')).toHaveLength(16);
});
