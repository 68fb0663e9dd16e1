import { execFile } from 'node:child_process';
import { connect } from 'node:net';
import { promisify } from 'node:util';
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib';
import { request as undiciRequest } from 'undici';
import { describe, expect, test } from 'vitest';
import { BATCH, registered, STRUCTURED } from '../support/cloud-events.ts';
import { ledgerForTest, type TestLedger } from '../support/ledger.ts';
import { exchange, requestWith } from '../support/raw-http.ts';
import { sharedLedger } from '../support/shared-ledger.ts';
import { until } from '../support/until.ts';

/** HTTP as RFC 9110 and RFC 9112 define it, seen with curl, Python, undici and raw connections. */

const APRIL = '2026-04-01T00:00:00.000Z';
const USAGE = '/v1/usage?period=2026-04';
const ledger = sharedLedger();
const run = promisify(execFile);
const curl = async (...args: string[]) =>
  (await run('curl', ['-sS', ...args], { maxBuffer: 64 << 20 })).stdout;
const at = (path: string) => `http://127.0.0.1:${ledger().port}${path}`;

async function fill(it: TestLedger, count: number): Promise<void> {
  const { body } = await it.postBatch(
    Array.from({ length: count }, (_, i) => registered(`c${i}`, APRIL, `account-${i}`)),
  );
  expect(body.results).toHaveLength(count);
}

describe('Accept', () => {
  test.each([
    ['application/json; charset=utf-8', 'application/json; charset=utf-8'],
    ['application/json;charset=UTF-8', 'application/json; charset=utf-8'],
    ['application/json; charset="utf-8"', 'application/json; charset=utf-8'],
    ['application/*', 'application/json; charset=utf-8'],
    ['*/*', 'application/json; charset=utf-8'],
    ['text/csv;header=present', 'text/csv; charset=utf-8; header=present'],
    ['text/csv; charset=utf-8; header=present', 'text/csv; charset=utf-8; header=present'],
    ['text/csv;q=0.9, application/json;q=0.1', 'text/csv; charset=utf-8; header=present'],
    ['application/json;q=0, */*;q=0.5', 'text/csv; charset=utf-8; header=present'],
    ['text/html, application/x-ndjson;q=0.8, */*;q=0.1', 'application/x-ndjson; charset=utf-8'],
    ['application/ndjson', 'application/ndjson; charset=utf-8'],
    ['application/jsonl', 'application/jsonl; charset=utf-8'],
    ['application/x-jsonlines', 'application/x-jsonlines; charset=utf-8'],
  ])('%s is answered with %s, each time', async (accept, type) => {
    for (let time = 0; time < 2; time++) {
      const { status, headers } = await ledger().get(USAGE, { accept });
      expect([status, headers.get('content-type')]).toEqual([200, type]);
      expect(headers.get('vary')).toMatch(/^accept\b/);
    }
  });

  test.each(['text/html', 'application/json;q=0', 'text/csv;header=absent'])(
    '%s gets 406, each time',
    async (accept) => {
      for (let time = 0; time < 2; time++) expect((await ledger().get(USAGE, { accept })).status).toBe(406);
    },
  );

  test.each([
    ['absent', undefined],
    ['empty', ''],
  ])('is not mistaken for another one if it is %s', async (_, one) => {
    const typeFor = async (accept: string | undefined) => {
      const headers = accept === undefined ? {} : { accept };
      return (await undiciRequest(at(USAGE), { headers })).headers['content-type'];
    };
    const csv = 'text/csv; charset=utf-8; header=present';
    for (let time = 0; time < 2; time++) {
      expect(await typeFor('text/csv')).toBe(csv);
      expect(await typeFor(one)).toBe('application/json; charset=utf-8');
    }
  });

  test('is read as well if it is long, or the ledger has had many others', async () => {
    const csvLast = (n: number) => `${`image/x${n}, `.repeat(n % 2 === 0 ? 1 : 40)}text/csv`;
    for (let n = 0; n < 120; n++) {
      const { headers } = await ledger().get(USAGE, { accept: csvLast(n) });
      expect(headers.get('content-type')).toBe('text/csv; charset=utf-8; header=present');
    }
  });
});

