import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { saysNothing } from '../../../src/domain/validation/judging/verdict.ts';
import { parseKubeconfig } from '../../../src/kubernetes/credentials/kubeconfig.ts';
import { probe } from '../../../src/kubernetes/probe/probe.ts';
import { SecureContexts } from '../../../src/kubernetes/probe/tls-contexts.ts';
import { AddressPolicy } from '../../../src/util/address-policy.ts';
import { DnsServer } from '../../support/dns-server.ts';
import { freePorts } from '../../support/eventstored.ts';
import { until } from '../../support/until.ts';
import { base64, Fleet, kubeconfig } from './fleet.ts';
import { HANGING, UID } from './hostile-servers.ts';

/** Long enough for a server that answers, however slow this machine is. */
const DEADLINE_MS = 60_000;
/** For servers that never answer, or never finish. */
const SHORT_DEADLINE_MS = 3_000;
/** For a server that answers one request and never the next one. */
const ONE_ANSWER_DEADLINE_MS = 15_000;
const throttle = { wait: async () => undefined, tryTake: () => true };
const contexts = new SecureContexts();
const sockets = new Set<Socket>();
let fleet: Fleet;
let dns: DnsServer;

beforeAll(async () => {
  fleet = await Fleet.start();
  let asked = 0;
  dns = await DnsServer.start({
    'api.example.test': ['127.0.0.1'],
    'flaky.clusters.example.test': () => (++asked <= 2 ? 'SERVFAIL' : ['127.0.0.1']),
    'both.clusters.example.test': ['127.0.0.1', '169.254.169.254'],
    'metadata.example.test': ['169.254.169.254'],
    'mapped.example.test': ['::ffff:169.254.169.254'],
    'empty.example.test': [],
    'broken.example.test': 'SERVFAIL',
    'silent.example.test': 'silence',
    'two.clusters.example.test': ['127.0.0.2', '127.0.0.1'],
    'my-vcluster.team-x.svc.cluster.test': ['127.0.0.1'],
    'gone.corp.internal': 'NXDOMAIN',
    'known.corp.internal': ['127.0.0.1'],
    'many.example.test': Array.from({ length: 20 }, (_, i) => `127.0.1.${i}`),
  });
});
afterAll(async () => {
  await dns?.stop();
  await fleet?.stop();
});

/** The part of Node.js that reads the address of a peer from the system; 0 if there is one. */
interface Connection {
  getpeername(into: object): number;
}

interface Given {
  readonly allow?: readonly string[];
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
  readonly searchDomains?: readonly string[];
}

function probed(
  text: string,
  { allow = ['127.0.0.0/8'], deadlineMs = DEADLINE_MS, signal, searchDomains = [] }: Given = {},
) {
  const endpoint = parseKubeconfig(text, { allowPlainHttp: false });
  const policy = new AddressPolicy({ allow: [...allow], deny: [], allowPrivate: true });
  const room = {
    policy,
    contexts,
    sockets,
    names: { servers: [dns.address], searchDomains },
    random: Math.random,
    now: () => 42,
    throttle,
  };
  return probe(endpoint, room, deadlineMs, signal ?? new AbortController().signal);
}

const behaving = (behaviour: string, given?: Given) => probed(fleet.kubeconfig(behaviour), given);

