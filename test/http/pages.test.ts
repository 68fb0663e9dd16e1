import { describe, expect, test } from 'vitest';
import { event, registered, resumed, stopped, voided } from '../support/cloud-events.ts';
import { ledgerForTest, type TestLedger } from '../support/ledger.ts';
import { sharedLedger } from '../support/shared-ledger.ts';

const FEBRUARY = '2026-02-01T00:00:00Z';
const MARCH = '2026-03-01T00:00:00Z';
const APRIL = '2026-04-01T00:00:00Z';

/** Reads a list page by page, two items a page, and lets `between` happen before each next page. */
async function pagesOf(ledger: TestLedger, path: string, between: () => Promise<unknown>) {
  const pages = [];
  for (let cursor = ''; ; ) {
    const join = path.includes('?') ? '&' : '?';
    const { body, status } = await ledger.get(`${path}${join}limit=2${cursor}`);
    expect(status, JSON.stringify(body)).toBe(200);
    pages.push(body);
    if (body.next === undefined) return pages;
    cursor = `&cursor=${body.next}`;
    await between();
  }
}

/** A ledger with five clusters of five accounts, and facts that change what the lists show. */
async function growing() {
  const ledger = await ledgerForTest();
  const names = ['a', 'b', 'c', 'd', 'e'];
  await ledger.record(...names.map((name) => registered(`c-${name}`, FEBRUARY, name, { name: `n-${name}` })));
  let round = 0;
  const grow = async () => {
    round += 1;
    ledger.pass(60_000);
    await ledger.record(
      registered(`c-dd${round}`, MARCH, `dd${round}`),
      event('cluster.deleted', 'c-d', '2026-03-10T00:00:00Z'),
      event('cluster.changed', 'c-e', APRIL, { name: `0${round}`, accountId: 'a' }),
    );
  };
  return { ledger, grow };
}

describe('the pages of a list are of one moment', () => {
  test.each([
    '/v1/usage?period=2026-03',
    '/v1/usage?period=2026-04&granularity=day',
    '/v1/clusters',
    '/v1/clusters?sort=-name',
    '/v1/clusters?status=billed&sort=registeredAt',
    '/v1/accounts',
    '/v1/periods',
  ])('whatever is recorded between them: %s', async (path) => {
    const { ledger, grow } = await growing();
    const { body: whole } = await ledger.get(path);
    const pages = await pagesOf(ledger, path, grow);
    expect(pages.length).toBeGreaterThan(1);
    expect(pages.flatMap(({ items }) => items)).toEqual(whole.items);
    for (const { position, through } of pages)
      expect([position, through]).toEqual([whole.position, whole.through]);
  });

  test('also the facts of a cluster', async () => {
    const { ledger, grow } = await growing();
    await grow();
    const path = '/v1/clusters/c-e/events';
    const { body: whole } = await ledger.get(path);
    const pages = await pagesOf(ledger, `${path}?asOf=${'100'.slice(3)}`.replace('?asOf=', ''), grow);
    expect(pages.flatMap(({ items }) => items)).toEqual(whole.items);
  });
});

describe('a page of a list that does not depend on the time', () => {
  const ledger = sharedLedger(async (it) => {
    const accounts = ['a', 'b', 'c'];
    const [first] = await it.record(...accounts.map((account) => registered(`c-${account}`, MARCH, account)));
    await it.record(stopped('c-a', MARCH), resumed('c-a', APRIL));
    for (const cluster of ['c-b', 'c-c']) await it.post(voided(cluster, APRIL, first?.eventId ?? ''));
    await it.fetch('/v1/periods/2026-03/close', { method: 'POST' });
    await it.record(...accounts.map((account) => stopped(`c-${account}`, '2026-03-10T00:00:00Z')));
  });

  test.each([
    '/v1/rejected-events',
    '/v1/clusters/c-a/events',
    '/v1/periods/2026-03/statements',
    '/v1/adjustments',
    '/v1/alerts',
  ])('is the same, with the same ETag, until something is recorded: %s', async (path) => {
    const before = await ledger().get(`${path}?limit=1`);
    expect(before.body.next).toMatch(/^[\w-]+$/);
    ledger().pass(1);
    const after = await ledger().get(`${path}?limit=1`);
    expect([after.text, after.headers.get('etag')]).toEqual([before.text, before.headers.get('etag')]);
    const { body: next } = await ledger().get(`${path}?limit=1&cursor=${after.body.next}`);
    expect(next.items).toHaveLength(1);
    expect(next.items).not.toEqual(after.body.items);
  });
});

