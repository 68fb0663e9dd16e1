import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import type { ProbeResult } from '../../../src/kubernetes/prober/prober.ts';
import { outcomeAfter26Hours } from '../outcome-after-26-hours.ts';
import { kubeconfig } from './fleet.ts';

/** Broken networks that do not affect this machine: Linux gives the process a network namespace of its own. */
const HAS_NETWORK = 'ip link add d0 type bridge && ip addr add 10.9.9.1/24 dev d0 && ip link set d0 up';
const UNROUTED = `${HAS_NETWORK} && ip route add unreachable 203.0.113.0/24`;
const canIsolate = spawnSync('unshare', ['--net', 'sh', '-c', UNROUTED], { stdio: 'ignore' }).status === 0;
const name = canIsolate ? 'a network' : 'NOT RUN: no network of its own for a process here (unshare, ip)';

async function verdictIn(network: string, host: string) {
  const program = join(import.meta.dirname, '../prober/probing-process.ts');
  const script = `${network} && exec "$0" "$1"`;
  const child = spawn('unshare', ['--net', '--kill-child', 'sh', '-c', script, process.execPath, program], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const target = {
    clusterId: 'c',
    kubeconfig: kubeconfig({ server: `https://${host}:6443` }, { token: 't' }),
  };
  const options = { deadlineMs: 60_000, dnsServers: ['203.0.113.53'] };
  child.stdin.end(JSON.stringify({ options, targets: [target], isOnce: true }));
  const lines = (await text(child.stdout)).trim().split('\n');
  return (JSON.parse(lines.at(-1) as string) as ProbeResult).verdict;
}

describe.skipIf(!canIsolate)(name, () => {
  test('without a route to the host makes a cluster unreachable', async () => {
    expect(await verdictIn(UNROUTED, '203.0.113.7')).toMatchObject({
      state: 'unreachable',
      code: 'no-route',
    });
  });

  test('down on the side of the ledger says nothing about a cluster', async () => {
    expect(await verdictIn('true', '203.0.113.7')).toMatchObject({
      state: 'unverifiable',
      code: 'network-down',
    });
  });

  test('without IPv6 on the side of the ledger says nothing about an IPv6-only cluster', async () => {
    const verdict = await verdictIn(`${HAS_NETWORK} && ip -6 addr flush dev d0`, '[2001:db8::7]');
    expect(verdict).toMatchObject({ state: 'unverifiable', code: 'network-down' });
    // Its bill goes on, however long that lasts.
    const formerUid = '00000000-0000-4000-8000-000000000001';
    expect(outcomeAfter26Hours(verdict, formerUid)).toBe('billed: unverifiable');
    expect(outcomeAfter26Hours(verdict, undefined)).toBe('billed: unverifiable');
  });

  test('without a reachable DNS server says nothing about a cluster', async () => {
    expect(await verdictIn(UNROUTED, 'api.example.com')).toMatchObject({
      state: 'unverifiable',
      code: 'network-down',
    });
  });
});
