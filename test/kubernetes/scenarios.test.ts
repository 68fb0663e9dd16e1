import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Prober } from '../../src/kubernetes/prober/prober.ts';
import { ProberOptions } from '../../src/kubernetes/settings/prober-options.ts';
import type { Seen } from '../domain/validation/fleet.ts';
import { DnsServer } from '../support/dns-server.ts';
import { freePorts } from '../support/eventstored.ts';
import { type Outcome, outcomeAfter26Hours } from './outcome-after-26-hours.ts';
import { base64, Fleet, kubeconfig } from './probe/fleet.ts';
import { UID } from './probe/hostile-servers.ts';

/**
 * Situations from public bug reports. The real prober asks a server that behaves like it, and its verdict is what the next 26
 * hours of runs see, by the default policy.
 */

interface Scenario {
  readonly name: string;
  readonly kubeconfig: () => string | Promise<string>;
  /** If it was seen alive for an hour before. */
  readonly seenAlive: Outcome;
  /** If it was never seen alive. */
  readonly neverSeen: Outcome;
  /** Identity of the cluster that was seen before. */
  readonly uid: string;
  /** Whether the server never answers, so that the test need not wait long for it. */
  readonly isSilent?: boolean;
}

/** Identity of a cluster that was at the address before. */
const FORMER_UID = '00000000-0000-4000-8000-000000000001';

let fleet: Fleet;
let dns: DnsServer;
let prober: Prober;
/** Gives up early on servers that never answer. */
let impatient: Prober;

beforeAll(async () => {
  fleet = await Fleet.start();
  dns = await DnsServer.start({
    'api.example.test': ['127.0.0.1'],
    'failing.example.test': 'SERVFAIL',
  });
  const proberWith = (deadlineMs: number) => {
    const settings = { addresses: { allow: ['127.0.0.1/32'] }, dnsServers: [dns.address], deadlineMs };
    return new Prober(ProberOptions.parse(settings), { now: Date.now, log: { warn: () => undefined } });
  };
  // Long enough for a server that answers, however slow this machine is.
  prober = proberWith(15_000);
  impatient = proberWith(2_000);
});
afterAll(async () => {
  await prober?.stop();
  await impatient?.stop();
  await dns?.stop();
  await fleet?.stop();
});

const like = (behaviour: string) => () => fleet.kubeconfig(behaviour);
const named = (host: string) => () => fleet.kubeconfig('healthy', { host });
const scenario = (
  name: string,
  config: Scenario['kubeconfig'],
  seenAlive: Outcome,
  neverSeen: Outcome = seenAlive,
  uid = UID,
): Scenario => ({ name, kubeconfig: config, seenAlive, neverSeen, uid });

const UNVERIFIABLE = 'billed: unverifiable';
const STOPPED = 'stopped';
const NEVER = 'billed: never-verified';

const scenarios: readonly Scenario[] = [
  // The cluster runs.
  scenario('an overloaded API server', like('throttled'), 'billed'),
  scenario('an API server whose etcd is gone', like('degraded'), 'billed'),
  scenario('an expired token', like('unauthorized'), 'billed: credential-expired'),
  scenario('a token without rights', like('forbidden'), 'billed'),
  // A front.
  scenario('an expired token of Rancher', like('rancher-unauthorized'), 'billed: credential-expired'),
  scenario('a cluster that Rancher has lost', like('rancher-cluster-unavailable'), UNVERIFIABLE),
  scenario('a cluster that Rancher no longer has', like('rancher-without-the-cluster'), STOPPED, NEVER),
  scenario('a rate limit in HTML', like('nginx-429'), 'billed: credential-expired'),
  scenario('a firewall of Cloudflare', like('cloudflare-403'), 'billed: credential-expired'),
  scenario('an origin that Cloudflare cannot reach', like('cloudflare-522'), UNVERIFIABLE),
  scenario('a proxy with a bad gateway', like('nginx-502'), UNVERIFIABLE),
  scenario('a load balancer without a backend', like('aws-503'), UNVERIFIABLE),
  scenario('a redirect to a login', like('redirect-to-a-login'), UNVERIFIABLE),
  scenario('an answer compressed unasked', like('compressed-unasked'), UNVERIFIABLE),
  scenario(
    'a client certificate asked for',
    like('wants-a-certificate-TLSv1.3'),
    'billed: credential-expired',
  ),
  // A certificate.
  scenario('an expired certificate', like('expired'), 'billed: certificate-expired'),
  scenario('a certificate that is not valid yet', like('not-yet-valid'), 'billed: certificate-expired'),
  scenario('a rotated authority', like('stranger'), 'billed: cluster-unreachable, stop-unconfirmed', NEVER),
  scenario(
    'a certificate for another name',
    like('wrong-name'),
    'billed: cluster-unreachable, stop-unconfirmed',
    NEVER,
  ),
  // A name.
  scenario('a Service of another cluster', named('my-vcluster.team-x.svc'), UNVERIFIABLE),
  scenario('a name within kube-system', named('apiserver-us-1.kube-system'), UNVERIFIABLE),
  scenario('a name of Docker Desktop', named('kubernetes.docker.internal'), UNVERIFIABLE),
  scenario('localhost', () => kubeconfig({ server: 'https://[::1]:8443' }, { token: 't' }), UNVERIFIABLE),
  // A credential.
  scenario(
    'a credential that is refused',
    () => kubeconfig({ server: 'https://api.example.test', 'proxy-url': 'http://127.0.0.1' }, { token: 't' }),
    UNVERIFIABLE,
  ),
  scenario(
    'a login by a program',
    () => fleet.kubeconfig('unauthorized').replace('"token":"a-token"', '"exec":{"command":"aws"}'),
    'billed',
  ),
  // The cluster is gone, or it is a different one.
  scenario(
    'a closed port',
    async () =>
      kubeconfig(
        {
          server: `https://127.0.0.1:${(await freePorts(1))[0]}`,
          'certificate-authority-data': base64(fleet.authority.cert),
        },
        { token: 't' },
      ),
    STOPPED,
    NEVER,
  ),
  scenario('a hibernated cluster whose name is gone', named('gone.example.test'), STOPPED, NEVER),
  { ...scenario('a firewall that drops', like('hang-before-tls'), STOPPED, NEVER), isSilent: true },
  scenario('a zone whose DNS servers fail', named('failing.example.test'), STOPPED, NEVER),
  scenario('a load balancer that answers everything', like('ok-to-all'), STOPPED, NEVER),
  scenario('an ingress that no longer has it', like('nginx-404'), STOPPED, NEVER),
  scenario('another cluster at its address', like('healthy'), STOPPED, 'billed', FORMER_UID),
];

async function seen(text: string, asks: Prober): Promise<Seen> {
  const [result] = await Array.fromAsync(asks.probe([{ clusterId: 'c1', kubeconfig: text }]));
  if (result === undefined) throw new Error('there is no verdict');
  const { at: _, ...verdict } = result.verdict;
  return verdict;
}

describe('after 26 hours of runs, by the default policy', () => {
  test.each(scenarios)('$name: $seenAlive, or $neverSeen if never seen alive', async (each) => {
    const verdict = await seen(await each.kubeconfig(), each.isSilent ? impatient : prober);
    const { seenAlive, neverSeen } = each;
    expect({
      seenAlive: outcomeAfter26Hours(verdict, each.uid),
      neverSeen: outcomeAfter26Hours(verdict, undefined),
      verdict,
    }).toEqual({
      seenAlive,
      neverSeen,
      verdict,
    });
  });
});
