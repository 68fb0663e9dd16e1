import { randomBytes } from 'node:crypto';
import { EsdbStore } from '../../src/eventstore/esdb/esdb-store.ts';
import { startDouble } from '../eventstoredb/double.ts';
import { eventStoreDbUrl } from '../support/environment.ts';
import { describeStore, type StorePlace } from './contract.ts';

const silent = { info: () => undefined, warn: () => undefined };

async function placeOn(connection: string, remove: () => Promise<void>): Promise<StorePlace> {
  const namespace = `t${randomBytes(6).toString('hex')}`;
  return {
    open: async () => new EsdbStore(connection, { namespace, now: Date.now, log: silent }),
    remove,
  };
}

describeStore('a double of EventStoreDB', async () => {
  const double = await startDouble();
  return placeOn(double.url, () => double.close());
});

if (eventStoreDbUrl !== undefined) {
  const url = eventStoreDbUrl;
  describeStore('EventStoreDB', () => placeOn(url, async () => undefined));
}