describe('an answering API server is alive', () => {
  test('is identified by its UID', async () => {
    const { latencyMs, ...verdict } = await behaving('healthy');
    expect(verdict).toEqual({ state: 'alive', code: 'ok', uid: UID, at: 42 });
    expect(latencyMs).toBeLessThan(DEADLINE_MS);
  });

  test.each([
    ['no-readyz', 'ok', UID],
    ['close-each', 'ok', UID],
    ['unauthorized', 'unauthorized', undefined],
    ['forbidden', 'forbidden', undefined],
    ['forbidden-everywhere', 'forbidden', undefined],
    ['throttled', 'throttled', undefined],
    ['degraded', 'degraded', UID],
    ['echo-uid', 'ok', undefined],
    ['reset-once', 'ok', UID],
    ['hang-after-version', 'ok', undefined],
  ])('even if its response is: %s', async (behaviour, code, uid) => {
    const verdict = await behaving(behaviour, {
      deadlineMs: behaviour.startsWith('hang') ? ONE_ANSWER_DEADLINE_MS : DEADLINE_MS,
    });
    expect(verdict).toMatchObject({ state: 'alive', code });
    expect(verdict.uid).toBe(uid);
  });

  test('by a name that is resolved once per family, even if one DNS query fails', async () => {
    const text = fleet.kubeconfig('healthy', { host: 'api.example.test' });
    const before = dns.queries.length;
    expect(await probed(text)).toMatchObject({ state: 'alive', code: 'ok' });
    expect(dns.queries.slice(before)).toEqual(['api.example.test', 'api.example.test']);
    const flaky = fleet.kubeconfig('healthy', { host: 'flaky.clusters.example.test' });
    expect(await probed(flaky)).toMatchObject({ state: 'alive', code: 'ok' });
  });

  test('at its second address if the first refuses the connection', async () => {
    const text = fleet.kubeconfig('healthy', { host: 'two.clusters.example.test' });
    expect(await probed(text)).toMatchObject({ state: 'alive', code: 'ok' });
  });

  test('under another certificate name if the kubeconfig has one', async () => {
    const cluster = { 'tls-server-name': 'any.clusters.example.test' };
    expect(await probed(fleet.kubeconfig('healthy', { cluster }))).toMatchObject({ state: 'alive' });
  });
});

describe('a missing or different server is unreachable', () => {
  test('if its port is closed', async () => {
    const [port] = (await freePorts(1)) as [number];
    const verdict = await probed(kubeconfig({ server: `https://127.0.0.1:${port}` }, { token: 't' }));
    expect(verdict).toMatchObject({ state: 'unreachable', code: 'refused' });
  });

  test.each([
    ['absent.example.test', 'the name does not exist'],
    ['empty.example.test', 'the name has no address'],
  ])('if its name leads nowhere: %s', async (host, detail) => {
    const verdict = await probed(fleet.kubeconfig('healthy', { host }));
    expect(verdict).toMatchObject({ state: 'unreachable', code: 'name-not-found', detail });
  });

  test.each([
    ['stranger', /not from the configured CA/],
    ['wrong-name', /for a different name/],
    ['expired-stranger', /has expired, and is not from the configured CA/],
    ['expired-wrong-name', /has expired, and .* for a different name/],
  ])('if its certificate is: %s, and no request is sent', async (behaviour, detail) => {
    const verdict = await behaving(behaviour);
    expect(verdict).toMatchObject({ state: 'unreachable', code: 'tls-mismatch' });
    expect(verdict.detail).toMatch(detail);
    expect((await fleet.counts())[behaviour]?.requests).toBe(0);
  });

  test('if its certificate changes before anything is proven', async () => {
    const verdict = await behaving('changing-certificate');
    expect(verdict).toMatchObject({ state: 'unreachable', code: 'tls-mismatch' });
  });

  test('if the system roots are expected and it has a private CA', async () => {
    const server = `https://127.0.0.1:${fleet.port('healthy')}`;
    const verdict = await probed(kubeconfig({ server }, { token: 't' }));
    expect(verdict).toMatchObject({ state: 'unreachable', code: 'tls-mismatch' });
  });

  test.each([
    ['not-found', /\/readyz answered 404; \/version answered 404/],
    ['nginx-404', /\/readyz answered 404 by nginx/],
    ['rancher-without-the-cluster', /\/readyz answered 404 by Rancher/],
    ['ok-to-all', /200/],
    ['deep-json', /200/],
    ['big-version', /200/],
    ['huge-body', /200/],
    ['endless-body', /200/],
  ])('if it speaks HTTP but is not an API server: %s', async (behaviour, detail) => {
    const verdict = await behaving(behaviour);
    expect(verdict).toMatchObject({ state: 'unreachable', code: 'not-kubernetes' });
    expect(verdict.detail).toMatch(detail);
  });
});