describe('a cursor', () => {
  const ledger = sharedLedger(async (it) => {
    const names = ['a', 'b', 'c'];
    const [first] = await it.record(...names.map((name) => registered(`c-${name}`, MARCH, name)));
    await it.record(voided('c-a', MARCH, first?.eventId ?? ''), registered('c-a', APRIL, 'a'));
  });
  const lists = [
    '/v1/accounts?limit=1',
    '/v1/clusters?limit=1',
    '/v1/clusters?limit=1&sort=name',
    '/v1/clusters?limit=1&sort=-name',
    '/v1/clusters?limit=1&billable=true',
    '/v1/clusters/c-a/events?limit=1',
    '/v1/periods?limit=1',
    '/v1/usage?limit=1&period=2026-03',
    '/v1/usage?limit=1&period=2026-04',
    '/v1/usage?limit=1&period=2026-03&granularity=day',
  ];

  test.each(lists)('is refused by every other list than its own: %s', async (path) => {
    const { body } = await ledger().get(path);
    expect(body.next).toMatch(/^[\w-]+$/);
    for (const other of lists) {
      const answer = await ledger().get(`${other}&cursor=${body.next}`);
      if (other === path) expect(answer.status).toBe(200);
      else
        expect(
          [answer.status, answer.body.errors?.[0].pointer, answer.body.errors?.[0].detail],
          other,
        ).toEqual([
          400,
          '/query/cursor',
          'must be the `next` of a page of the same list, with the same filters and the same order',
        ]);
    }
  });

  test('takes another limit', async () => {
    const { body } = await ledger().get('/v1/clusters?limit=1');
    const { body: rest } = await ledger().get(`/v1/clusters?limit=100&cursor=${body.next}`);
    expect(rest.items.map(({ clusterId }: { clusterId: string }) => clusterId)).toEqual(['c-b', 'c-c']);
  });
});

describe('the header Link', () => {
  const ledger = sharedLedger(async (it) => {
    const accounts = ['acme', 'globex', 'initech'];
    await it.record(...accounts.map((account) => registered(`c-${account}`, MARCH, account)));
    await it.fetch('/v1/periods/2026-03/close', { method: 'POST' });
  });

  test.each([
    ['text/csv', '/v1/usage?period=2026-03'],
    ['application/x-ndjson', '/v1/usage?period=2026-03'],
    ['application/json', '/v1/usage?period=2026-03'],
    ['text/csv', '/v1/periods/2026-03/statements?'],
    ['application/x-ndjson', '/v1/periods/2026-03/statements?'],
  ])('leads through all pages as %s: %s', async (accept, path) => {
    const whole = await ledger().get(path, { accept });
    expect(whole.headers.get('link')).toBeNull();
    const texts: string[] = [];
    let next: string | undefined = `${path}&limit=1`;
    while (next !== undefined) {
      const { text, headers, status } = await ledger().get(next, { accept });
      expect(status).toBe(200);
      texts.push(text);
      next = /^<([^>]+)>; rel="next"$/.exec(headers.get('link') ?? '')?.[1];
    }
    expect(texts).toHaveLength(3);
    if (accept === 'application/json')
      expect(texts.flatMap((text) => JSON.parse(text).items)).toEqual(whole.body.items);
    else if (accept === 'text/csv')
      expect(texts.map((text, i) => (i === 0 ? text : text.replace(/^.*\r\n/, ''))).join('')).toBe(
        whole.text,
      );
    else expect(texts.join('')).toBe(whole.text);
  });
});
