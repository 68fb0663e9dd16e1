import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { event, inStructuredMode, registered } from '../support/cloud-events.ts';
import { exchange, requestWith } from '../support/raw-http.ts';
import { sharedLedger } from '../support/shared-ledger.ts';
import { until } from '../support/until.ts';

const APRIL = '2026-04-01T00:00:00.000Z';
const ledger = sharedLedger();
const problem = (code: string) => `urn:cluster-ledger:problem:${code}`;

describe('a request for another host', () => {
  const asked = (host: string, path = '/v1/me') => requestWith(ledger().port, { path, headers: { host } });

  test.each([
    'localhost',
    'localhost:8400',
    'LOCALHOST',
    '127.0.0.1',
    '127.0.0.1:80',
    '127.9.9.9',
    '[::1]:8400',
  ])('is served where the host is this machine: %s', async (host) => {
    expect((await asked(host)).status).toBe(200);
  });

  test.each([
    'ledger.example',
    'localhost.example',
    '127.0.0.1.example',
    '127.0.0.1.nip.io:8400',
    '10.0.0.1',
    '0.0.0.0',
    '[::2]',
    'localhost@evil.example',
    'xlocalhost',
  ])('is refused: %j', async (host) => {
    const { status, body } = await asked(host);
    expect([status, JSON.parse(body).type]).toEqual([421, problem('wrong-host')]);
  });

  test('is rejected on every path, including unknown paths and the console', async () => {
    for (const path of [
      '/',
      '/livez',
      '/metrics',
      '/openapi.json',
      '/docs',
      '/nowhere',
      '/v1/usage?period=x',
    ]) {
      expect((await asked('evil.example', path)).status, path).toBe(421);
    }
  });

  test('writes nothing', async () => {
    const it = ledger();
    const before = await it.head();
    const { headers, body } = inStructuredMode(registered('rebound', APRIL));
    const message = { path: '/v1/events', method: 'POST', headers: { ...headers, host: 'evil.example' } };
    expect((await requestWith(it.port, message, body as string)).status).toBe(421);
    expect(await it.head()).toBe(before);
  });
});

test.each([
  ['a request that cannot be read', 'no request\r\n\r\n'],
  ['a head that never ends', 'POST /v1/events HTTP/1.1\r\nHost: localhost\r\nX-Slow: '],
])(
  'a client that reads nothing, sends on and never closes its side loses its connection after %s',
  async (_, text) => {
    const socket = connect({ port: ledger().port, host: '127.0.0.1', allowHalfOpen: true });
    socket.on('error', () => undefined);
    socket.write(text);
    await until(() => {
      if (!socket.destroyed) socket.write('x');
      return socket.destroyed;
    });
  },
);

describe('what does not exist', () => {
  test.each([
    '/v1',
    '/v1/',
    '/v1/nothing',
    '/v2/usage',
    '/v1/usage/',
    '/V1/usage',
    '//v1/usage',
    '/v1/clusters/a/b/c',
  ])('is not found: %s', async (path) => {
    const { status, body, headers } = await ledger().get(path);
    expect([status, body.type]).toEqual([404, problem('not-found')]);
    expect(headers.get('content-type')).toMatch(/^application\/problem\+json/);
  });
});

describe('a method that a resource does not support', () => {
  test.each([
    ['GET', '/v1/events', 'POST'],
    ['DELETE', '/v1/events', 'POST'],
    ['PUT', '/v1/usage', 'GET'],
    ['POST', '/v1/clusters', 'GET'],
    ['PATCH', '/v1/clusters/c1/billing', 'GET'],
    ['POST', '/v1/feed', 'GET'],
    ['DELETE', '/livez', 'GET'],
  ])('%s %s is answered with those that it takes: %s', async (method, path, taken) => {
    const { status, body, headers } = await ledger().fetch(path, { method });
    expect([status, body.type]).toEqual([405, problem('method-not-allowed')]);
    expect(body.detail).toContain(taken);
    // RFC 9110, section 15.5.6: the server MUST generate an Allow header in a 405.
    expect(headers.get('allow')).toContain(taken);
  });
});