describe('an answer above 1 KiB', () => {
  const decode = { gzip: gunzipSync, br: brotliDecompressSync, zstd: zstdDecompressSync };

  test.each(['gzip', 'br', 'zstd'] as const)(
    'is compressed with %s, and has an ETag of its own',
    async (coding) => {
      const path = '/openapi.json';
      const plain = await requestWith(ledger().port, { path, headers: { host: 'localhost' } });
      const headers = { host: 'localhost', 'accept-encoding': coding };
      const { statusCode, headers: answered, body } = await undiciRequest(at(path), { headers });
      const bytes = Buffer.from(await body.arrayBuffer());
      expect([statusCode, answered['content-encoding'], answered['vary']]).toEqual([
        200,
        coding,
        'accept-encoding',
      ]);
      expect(bytes.length).toBeLessThan(plain.body.length / 5);
      expect(decode[coding](bytes).toString()).toBe(plain.body);
      expect(plain.headers).toMatchObject({ vary: 'accept-encoding' });
      expect(plain.headers['content-encoding']).toBeUndefined();
      expect(answered['etag']).not.toBe(plain.headers['etag']);
      for (const tag of [answered['etag'], plain.headers['etag']] as string[]) {
        const again = await undiciRequest(at(path), { headers: { ...headers, 'if-none-match': tag } });
        expect([again.statusCode, again.headers['etag']]).toEqual([304, tag]);
        expect(await again.body.text()).toBe('');
      }
    },
  );

  test('is compressed by what the client prefers, and not for a client that wants none', async () => {
    const coding = async (accept: string) =>
      (await undiciRequest(at('/openapi.json'), { headers: { 'accept-encoding': accept } })).headers[
        'content-encoding'
      ];
    expect(await coding('gzip;q=1, br;q=0.5')).toBe('gzip');
    expect(await coding('identity')).toBeUndefined();
    expect(await coding('compress')).toBeUndefined();
    expect(await curl('--compressed', at('/openapi.json'))).toContain('"openapi"');
  });

  test('is compressed if it is streamed', async () => {
    const it = await ledgerForTest();
    await fill(it, 1);
    await it.post(registered('c0', APRIL, 'account-0', { labels: { text: 'x'.repeat(200) } }));
    const url = `http://127.0.0.1:${it.port}/v1/accounts/account-0/replay?period=2026-04`;
    const { headers, body } = await undiciRequest(url, { headers: { 'accept-encoding': 'gzip' } });
    const bytes = Buffer.from(await body.arrayBuffer());
    if (headers['content-encoding'] === 'gzip') expect(gunzipSync(bytes).toString()).toContain('account-0');
    else expect(bytes.toString()).toContain('account-0');
  });

  test('is not compressed if it is smaller', async () => {
    const { headers } = await undiciRequest(at('/livez'), { headers: { 'accept-encoding': 'gzip' } });
    expect(headers['content-encoding']).toBeUndefined();
  });
});

describe('HEAD', () => {
  test.each(['/livez', USAGE, '/openapi.json', '/v1/clusters', '/log/checkpoint'])(
    'has the headers of GET and no body: %s',
    async (path) => {
      const headers = { host: 'localhost' };
      const get = await requestWith(ledger().port, { path, headers });
      const head = await requestWith(ledger().port, { path, method: 'HEAD', headers });
      expect([head.status, head.body]).toEqual([get.status, '']);
      for (const name of [
        'content-type',
        'content-length',
        'etag',
        'vary',
        'cache-control',
        'ledger-position',
      ])
        expect(head.headers[name], name).toBe(get.headers[name]);
    },
  );

  test('is answered with 304 if the client has the answer', async () => {
    const tag = (await ledger().get(USAGE)).headers.get('etag') as string;
    const url = at(USAGE);
    const said = await curl('-I', url, '-H', `If-None-Match: ${tag}`);
    expect(said).toMatch(/^HTTP\/1.1 304 /);
    expect(said.toLowerCase()).toContain(`etag: ${tag.toLowerCase()}`);
    expect(await curl('-I', url, '-H', 'If-None-Match: "other"')).toMatch(/^HTTP\/1.1 200 /);
  });
});

test.each(['GET', 'HEAD'])(
  'a 304 of %s has the ETag and Vary of a 200, and no length of its own',
  async (method) => {
    const first = await requestWith(ledger().port, { path: USAGE, method, headers: { host: 'localhost' } });
    const headers = { host: 'localhost', 'if-none-match': first.headers['etag'] as string };
    const again = await requestWith(ledger().port, { path: USAGE, method, headers });
    expect([again.status, again.body, again.headers['etag'], again.headers['vary']]).toEqual([
      304,
      '',
      first.headers['etag'],
      first.headers['vary'],
    ]);
    expect(again.headers['content-type']).toBeUndefined();
    // RFC 9110, section 8.6: none, or that of the 200.
    expect([undefined, first.headers['content-length']]).toContain(again.headers['content-length']);
  },
);

