/** Names that change their address between the check and the connection (DNS rebinding), answered by a real DNS server. */

import { Resolver } from 'node:dns/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { guardedAgent, type ResolveAll, TargetPolicy } from '../../src/delivery/guarded-agent.ts';
import { post } from '../../src/delivery/http-sender.ts';
import { AddressPolicyOptions } from '../../src/util/address-policy-options.ts';
import { type DnsAnswer, DnsServer } from '../support/dns-server.ts';

/** The receiver, which the policy allows, and an internal service on the same port, which it does not. */
const RECEIVER = '127.0.0.1';
const INTERNAL = '127.0.0.2';
const POLICY = new TargetPolicy(
  AddressPolicyOptions.parse({ allow: [`${RECEIVER}/32`], allowPrivate: false }),
);

/** Servers that count their connections. The one that is internal must have none. */
async function servers() {
  const connections = { receiver: 0, internal: 0 };
  const listen = (server: Server, port: number, address: string) =>
    new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, address, resolve));
  const server = () =>
    createServer((request, response) => {
      request.resume();
      // A connection of its own for each message, so that each one resolves the name.
      response.writeHead(204, { connection: 'close' }).end();
    });
  const [receiver, internal] = [server(), server()];
  receiver.on('connection', () => (connections.receiver += 1));
  internal.on('connection', () => (connections.internal += 1));
  await listen(receiver, 0, RECEIVER);
  const { port } = receiver.address() as AddressInfo;
  await listen(internal, port, INTERNAL);
  onTestFinished(() => void [receiver, internal].map((each) => each.close()));
  return { connections, port };
}

/** Resolves names by a DNS server, as the resolver of the host does. */
function resolverOf(dns: DnsServer): ResolveAll {
  const resolver = new Resolver();
  resolver.setServers([dns.address]);
  return (name, _, callback) => {
    const of = (family: 4 | 6) =>
      (family === 4 ? resolver.resolve4(name) : resolver.resolve6(name)).then(
        (found) => found.map((address) => ({ address, family })),
        () => [],
      );
    void Promise.all([of(4), of(6)]).then(([v4, v6]) => callback(null, [...v4, ...v6]));
  };
}

/** Sends messages to a name, one after the other. @param answers those of the DNS server; the last one stays. */
async function sendTo(answers: readonly DnsAnswer[], messages = 1) {
  const { connections, port } = await servers();
  const rounds = answers.flatMap((answer) => [answer, answer]);
  // Each look-up asks twice: for IPv4 and for IPv6.
  let asked = 0;
  const dns = await DnsServer.start({
    'hooks.example.com': () => rounds[Math.min(asked++, rounds.length - 1)] as DnsAnswer,
  });
  onTestFinished(() => dns.stop());
  const agent = await guardedAgent(POLICY, resolverOf(dns));
  onTestFinished(() => agent.destroy());
  const outcomes: string[] = [];
  for (let n = 0; n < messages; n++) {
    const message = { url: `http://hooks.example.com:${port}/`, headers: {}, body: '{}' };
    const handled = await post(message, agent, Date.now, new AbortController().signal);
    outcomes.push(handled.outcome === 'ack' ? 'ack' : handled.reason);
  }
  return { outcomes, connections, lookups: dns.queries.length / 2 };
}

const denied = (address: string) => expect.stringContaining(`${address} is `);

describe('the connection to a name', () => {
  test('goes to the address that was checked, although the name has another one right after the check', async () => {
    const { outcomes, connections, lookups } = await sendTo([[RECEIVER], [INTERNAL]]);
    expect([outcomes, connections, lookups]).toEqual([['ack'], { receiver: 1, internal: 0 }, 1]);
  });

  test('is checked anew each time', async () => {
    const { outcomes, connections } = await sendTo([[RECEIVER], [INTERNAL], [RECEIVER]], 3);
    expect(outcomes).toEqual(['ack', denied(INTERNAL), 'ack']);
    expect(connections).toEqual({ receiver: 2, internal: 0 });
  });

  test.each([
    [[RECEIVER, INTERNAL], INTERNAL],
    [[INTERNAL, RECEIVER], INTERNAL],
    [[RECEIVER, '::1'], '::1'],
    [['::ffff:7f00:2'], '::ffff:127.0.0.2'],
    [['64:ff9b::7f00:2'], '64:ff9b::7f00:2'],
    [['2002:7f00:2::'], '2002:7f00:2::'],
    [['::'], '::'],
    [['0.0.0.0'], '0.0.0.0'],
    [['169.254.169.254'], '169.254.169.254'],
    [['fd00::1'], 'fd00::1'],
    [['10.0.0.7'], '10.0.0.7'],
  ])('is not opened if its addresses are %j, because of %s', async (addresses, why) => {
    const { outcomes, connections } = await sendTo([addresses]);
    expect([outcomes, connections]).toEqual([[denied(why)], { receiver: 0, internal: 0 }]);
  });
});

test.each([
  '2130706434',
  '0x7f000002',
  '0177.0.0.2',
  '127.2',
  '[::ffff:127.0.0.2]',
  '[::127.0.0.2]',
  '127.0.0.2.',
])('a URL with the internal address %s is refused', (host) => {
  expect(POLICY.problemOf(`https://${host}/`)).toMatch(/^is not allowed: .* is loopback/);
});