describe('an unsupported media type', () => {
  const body = JSON.stringify(registered('typed', APRIL));

  test.each([
    'text/plain',
    'application/xml',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/cloudevents+xml',
    'application/cloudevents',
    'application/cloudevents+json; charset=latin1',
    'application/json; charset=utf-16',
    'nonsense',
    ';',
    'application/cloudevents+json, application/json',
  ])('%s is refused', async (type) => {
    const before = await ledger().head();
    const answer = await ledger().send({ headers: { 'content-type': type }, body });
    expect([answer.status, answer.body.type]).toEqual([415, problem('unsupported-media-type')]);
    expect(await ledger().head()).toBe(before);
  });

  test('is rejected if it is missing', async () => {
    const message = { path: '/v1/events', method: 'POST', headers: {} };
    expect((await requestWith(ledger().port, message, body)).status).toBe(415);
    expect((await requestWith(ledger().port, message)).status).toBe(415);
  });
});

describe('a body that is too large', () => {
  test('is a batch of more than 4 MiB', async () => {
    const padding = 'x'.repeat(5 * 1024 * 1024);
    const headers = { 'content-type': 'application/cloudevents-batch+json' };
    const answer = await ledger().send({ headers, body: `["${padding}"]` });
    expect(answer.body).toMatchObject({
      status: 413,
      type: problem('too-large'),
      detail:
        'the body is larger than 4194304 bytes, the maximum of this resource; nothing was recorded; send less at once',
    });
  });

  test('is rejected by its announced length, before it is read', async () => {
    const { status, body } = await exchange(
      ledger().port,
      'POST /v1/events HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n' +
        'Content-Type: application/cloudevents+json\r\nContent-Length: 99999999\r\n\r\n{',
    );
    expect([status, JSON.parse(body).type]).toEqual([413, problem('too-large')]);
  });

  test('is a single event whose JSON expands to more than 60 KiB', async () => {
    const posted = event('cluster.unreachable', 'c1', APRIL, { evidence: { numbers: [4711] } });
    const numbers = Array(10_000).fill('1e20').join(',');
    const { headers, body } = inStructuredMode(posted);
    const { status } = await ledger().send({ headers, body: (body as string).replace('4711', numbers) });
    expect(status).toBe(413);
  });

  test('is a single event of more than 60 KiB', async () => {
    const posted = { ...registered('large', APRIL), comexample: 'x' };
    const evidence = { log: 'x'.repeat(61 * 1024) };
    const large = { ...posted, type: 'io.clusterledger.cluster.reachable.v1', data: { evidence } };
    const single = await ledger().send(inStructuredMode(large));
    expect([single.status, single.body.type]).toEqual([413, problem('too-large')]);
    const { body } = await ledger().postBatch([large]);
    expect(body.results).toMatchObject([{ outcome: 'rejected', problem: { status: 413 } }]);
  });
});