describe('a body that is too large', () => {
  const large = (mib: number) => `["${'x'.repeat(mib * 1024 * 1024)}"]`;
  const python = `
import sys, urllib.request, urllib.error
body = b'["' + b'x' * int(sys.argv[2]) + b'"]'
request = urllib.request.Request(sys.argv[1], body, {'content-type': '${BATCH}'})
try: urllib.request.urlopen(request)
except urllib.error.HTTPError as error: print(error.code, error.read().decode())
`;

  test.each([4.3, 8.4, 15])(
    'is answered with 413 that Python reads, which closes its connections: %d MB',
    async (mb) => {
      for (let i = 0; i < 3; i++) {
        const { stdout } = await run('python3', ['-c', python, at('/v1/events'), String(mb * 1e6)]);
        expect(stdout).toMatch(/^413 .*too-large/);
      }
    },
  );

  test('is answered with 413 that fetch and undici read', async () => {
    for (let i = 0; i < 5; i++) {
      const message = { method: 'POST' as const, headers: { 'content-type': BATCH }, body: large(5) };
      expect((await fetch(at('/v1/events'), message)).status).toBe(413);
      const { statusCode, body } = await undiciRequest(at('/v1/events'), message);
      expect([statusCode, JSON.parse(await body.text()).status]).toEqual([413, 413]);
    }
  });

  test('is answered with 413 that node:http reads', async () => {
    const headers = { host: 'localhost', 'content-type': BATCH };
    for (let i = 0; i < 5; i++) {
      const body = large(5);
      const length = { 'content-length': String(Buffer.byteLength(body)) };
      const message = { path: '/v1/events', method: 'POST', headers: { ...headers, ...length } };
      expect((await requestWith(ledger().port, message, body)).status).toBe(413);
    }
  });

  test.each([['Expect: 100-continue'], ['Expect:']])(
    'is answered with 413 that curl reads, with %s',
    async (expected) => {
      const args = ['-H', `content-type: ${BATCH}`, '-H', expected, '--data-binary', '@-', at('/v1/events')];
      const sent = run('curl', ['-sS', '-w', '%{http_code}', ...args]);
      sent.child.stdin?.end(large(6));
      expect((await sent).stdout).toMatch(/413$/);
    },
  );

  test('is answered even if another problem comes first, and the client closes its connections', async () => {
    const said = await run('python3', [
      '-c',
      python.replace(BATCH, 'text/plain'),
      at('/v1/events'),
      '6000000',
    ]);
    expect(said.stdout).toMatch(/^415 /);
    const unknown = await run('python3', ['-c', python, at('/v1/nowhere'), '6000000']);
    expect(unknown.stdout).toMatch(/^404 /);
  });

  test('is not read to its end if it never ends', async () => {
    const socket = connect(ledger().port, '127.0.0.1');
    const closed = new Promise((resolve) => socket.once('close', resolve));
    let answered = '';
    socket.on('data', (chunk) => {
      answered += chunk;
    });
    socket.on('error', () => undefined);
    const head = `POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${BATCH}\r\nContent-Length: 900000000\r\n\r\n`;
    socket.write(head);
    const chunk = Buffer.alloc(1024 * 1024, 'x');
    const write = () => {
      while (!socket.destroyed && socket.write(chunk));
    };
    socket.on('drain', write);
    write();
    await closed;
    expect(answered).toMatch(/^HTTP\/1.1 413 /);
    expect(socket.bytesWritten).toBeLessThan(100 * 1024 * 1024);
  });

  test('is not parsed: a body of brackets does not hold the others up', async () => {
    const body = '['.repeat(2_000_000) + ']'.repeat(2_000_000);
    const answer = await ledger().send({ headers: { 'content-type': STRUCTURED }, body });
    // A parser that had tried would have run out of stack.
    expect([answer.status, answer.body.detail]).toEqual([400, 'the JSON is nested deeper than 32']);
  });
});

