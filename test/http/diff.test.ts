import { expect, onTestFinished, test } from 'vitest';
import { Player } from '../e2e/player.ts';
import { usageAt } from '../oracle/oracle.ts';
import { deleted, registered, stopped, voided } from '../support/cloud-events.ts';
import { ledgerForTest, openLedger } from '../support/ledger.ts';
import { ACCOUNTS, historyOf } from '../support/random-posts.ts';

const day = (of: string) => `2026-${of}T00:00:00.000Z`;

test('a diff of two positions names the facts that changed the usage, and their effect', async () => {
  const ledger = await ledgerForTest();
  const [, wrong] = await ledger.record(registered('c1', day('03-01')), stopped('c1', day('03-31')));
  ledger.pass(60_000);
  const [undone, , deletion] = await ledger.record(
    voided('c1', day('04-01'), wrong?.eventId ?? ''),
    stopped('c1', day('04-01')),
    deleted('c1', day('03-11')),
  );
  await ledger.record(registered('c2', day('04-02')));
  const { body } = await ledger.get('/v1/accounts/acme/diff?period=2026-03&before=2');
  expect(body).toMatchObject({
    accountId: 'acme',
    period: '2026-03',
    window: { from: day('03-01'), to: day('04-01') },
    through: day('04-01'),
    before: { asOf: '2', position: '2', usage: { clusterSeconds: `${30 * 86_400}.000` } },
    after: {
      asOf: null,
      position: String(await ledger.head()),
      usage: { clusterSeconds: `${10 * 86_400}.000` },
    },
    delta: { billableClusters: 0, clusterSeconds: `-${20 * 86_400}.000` },
  });
  // Without the deletion alone the void would still make a difference.
  expect(body.facts).toMatchObject([
    { eventId: wrong?.eventId, effect: 'voided', voidedBy: { eventId: undone?.eventId } },
    { eventId: deletion?.eventId, effect: 'counted', type: 'ClusterDeleted' },
  ]);
  const upToVoid = `/v1/accounts/acme/diff?period=2026-03&before=2026-04-15T12:00:00.000Z&after=${undone?.position}`;
  const { body: other } = await ledger.get(upToVoid);
  expect(other.before).toMatchObject({ asOf: '2026-04-15T12:00:00.000Z', position: '2' });
  expect(other.facts).toEqual([
    {
      eventId: wrong?.eventId,
      position: '2',
      type: 'BillingStopped',
      clusterId: 'c1',
      source: 'https://pro.example/api',
      id: expect.any(String),
      actor: 'loopback',
      effectiveAt: day('03-31'),
      recordedAt: wrong?.recordedAt,
      effect: 'voided',
      voidedBy: expect.objectContaining({ eventId: undone?.eventId, type: 'FactVoided', position: '3' }),
    },
  ]);
});

test('a diff names no facts if nothing changed', async () => {
  const ledger = await ledgerForTest();
  await ledger.record(registered('c1', day('03-01')), stopped('c1', day('04-01')));
  const { body } = await ledger.get('/v1/accounts/acme/diff?period=2026-03&before=1&after=2');
  expect(body).toMatchObject({ facts: [], delta: { billableClusters: 0, clusterSeconds: '0.000' } });
});

test.each([
  ['period=2026-03', '/query/before'],
  ['period=2026-03&before=9', '/query/before'],
  ['period=2026-03&before=0&after=9', '/query/after'],
  ['period=2026-03&before=1&after=0', '/query/before'],
  ['period=2026-03&before=&after=1', '/query/before'],
  ['before=0&after=1', '/query/period'],
  ['period=2026-03&before=0&asOf=1', '/query/asOf'],
])('a diff that asks for %s is refused, and the problem names the field', async (query, pointer) => {
  const ledger = await ledgerForTest();
  await ledger.record(registered('c1', day('03-01')));
  const { status, body } = await ledger.get(`/v1/accounts/acme/diff?${query}`);
  expect(status).toBe(400);
  expect(body.errors[0].pointer).toBe(pointer);
});

test('undoing the facts that a diff names undoes the difference, in a random history', async () => {
  const ledger = await openLedger();
  onTestFinished(ledger.discard);
  const player = new Player(ledger);
  for (const post of historyOf(11)) await player.play(post);
  const head = await ledger.head();
  const window = [BigInt(Date.parse('2026-02-01')), BigInt(Date.parse('2026-03-01'))] as const;
  let named = 0;
  for (const accountId of ACCOUNTS) {
    for (const before of [0, Math.floor(head / 3), Math.floor(head / 2)]) {
      const path = `/v1/accounts/${accountId}/diff?period=2026-02&before=${before}&after=${head}`;
      const { body } = await ledger.get(path);
      const causes = new Set<string>(
        body.facts.map((fact: { eventId: string; voidedBy?: { eventId: string } }) =>
          fact.voidedBy === undefined ? fact.eventId : fact.voidedBy.eventId,
        ),
      );
      named += causes.size;
      const targets = player.accepted.filter(({ eventId }) => causes.has(eventId)).map(({ voids }) => voids);
      const isUndone = ({ eventId, voids, position }: (typeof player.accepted)[number]) =>
        causes.has(eventId) || (voids !== undefined && position > before && targets.includes(voids));
      const without = player.accepted.filter((fact) => !isUndone(fact));
      expect(usageAt(without, head, accountId, window, window[1])).toEqual(body.before.usage);
      const only = player.accepted.filter((fact) => fact.position <= before || isUndone(fact));
      expect(usageAt(only, head, accountId, window, window[1])).toEqual(body.after.usage);
    }
  }
  expect(named).toBeGreaterThan(5);
});
