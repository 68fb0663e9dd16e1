import { globSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fastify } from 'fastify';
import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { openTracing } from '../../src/app/open-tracing.ts';
import { inStructuredMode, registered } from '../support/cloud-events.ts';
import { LedgerProcess } from '../support/ledger-process.ts';
import { until } from '../support/until.ts';

interface Export {
  readonly path: string;
  readonly type: string;
  /** The protobuf message, byte for byte as characters, in which the texts can be found. */
  readonly body: string;
}

/** A collector that keeps what it is sent. */
async function collectorForTest() {
  const exports: Export[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk) => chunks.push(chunk as Buffer));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString('latin1');
      exports.push({ path: request.url ?? '', type: request.headers['content-type'] ?? '', body });
      response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
    });
  }).listen(0, '127.0.0.1');
  await until(() => server.listening);
  onTestFinished(() => void server.close());
  return { exports, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

async function ledgerWith(environment: Record<string, string>): Promise<LedgerProcess> {
  const dataDir = await mkdtemp(join(tmpdir(), 'ledger-tracing-'));
  const ledger = new LedgerProcess({ LEDGER_DATA_DIR: dataDir, ...environment });
  onTestFinished(async () => {
    await ledger.stop('SIGKILL');
    await rm(dataDir, { recursive: true, force: true });
  });
  await ledger.start();
  return ledger;
}

const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736';
const TRACEPARENT = `00-${TRACE_ID}-00f067aa0ba902b7-01`;

test('requests and appends arrive at a collector in the trace of the caller', async () => {
  const collector = await collectorForTest();
  const ledger = await ledgerWith({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
  const { headers, body } = inStructuredMode(registered('c1', '2026-03-01T00:00:00.000Z'));
  const post = { method: 'POST', headers: { ...headers, traceparent: TRACEPARENT }, body: body as string };
  expect((await fetch(`${ledger.url}/v1/events`, post)).status).toBe(201);
  const id = Buffer.from(TRACE_ID, 'hex').toString('latin1');
  const sent = () => collector.exports.map(({ body: text }) => text).join('');
  await until(() => sent().split(id).length > 2 && sent().includes('POST /v1/events'));
  expect(collector.exports[0]).toMatchObject({ path: '/v1/traces', type: 'application/x-protobuf' });
  for (const text of ['cluster-ledger', 'append', 'cluster-c1', 'ledger.outcome', 'appended'])
    expect(sent()).toContain(text);
  await ledger.stop();
  expect(ledger.output).not.toContain('"level":50');
});

test('a collector that is away hinders neither requests nor the shutdown', async () => {
  const ledger = await ledgerWith({ LEDGER_TRACING_ENDPOINT: 'http://127.0.0.1:9' });
  const { headers, body } = inStructuredMode(registered('c1', '2026-03-01T00:00:00.000Z'));
  const answer = await fetch(`${ledger.url}/v1/events`, { method: 'POST', headers, body: body as string });
  expect(answer.status).toBe(201);
  await ledger.stop();
  expect(ledger.exitCode).toBe(0);
});

test('a log line within a request names its trace, also after waiting, and one outside names none', async () => {
  const tracing = await openTracing('http://127.0.0.1:9', '0.0.0');
  const lines: { msg: string; traceId?: string }[] = [];
  const log = pino(
    { mixin: () => tracing?.logFields() ?? {} },
    { write: (line) => void lines.push(JSON.parse(line)) },
  );
  const app = fastify({ loggerInstance: log });
  onTestFinished(async () => {
    await app.close();
    await tracing?.stop();
  });
  tracing?.observe(app as never);
  app.get('/', async () => {
    await new Promise(setImmediate);
    log.info('within');
    return '';
  });
  await app.inject({ url: '/', headers: { traceparent: TRACEPARENT } });
  log.info('outside');
  expect(lines.find(({ msg }) => msg === 'within')?.traceId).toBe(TRACE_ID);
  expect(lines.find(({ msg }) => msg === 'outside')).not.toHaveProperty('traceId');
});

test('OpenTelemetry is loaded by one module, which nothing imports unless there is an endpoint', async () => {
  const root = join(import.meta.dirname, '../..');
  const files = globSync('src/**/*.ts', { cwd: root });
  const texts = files.map((file) => [file, readFileSync(join(root, file), 'utf8')] as const);
  const importing = (pattern: RegExp) => texts.filter(([, text]) => pattern.test(text)).map(([file]) => file);
  expect(importing(/from '@opentelemetry/)).toEqual(['src/app/otlp-tracing.ts']);
  expect(importing(/from '.*otlp-tracing\.ts'/)).toEqual([]);
  expect(await openTracing(undefined, '0.0.0')).toBeUndefined();
});
