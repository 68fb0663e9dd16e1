import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  LedgerClient,
  LedgerRefused,
  LedgerUnreachable,
  lifecycleEvent,
} from '../../packages/client/src/index.ts';
import { registered } from '../support/cloud-events.ts';
import { sharedLedger } from '../support/shared-ledger.ts';

const MARCH = '2026-03-01T00:00:00.000Z';
const ledger = sharedLedger(async (it) => {
  await it.record(...['c1', 'c2', 'c3'].map((id) => registered(id, MARCH, 'acme')));
});
const client = () => new LedgerClient({ url: `http://127.0.0.1:${ledger().port}/` });

/** Answers the requests with the given statuses in turn, then with an empty object, and counts them. */
async function answering(...answers: readonly (readonly [status: number, code?: string] | 'lost')[]) {
  let calls = 0;
  const server = createServer((_, response) => {
    const answer = answers[calls++] ?? [200];
    if (answer === 'lost') return void response.destroy();
    const [status, code] = answer;
    response.writeHead(status, { 'retry-after': '0' });
    const type = `urn:cluster-ledger:problem:${code}`;
    response.end(
      JSON.stringify(code === undefined ? {} : { type, title: 'No', status, detail: 'no', instance: 'r' }),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { ledger: new LedgerClient({ url }), calls: () => calls };
}

describe('the client', () => {
  test('reads all pages of a list', async () => {
    const found: string[] = [];
    for await (const { clusterId } of client().list('/v1/clusters', {
      query: { accountId: 'acme', limit: 2 },
    }))
      found.push(clusterId);
    expect(found).toEqual(['c1', 'c2', 'c3']);
  });

  test('posts a batch, with a result for each event in order', async () => {
    const data = { accountId: 'acme', name: 'x' };
    const events = ['c1', 'c9'].map((id) =>
      lifecycleEvent('/app', 'cluster.registered', id, data, { time: MARCH }),
    );
    const [wrong] = events;
    const results = await client().postEvents([
      ...events,
      { ...wrong, data: { accountId: 'other', name: 'x' } } as (typeof events)[0] & object,
    ]);
    expect(results.map(({ outcome }) => outcome)).toEqual(['appended', 'appended', 'rejected']);
  });

  test('says what the ledger said, with the code and the id of the request', async () => {
    const refused = await client()
      .get('/v1/clusters/{clusterId}', { path: { clusterId: 'a/b?c' } })
      .catch((error) => error);
    expect(refused).toBeInstanceOf(LedgerRefused);
    expect(refused).toMatchObject({ status: 400, code: 'invalid-request' });
    expect(refused.message).toContain(refused.problem.instance);
  });

  test.each([
    ['a read whose answer is lost', 'get', ['lost'], 2],
    ['a read that a proxy answers with 502', 'get', [[502]], 2],
    ['a write of which the ledger says that nothing was recorded', 'post', [[503, 'overloaded']], 2],
    ['an event whose outcome is unknown', 'event', [[503, 'outcome-unknown'], 'lost'], 3],
  ] as const)('sends %s again', async (_, kind, answers, calls) => {
    const fake = await answering(...answers);
    if (kind === 'get') await fake.ledger.get('/v1/me');
    else if (kind === 'post')
      await fake.ledger.post('/v1/periods/{period}/close', { path: { period: '2026-03' } });
    else await fake.ledger.postEvent(lifecycleEvent('/app', 'cluster.deleted', 'c1', {}));
    expect(fake.calls()).toBe(calls);
  });

  test.each([
    ['a write whose answer is lost', 'lost', LedgerUnreachable],
    ['a write whose outcome is unknown', [503, 'outcome-unknown'], LedgerRefused],
    ['a write that a proxy answers with 503', [503], LedgerRefused],
    ['a request that is not valid', [400, 'invalid-request'], LedgerRefused],
  ] as const)('does not send %s again', async (_, answer, failure) => {
    const fake = await answering(answer);
    const closing = fake.ledger.post('/v1/periods/{period}/close', { path: { period: '2026-03' } });
    await expect(closing).rejects.toBeInstanceOf(failure);
    expect(fake.calls()).toBe(1);
  });

  test('ends a pause between attempts when the signal is aborted', async () => {
    const stop = new AbortController();
    const unreachable = new LedgerClient({
      url: 'http://127.0.0.1:9',
      onRetry: () => stop.abort(new Error('enough')),
    });
    await expect(unreachable.get('/v1/me', { signal: stop.signal })).rejects.toThrow('enough');
  });

  test('refuses a URL that it cannot use', () => {
    expect(() => new LedgerClient({ url: 'ftp://ledger.example' })).toThrow(/http or https URL.*ftp:/);
  });
});
