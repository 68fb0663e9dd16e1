import type { Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
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
    'many.example.test': Array.from({ length: 20 }, (_, i) => `127.0.1.${i}`),
  });
});
afterAll(async () => {
  await dns?.stop();
  await fleet?.stop();
});

interface Given {
  readonly allow?: readonly string[];
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
}

function probed(text: string, { allow = ['127.0.0.0/8'], deadlineMs = DEADLINE_MS, signal }: Given = {}) {
  const endpoint = parseKubeconfig(text, { allowPlainHttp: false });
  const policy = new AddressPolicy({ allow: [...allow], deny: [], allowPrivate: true });
  const room = {
    policy,
    contexts,
    sockets,
    dnsServers: [dns.address],
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
      deadlineMs: behaviour.startsWith('hang') ? SHORT_DEADLINE_MS : DEADLINE_MS,
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
    ['expired', /has expired/],
    ['wrong-name', /for a different name/],
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
    ['bad-gateway', /502/],
    ['ok-to-all', /200/],
    ['throttled-by-a-proxy', /429/],
    ['unauthorized-by-a-proxy', /401/],
    ['redirect-to-itself', /answered 302, a redirect, which is not followed/],
    ['redirect-to-metadata', /answered 302, a redirect, which is not followed/],
    ['deep-json', /200/],
    ['big-version', /200/],
    ['huge-body', /200/],
    ['endless-body', /200/],
    ['gzip-bomb', /200/],
  ])('if it speaks HTTP but is not an API server: %s', async (behaviour, detail) => {
    const verdict = await behaving(behaviour);
    expect(verdict).toMatchObject({ state: 'unreachable', code: 'not-kubernetes' });
    expect(verdict.detail).toMatch(detail);
  });

  test('if it redirects, and at most three requests are sent', async () => {
    const before = (await fleet.counts())['redirect-to-itself']?.requests ?? 0;
    await behaving('redirect-to-itself');
    expect((await fleet.counts())['redirect-to-itself']?.requests).toBe(before + 3);
  });
});

describe('an inconclusive probe is unknown', () => {
  test.each(HANGING)('within the deadline if a server does: %s', async (behaviour) => {
    const verdict = await behaving(behaviour, { deadlineMs: SHORT_DEADLINE_MS });
    expect(verdict).toMatchObject({ state: 'unknown', code: 'timeout' });
    expect(verdict.latencyMs).toBeGreaterThanOrEqual(SHORT_DEADLINE_MS - 10);
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

  test.each(['broken.example.test', 'silent.example.test'])('if DNS does not answer: %s', async (host) => {
    const verdict = await probed(fleet.kubeconfig('healthy', { host }), { deadlineMs: SHORT_DEADLINE_MS });
    expect(verdict.state).toBe('unknown');
    expect(verdict.code).toBe(host.startsWith('broken') ? 'dns-failure' : 'timeout');
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
    dnsServers: undefined,
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
