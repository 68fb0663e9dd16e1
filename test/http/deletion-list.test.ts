import { expect, test } from 'vitest';
import { event, registered } from '../support/cloud-events.ts';
import { bearer, createKey, sendAs } from '../support/keys.ts';
import { ledgerForTest, type TestLedger } from '../support/ledger.ts';

const APRIL = '2026-04-01T00:00:00.000Z';

const request = async (ledger: TestLedger, clusterId: string, key?: string) =>
  (await sendAs(ledger, key, 'POST', `/v1/clusters/${clusterId}/deletions`, {})).body;

const namesOf = (items: readonly { name: string; state: string }[]) =>
  items.map(({ name, state }) => `${name} ${state}`);

test('the list of all deletions has each deletion once, latest first, page by page', async () => {
  const ledger = await ledgerForTest();
  await ledger.record(
    registered('a', APRIL, 'acme', { name: 'alpha' }),
    registered('b', APRIL, 'globex', { name: 'beta' }),
    registered('c', APRIL, 'acme', { name: 'gamma' }),
  );
  const first = await request(ledger, 'a');
  await request(ledger, 'b');
  const confirmation = { name: 'alpha', confirmationToken: first.confirmationToken };
  await sendAs(
    ledger,
    undefined,
    'POST',
    `/v1/clusters/a/deletions/${first.deletionId}/confirm`,
    confirmation,
  );
  await ledger.record(event('cluster.deletion-confirmed', 'c', APRIL, { deletionId: 'from-the-app' }));
  const { body } = await ledger.get('/v1/deletions?limit=2');
  expect(namesOf(body.items)).toEqual(['gamma confirmed', 'beta requested']);
  expect(body.items[1]).toMatchObject({ clusterId: 'b', accountId: 'globex', requested: { by: 'loopback' } });
  const rest = await ledger.get(`/v1/deletions?limit=2&cursor=${body.next}`);
  expect(namesOf(rest.body.items)).toEqual(['alpha confirmed']);
  expect(rest.body).not.toHaveProperty('next');
});

test('the list of all deletions has for a customer those of the clusters that its account owns', async () => {
  const ledger = await ledgerForTest();
  await ledger.record(registered('a', APRIL, 'acme', { name: 'alpha' }), registered('b', APRIL, 'globex'));
  const { key: operator } = await createKey(ledger, undefined, { role: 'operator' });
  const { key } = await createKey(ledger, operator, { role: 'customer', accountId: 'acme' });
  await request(ledger, 'a', operator);
  await request(ledger, 'b', operator);
  const { body } = await ledger.get('/v1/deletions', bearer(key));
  expect(namesOf(body.items)).toEqual(['alpha requested']);
});