describe('the target of a request', () => {
  const close = 'Connection: close\r\n';
  const head = (line: string, headers: string) => `${line}\r\n${headers}${close}\r\n`;

  test.each([
    ['two hosts', head('GET /livez HTTP/1.1', 'Host: 127.0.0.1\r\nHost: evil.example\r\n'), 400],
    ['the same host twice', head('GET /livez HTTP/1.1', 'Host: localhost\r\nHost: localhost\r\n'), 400],
    [
      'another host in an absolute target',
      head('GET http://evil.example/livez HTTP/1.1', 'Host: 127.0.0.1\r\n'),
      421,
    ],
    [
      'this host in an absolute target',
      head('GET http://127.0.0.1/livez HTTP/1.1', 'Host: evil.example\r\n'),
      200,
    ],
    [
      'an absolute target without a path',
      head('GET http://localhost?x HTTP/1.1', 'Host: localhost\r\n'),
      302,
    ],
    ['no host, as HTTP/1.0 has it', 'GET /livez HTTP/1.0\r\n\r\n', 200],
    ['another host in HTTP/1.0', 'GET /livez HTTP/1.0\r\nHost: evil.example\r\n\r\n', 421],
    ['an empty part', head('GET /v1/accounts/ HTTP/1.1', 'Host: localhost\r\n'), 404],
    [
      'a path that leaves the documentation',
      head('GET /docs/static/..%2f..%2fpackage.json HTTP/1.1', 'Host: localhost\r\n'),
      404,
    ],
    ['QUERY', head('QUERY /v1/usage HTTP/1.1', 'Host: localhost\r\nContent-Length: 0\r\n'), 405],
    [
      'QUERY with a body',
      `${head(
        'QUERY /v1/usage HTTP/1.1',
        'Host: localhost\r\nContent-Length: 2\r\nContent-Type: text/plain\r\n',
      )}ab`,
      405,
    ],
  ])('is handled as RFC 9112 has it: %s', async (_, bytes, status) => {
    const answer = await exchange(ledger().port, bytes);
    expect(answer.status, answer.body).toBe(status);
    if (status === 405) expect(answer.headers['allow']).toBe('GET, HEAD, OPTIONS');
  });

  test('has the methods that OPTIONS names', async () => {
    const options = async (target: string) => {
      const answer = await exchange(ledger().port, head(`OPTIONS ${target} HTTP/1.1`, 'Host: localhost\r\n'));
      return [answer.status, answer.headers['allow'], answer.body];
    };
    expect(await options('/v1/usage')).toEqual([204, 'GET, HEAD, OPTIONS', '']);
    expect(await options('/v1/events')).toEqual([204, 'POST, OPTIONS', '']);
    expect(await options('*')).toEqual([204, 'GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS', '']);
    expect((await options('/nowhere'))[0]).toBe(404);
  });
});

describe('one connection', () => {
  test('is closed after 1,000 requests, so that load spreads', async () => {
    const one = 'GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n';
    const { body } = await exchange(ledger().port, one.repeat(1_001));
    expect(body.match(/"alive"/g)).toHaveLength(1_000);
    expect(body).toContain('Connection: close');
  });

  test('has at most 8 answers under way, however many requests it sends', async () => {
    const it = await ledgerForTest();
    await fill(it, 1_000);
    const path = '/v1/feed?after=0&limit=1000';
    const before = (await it.get('/metrics')).text;
    expect(before).not.toContain('route="/v1/feed"');
    const socket = connect(it.port, '127.0.0.1');
    socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`.repeat(300));
    socket.pause();
    const answered = async () => {
      const { text } = await it.get('/metrics');
      return Number(/_count\{[^}]*route="\/v1\/feed"[^}]*\} (\d+)/.exec(text)?.[1] ?? 0);
    };
    const memory = process.memoryUsage().rss;
    // Other connections are served meanwhile.
    for (let i = 0; i < 50; i++) await it.get('/livez');
    expect(await answered()).toBeLessThan(30);
    expect(process.memoryUsage().rss - memory).toBeLessThan(200 * 1024 * 1024);
    let received = '';
    socket.on('data', (chunk) => {
      received = (received + chunk.toString('latin1')).slice(-100);
    });
    socket.resume();
    await until(async () => (await answered()) === 300);
    socket.destroy();
  });
});

describe('the words of a problem', () => {
  test.each([
    [{ ...registered('c1', APRIL), id: '' }, '/id: must have at least 1 character; given ""'],
    [
      { ...registered('c1', APRIL), traceid: 'x'.repeat(3_000) },
      '/traceid: must have at most 2,048 characters',
    ],
    [
      { ...registered('c1', APRIL), subject: 'a/b' },
      '/subject: is the id of the cluster and must be 1 to 128 of',
    ],
    [
      registered('c1', APRIL, 'acme', { labels: { a: 'x'.repeat(300) } }),
      '/data/labels/a: must have at most 256 characters',
    ],
    [
      registered('c1', APRIL, 'acme', { labels: { ' ': 'x' } }),
      '/data/labels/ : has a key that must be 1 to 128 of A-Z a-z 0-9 . _ / -; given " "',
    ],
  ])('are those of the ledger: %#', async (event, detail) => {
    const { body } = await ledger().post(event);
    expect(body.detail).toContain(detail);
    expect(body.detail).not.toMatch(/Too small|Too big|Invalid|expected|>=|<=/);
  });
});