describe('a server in front of the API server', () => {
  test.each([
    ['rancher-unauthorized', '/readyz answered 401 by Rancher'],
    ['nginx-400', '/readyz answered 400 by nginx'],
    ['nginx-401', '/readyz answered 401 by nginx'],
    ['nginx-403', '/readyz answered 403 by nginx'],
    ['nginx-407', '/readyz answered 407 by nginx'],
    ['nginx-429', '/readyz answered 429 by nginx'],
    ['cloudflare-403', '/readyz answered 403 by Cloudflare'],
    ['wants-a-certificate-TLSv1.3', 'the server wants a client certificate'],
  ])(
    'is alive if the CA of the cluster identifies it and it refuses the ledger: %s',
    async (behaviour, detail) => {
      const verdict = await behaving(behaviour);
      expect(verdict).toMatchObject({ state: 'alive', code: 'front' });
      expect(verdict.detail).toContain(detail);
    },
  );

  test.each([
    ['nginx-500', '/readyz answered 500 by nginx'],
    ['nginx-502', '/readyz answered 502 by nginx'],
    ['nginx-503', '/readyz answered 503 by nginx'],
    ['nginx-504', '/readyz answered 504 by nginx'],
    ['cloudflare-522', '/readyz answered 522 by Cloudflare'],
    ['aws-503', '/readyz answered 503 by a load balancer of AWS'],
    ['bad-gateway', '/readyz answered 502'],
    ['rancher-cluster-unavailable', '/readyz answered 503 by Rancher'],
    ['redirect-to-a-login', '/readyz answered 302, a redirect, which is not followed'],
    ['redirect-to-itself', '/readyz answered 302, a redirect, which is not followed'],
    ['redirect-to-metadata', '/readyz answered 302, a redirect, which is not followed'],
    ['compressed-unasked', '/readyz answered 200, in an encoding that was not asked for'],
    ['gzip-bomb', '/readyz answered 200, in an encoding that was not asked for'],
    ['wants-a-certificate-TLSv1.2', 'the server wants a client certificate'],
  ])('says nothing about the cluster if it cannot pass the probe on: %s', async (behaviour, detail) => {
    const verdict = await behaving(behaviour);
    expect(verdict).toMatchObject({ state: 'unknown', code: 'front' });
    expect(verdict.detail).toContain(detail);
    expect(saysNothing(verdict)).toBe(true);
  });

  test('does not hide an API server that answers one of the requests', async () => {
    expect(await behaving('healthy-behind-a-login')).toMatchObject({ state: 'alive', code: 'unauthorized' });
  });

  test('gets three requests in all, even if it redirects each of them', async () => {
    const before = (await fleet.counts())['redirect-to-itself']?.requests ?? 0;
    await behaving('redirect-to-itself');
    expect((await fleet.counts())['redirect-to-itself']?.requests).toBe(before + 3);
  });
});

describe('a certificate with the right key and wrong dates is alive, and nothing is sent to it', () => {
  test.each([
    ['expired', 'certificate-expired', /^the certificate of the server expired at .*Z; nothing was sent$/],
    ['expired-in-a-chain', 'certificate-expired', /^the certificate of the server expired at .*Z/],
    ['not-yet-valid', 'certificate-not-yet-valid', /^the certificate of the server is valid from .*Z on/],
  ])('%s', async (behaviour, code, detail) => {
    const verdict = await behaving(behaviour);
    expect(verdict).toMatchObject({ state: 'alive', code });
    expect(verdict.detail).toMatch(detail);
    expect((await fleet.counts())[behaviour]?.requests).toBe(0);
  });
});

