import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { NewEvent } from '../../../src/eventstore/event-store.ts';
import { registered, stopped } from '../../support/cloud-events.ts';
import { ledgerForTest, type TestLedger } from '../../support/ledger.ts';
import { stores } from '../../support/stores.ts';
import { until } from '../../support/until.ts';

const AT = '2026-04-02T00:00:00.000Z';
const sound = { clusterId: 'bad', effectiveAt: AT };

const poison: [string, Partial<NewEvent>][] = [
  ['a type that this release does not know', { type: 'ClusterPainted', data: sound }],
  ['a later version of a type', { type: 'ClusterDeleted.v2', data: sound }],
  ['no time', { type: 'ClusterDeleted', data: { clusterId: 'bad' } }],
  ['a time that is none', { type: 'ClusterDeleted', data: { ...sound, effectiveAt: 'soon' } }],
  ['the name of another cluster', { type: 'ClusterDeleted', data: { ...sound, clusterId: 'good' } }],
  ['a cause that does not exist', { type: 'BillingStopped', data: { ...sound, cause: 'weather' } }],
];

async function twoClusters(connection: string): Promise<TestLedger> {
  const ledger = await ledgerForTest({ store: connection });
  await ledger.record(
    registered('good', '2026-04-01T00:00:00.000Z', 'g'),
    registered('bad', '2026-04-01T00:00:00.000Z', 'b'),
  );
  return ledger;
}

describe.each(stores)('a ledger on $name', ({ connection }) => {
  test.each(poison)('halts only the cluster of a fact with %s', async (_, wrong) => {
    const ledger = await twoClusters(connection);
    const before = (await ledger.get('/v1/usage?period=2026-04')).body.items;
    const event = { id: randomUUID(), type: 'X', data: {}, metadata: {}, recordedAt: ledger.now, ...wrong };
    await ledger.rooms.store.append('cluster-bad', [event], 0);
    await until(() => ledger.rooms.projections.model.position === 3);

    expect((await ledger.get('/v1/usage?period=2026-04')).body.items).toEqual(before);
    expect((await ledger.get('/v1/clusters/bad')).body.halted).toMatchObject({ position: '3' });
    const ready = await ledger.get('/readyz');
    expect(ready.status).toBe(200);
    expect(ready.body.checks.clusters).toMatchObject({
      ok: false,
      detail: expect.stringContaining('bad at position 3'),
    });

    await ledger.reopen();
    await until(() => ledger.rooms.projections.model.position === 3);
    const refused = await ledger.post(stopped('bad', AT));
    expect(refused.status).toBe(503);
    expect(refused.body.type).toBe('urn:cluster-ledger:problem:cluster-halted');
    expect((await ledger.post(stopped('good', AT))).status).toBe(201);
    expect((await ledger.get('/v1/usage?period=2026-04')).body.items[0].usage).toEqual(before[0].usage);
  });
});
