import { expect, test } from 'vitest';
import { AlertAnnouncer } from '../../src/delivery/alerts/alert-announcer.ts';
import type { Notice } from '../../src/delivery/alerts/notices.ts';
import { alertId } from '../../src/domain/alert.ts';
import { formatInstant, HOUR_MS } from '../../src/domain/time.ts';
import type { Alert } from '../../src/projections/alerts/raised-alert.ts';
import { NOW } from '../ledger/facts.ts';
import { sqliteStoreForTest } from '../support/sqlite-store.ts';

const orphan = (n: number): Alert => {
  const subject = `c${n}`;
  const id = alertId('orphan-facts', subject);
  return {
    id,
    kind: 'orphan-facts',
    subject,
    clusterId: subject,
    raisedAt: NOW + n,
    updatedAt: NOW + n,
    data: {},
  };
};

/** An announcer whose words are counted, with a clock that can be set. */
async function announcerForTest() {
  const counted = { now: NOW, described: 0, words: 'facts without a registration' };
  const describe = ({ id: alertId, kind, subject, raisedAt }: Alert): Notice => {
    counted.described++;
    const text = { happened: counted.words, bill: 'none', next: 'register it' };
    return { alertId, kind, severity: 'warning', subject, raisedAt: formatInstant(raisedAt), ...text };
  };
  const store = await sqliteStoreForTest();
  return { counted, announcer: new AlertAnnouncer(store, () => counted.now, describe) };
}

test('alerts are announced 200 at a time, the latest raised first, and only those are put into words', async () => {
  const { announcer, counted } = await announcerForTest();
  const current = Array.from({ length: 500 }, (_, n) => orphan(n));
  for (const [announced, first] of [
    [200, 'c499'],
    [200, 'c299'],
    [100, 'c99'],
    [0, undefined],
  ] as const) {
    counted.described = 0;
    const changes = await announcer.changes(current);
    expect(changes.map(({ notice }) => notice.subject)[0]).toBe(first);
    expect([changes.length, counted.described]).toEqual([announced, announced]);
    await announcer.record(changes);
  }
});

test('an alert is put into words again only if it may have changed since an hour', async () => {
  const { announcer, counted } = await announcerForTest();
  const [first, second] = [orphan(1), orphan(2)];
  await announcer.record(await announcer.changes([first, second]));
  counted.described = 0;
  const changed = { ...second, updatedAt: NOW + HOUR_MS };
  counted.words = 'other words';
  expect(await announcer.changes([first, changed])).toEqual([]);
  expect(counted.described).toBe(0);
  counted.words = 'facts without a registration';
  counted.now += HOUR_MS;
  expect(await announcer.changes([first, second])).toEqual([]);
  expect(counted.described).toBe(2);
  expect(await announcer.changes([first, second])).toEqual([]);
  expect(counted.described).toBe(2);
  counted.words = 'other words';
  expect(await announcer.changes([first, changed])).toMatchObject([
    { type: 'AlertUpdated', notice: { subject: 'c2', happened: 'other words' } },
  ]);
  expect(counted.described).toBe(3);
});

test('an alert that is resolved and raised again while the alerts are compared is announced as one of both', async () => {
  const { announcer } = await announcerForTest();
  const alert = orphan(1);
  await announcer.record(await announcer.changes([alert]));
  expect(await announcer.changes([alert, { ...alert }])).toEqual([]);
  expect(await announcer.changes([])).toMatchObject([{ type: 'AlertResolved', notice: { subject: 'c1' } }]);
  expect(await announcer.changes([orphan(2), orphan(2)])).toMatchObject([
    { type: 'AlertResolved' },
    { type: 'AlertRaised', notice: { subject: 'c2' } },
  ]);
});