describe('a name that only a resolver inside some cluster knows', () => {
  test.each([
    'my-vcluster',
    'my-vcluster.team-x',
    'my-vcluster.team-x.svc',
    'my-vcluster.team-x.svc.cluster.local',
    'apiserver-us-1.kube-system',
    'kubernetes.docker.internal',
    'printer.local',
    'gone.corp.internal',
  ])('says nothing about the cluster where it cannot be resolved: %s', async (host) => {
    const verdict = await probed(fleet.kubeconfig('healthy', { host }));
    expect(verdict).toMatchObject({ state: 'unverifiable', code: 'internal-name' });
    expect(verdict.detail).toContain(`${host} is a name that only a resolver inside`);
  });

  test.each([
    ['my-vcluster', ['team-x.svc.cluster.test', 'svc.cluster.test', 'cluster.test']],
    ['my-vcluster.team-x', ['team-x.svc.cluster.test', 'svc.cluster.test', 'cluster.test']],
    ['my-vcluster.team-x.svc', ['team-x.svc.cluster.test', 'svc.cluster.test', 'cluster.test']],
    ['known.corp.internal', []],
  ])('is resolved inside that cluster: %s', async (host, searchDomains) => {
    const cluster = { 'tls-server-name': 'api.example.test' };
    const verdict = await probed(fleet.kubeconfig('healthy', { host, cluster }), { searchDomains });
    expect(verdict).toMatchObject({ state: 'alive', code: 'ok' });
  });

  test('says nothing about the cluster if it is not known inside the cluster of the ledger either', async () => {
    const verdict = await probed(fleet.kubeconfig('healthy', { host: 'gone.team-x.svc' }), {
      searchDomains: ['team-y.svc.cluster.test', 'cluster.test'],
    });
    expect(verdict).toMatchObject({ state: 'unverifiable', code: 'internal-name' });
    expect(verdict.detail).toContain('its Service is gone, or it is a name of another cluster');
  });

  test('is the only kind that is tried with search domains', async () => {
    const before = dns.queries.length;
    const host = 'absent.example.test';
    const verdict = await probed(fleet.kubeconfig('healthy', { host }), { searchDomains: ['cluster.test'] });
    expect(verdict).toMatchObject({ state: 'unreachable', code: 'name-not-found' });
    expect(new Set(dns.queries.slice(before))).toEqual(new Set([host, 'test']));
  });

  test.each(['localhost', 'my-vcluster.localhost'])('is loopback, with or without DNS: %s', async (host) => {
    const cluster = { 'tls-server-name': 'api.example.test' };
    const text = fleet.kubeconfig('healthy', { host, cluster });
    expect(await probed(text)).toMatchObject({ state: 'alive' });
    expect(await probed(text, { allow: [] })).toMatchObject({
      state: 'unverifiable',
      code: 'address-refused',
    });
  });
});

describe('an inconclusive probe is unknown', () => {
  test.concurrent.each(HANGING)('within the deadline if a server does: %s', async (behaviour) => {
    const verdict = await behaving(behaviour, { deadlineMs: SHORT_DEADLINE_MS });
    expect(verdict).toMatchObject({ state: 'unknown', code: 'timeout' });
    expect(verdict.latencyMs).toBeGreaterThanOrEqual(SHORT_DEADLINE_MS - 10);
  });

  test.concurrent.each([
    ['broken.example.test', 'dns-failure', DEADLINE_MS],
    ['silent.example.test', 'timeout', SHORT_DEADLINE_MS],
  ])('if DNS does not answer: %s', async (host, code, deadlineMs) => {
    const verdict = await probed(fleet.kubeconfig('healthy', { host }), { deadlineMs });
    expect(verdict).toMatchObject({ state: 'unknown', code });
  });

  test.each([
    ['reset-on-accept', 'reset'],
    ['reset-in-tls', 'reset'],
    ['close-in-tls', 'reset'],
    ['reset-on-request', 'reset'],
    ['close-on-request', 'reset'],
    ['reset-in-body', 'reset'],
    ['ssh', 'tls-handshake'],
    ['plain-http', 'tls-handshake'],
    ['http2-only', 'tls-handshake'],
    ['no-http', 'bad-answer'],
    ['split-answer', 'bad-answer'],
    ['endless-headers', 'bad-answer'],
    ['endless-hints', 'bad-answer'],
  ])('after a second try if a server does: %s', async (behaviour, code) => {
    const before = (await fleet.counts())[behaviour]?.connections;
    expect(await behaving(behaviour)).toMatchObject({ state: 'unknown', code });
    if (before !== undefined) expect((await fleet.counts())[behaviour]?.connections).toBe(before + 2);
  });

  test('if the connection is reset before the address of its peer was read', async () => {
    // A busy machine is late to read it. Here the first listener waits until the reset has come.
    const waitForReset = (message: unknown) => {
      const { socket } = message as { readonly socket: Socket & { readonly _handle: Connection } };
      socket.once('connect', () => {
        while (socket._handle.getpeername({}) === 0);
      });
    };
    subscribe('net.client.socket', waitForReset);
    onTestFinished(() => void unsubscribe('net.client.socket', waitForReset));
    const before = (await fleet.counts())['reset-on-accept']?.connections ?? 0;
    expect(await behaving('reset-on-accept')).toMatchObject({ state: 'unknown', code: 'reset' });
    expect((await fleet.counts())['reset-on-accept']?.connections).toBe(before + 2);
  });

  test('if a name has more addresses than any API server', async () => {
    const verdict = await probed(fleet.kubeconfig('healthy', { host: 'many.example.test' }));
    expect(verdict).toMatchObject({ state: 'unknown', code: 'dns-failure' });
  });

  test('if it is aborted from outside', async () => {
    const abort = new AbortController();
    const verdict = probed(fleet.kubeconfig('hang-on-request'), { signal: abort.signal });
    await until(async () => ((await fleet.counts())['hang-on-request']?.requests ?? 0) > 0);
    abort.abort();
    expect(await verdict).toMatchObject({ state: 'unknown', code: 'timeout' });
  });
});