describe('HTTP itself', () => {
  const close = 'Host: localhost\r\nConnection: close\r\n';

  test.each([
    ['garbage', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400],
    ['a line that is not a request', 'HELLO\r\n\r\n', 400],
    ['no method', ' / HTTP/1.1\r\n\r\n', 400],
    ['a method that nobody knows', `BREW / HTTP/1.1\r\n${close}\r\n`, 400],
    ['a version that nobody knows', `GET / HTTP/9.9\r\n${close}\r\n`, 400],
    ['no host', 'GET /livez HTTP/1.1\r\nConnection: close\r\n\r\n', 400],
    ['an empty host', 'GET /livez HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n', 421],
    ['two hosts', `GET /livez HTTP/1.1\r\nHost: evil.example\r\n${close}\r\n`, 400],
    ['a header without a colon', `GET /livez HTTP/1.1\r\n${close}nonsense\r\n\r\n`, 400],
    ['a header with a NUL', `GET /livez HTTP/1.1\r\n${close}X: \0\r\n\r\n`, 400],
    ['a length that is not a number', `POST /v1/events HTTP/1.1\r\n${close}Content-Length: x\r\n\r\n`, 400],
    ['a negative length', `POST /v1/events HTTP/1.1\r\n${close}Content-Length: -1\r\n\r\n`, 400],
    [
      'both a length and chunks',
      `POST /v1/events HTTP/1.1\r\n${close}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      400,
    ],
    [
      'a chunk that has no size',
      `POST /v1/events HTTP/1.1\r\n${close}Content-Type: application/cloudevents+json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n`,
      400,
    ],
    ['an expectation that nobody knows', `GET /livez HTTP/1.1\r\n${close}Expect: a-miracle\r\n\r\n`, 417],
    ['headers of more than 16 KiB', `GET /livez HTTP/1.1\r\n${close}X: ${'x'.repeat(17_000)}\r\n\r\n`, 431],
    ['a broken escape in the path', `GET /v1/clusters/%zz HTTP/1.1\r\n${close}\r\n`, 400],
    ['a path of half a character', `GET /v1/clusters/%c3 HTTP/1.1\r\n${close}\r\n`, 400],
    ['a path with a NUL', `GET /v1/clusters/%00 HTTP/1.1\r\n${close}\r\n`, 400],
    ['a path that climbs', `GET /v1/clusters/..%2f..%2fetc%2fpasswd HTTP/1.1\r\n${close}\r\n`, 400],
    ['an id of 1,000 letters', `GET /v1/clusters/${'x'.repeat(1_000)} HTTP/1.1\r\n${close}\r\n`, 414],
  ])('answers %s with a problem', async (_, bytes, status) => {
    const before = await ledger().head();
    const answer = await exchange(ledger().port, Buffer.from(bytes, 'latin1'));
    expect(answer.status, answer.body).toBe(status);
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(JSON.parse(answer.body)).toMatchObject({
      status,
      type: expect.stringContaining('urn:cluster-ledger:'),
    });
    expect(await ledger().head()).toBe(before);
    expect(ledger().failure).toBeUndefined();
  });

  test('answers many requests on one connection', async () => {
    const one = 'GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n';
    const { body } = await exchange(ledger().port, `${one}${one}GET /v1/me HTTP/1.1\r\n${close}\r\n`);
    expect(body.match(/"alive"/g)).toHaveLength(2);
    expect(body).toContain('"operator"');
  });

  test('serves others while a client never sends the rest of its request', async () => {
    const slow = connect(ledger().port, '127.0.0.1');
    slow.write('POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n');
    expect((await ledger().get('/livez')).status).toBe(200);
    slow.destroy();
  });
});

describe('the operations API', () => {
  test('reports that the ledger is alive and ready, with each check by name', async () => {
    expect((await ledger().get('/livez')).body).toEqual({ status: 'alive' });
    expect((await ledger().get('/readyz')).body).toMatchObject({
      status: 'ready',
      checks: { store: { ok: true }, projections: { ok: true }, clusters: { ok: true } },
    });
  });

  test('counts requests by route', async () => {
    await ledger().get('/v1/clusters/unknown');
    const { text, headers } = await ledger().get('/metrics');
    expect(headers.get('content-type')).toContain('text/plain');
    expect(text).toContain('route="/v1/clusters/:clusterId",status="404"');
  });

  test('returns the actor and role of the caller', async () => {
    expect((await ledger().get('/v1/me')).body).toEqual({ actor: 'loopback', role: 'operator' });
  });

  test('redirects the root to the documentation', async () => {
    const { status, headers } = await ledger().get('/');
    expect([status, headers.get('location')]).toEqual([302, '/docs']);
  });

  test('includes the id of the request in a problem', async () => {
    const [one, two] = [await ledger().get('/nowhere'), await ledger().get('/nowhere')];
    expect(one.body.instance).toMatch(/^[0-9a-f-]{36}$/);
    expect(two.body.instance).not.toBe(one.body.instance);
  });
});

test.each([
  ['application/json', 400, 'malformed-json'],
  ['text/plain', 415, 'unsupported-media-type'],
])(
  'a post that names the content type %s but has no body is answered at once, with %d',
  async (type, status, code) => {
    const head = `POST /v1/events HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: ${type}\r\n\r\n`;
    const answer = await exchange(ledger().port, head);
    expect([answer.status, JSON.parse(answer.body).type]).toEqual([status, problem(code)]);
  },
);