describe('a denied address is never connected to', () => {
  test.each([
    ['127.0.0.1'],
    ['2130706433'],
    ['0x7f.1'],
    ['0177.0.0.1'],
    ['127.1'],
    ['127.0.0.1.'],
    ['[::1]'],
    ['[::ffff:127.0.0.1]'],
    ['[::127.0.0.1]'],
    ['[64:ff9b::127.0.0.1]'],
    ['[2002:7f00:1::]'],
    ['0.0.0.0'],
    ['[::]'],
    ['169.254.169.254'],
    ['metadata.example.test'],
    ['mapped.example.test'],
    ['both.clusters.example.test'],
  ])('%s', async (host) => {
    const before = (await fleet.counts())['healthy']?.connections;
    const allow = host.startsWith('both') ? ['127.0.0.1/32'] : [];
    const verdict = await probed(fleet.kubeconfig('healthy', { host }), { allow });
    expect(verdict).toMatchObject({ state: 'unverifiable', code: 'address-refused' });
    expect((await fleet.counts())['healthy']?.connections).toBe(before);
  });
});

test('a finished probe leaves nothing open', async () => {
  await behaving('healthy');
  await until(() => sockets.size === 0);
});

test('a kubeconfig with http: is probed if plain HTTP is allowed', async () => {
  const server = `http://127.0.0.1:${fleet.port('plain-http')}`;
  const endpoint = parseKubeconfig(kubeconfig({ server }, { token: 't' }), { allowPlainHttp: true });
  const policy = new AddressPolicy({ allow: ['127.0.0.0/8'], deny: [], allowPrivate: true });
  const room = {
    policy,
    contexts,
    sockets,
    names: { servers: undefined, searchDomains: [] },
    random: Math.random,
    now: () => 42,
    throttle,
  };
  const verdict = await probe(endpoint, room, DEADLINE_MS, new AbortController().signal);
  expect(verdict).toMatchObject({ state: 'unreachable', code: 'not-kubernetes' });
});

test('a CA that a hundred clusters share is parsed once', async () => {
  const ours = new SecureContexts();
  const text = fleet.kubeconfig('healthy');
  const made = Array.from({ length: 100 }, () => ours.of(parseKubeconfig(text, { allowPlainHttp: false })));
  expect(new Set(made).size).toBe(1);
});

test('TLS settings with a key of a client are not kept', async () => {
  const ours = new SecureContexts();
  const { cert, key } = fleet.authority.issue({ commonName: 'client' });
  const user = { 'client-certificate-data': base64(cert), 'client-key-data': base64(key) };
  const server = { server: 'https://192.0.2.1', 'certificate-authority-data': base64(fleet.authority.cert) };
  ours.of(parseKubeconfig(kubeconfig(server, user), { allowPlainHttp: false }));
  expect(ours.size).toBe(0);
});
