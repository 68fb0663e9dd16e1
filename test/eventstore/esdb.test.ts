import { randomBytes } from 'node:crypto';
import { inject } from 'vitest';
import { EsdbStore } from '../../src/eventstore/esdb/esdb-store.ts';
import type { EventStore } from '../../src/eventstore/event-store.ts';
import { eventStoreDbUrl } from '../support/environment.ts';
import { patientStore } from '../support/patient-store.ts';
import { PATIENT } from '../support/stores.ts';
import { describeStore, type StorePlace } from './contract.ts';

const log = { info: () => undefined, warn: () => undefined, error: () => undefined };

async function placeOn(connection: string, wrap: (store: EventStore) => EventStore): Promise<StorePlace> {
  const namespace = `t${randomBytes(6).toString('hex')}`;
  return {
    open: async () => wrap(new EsdbStore(connection, { namespace, now: Date.now, log, timings: PATIENT })),
    remove: async () => undefined,
  };
}

describeStore('a double of EventStoreDB', () => placeOn(inject('doubleUrl'), (store) => store));

if (eventStoreDbUrl !== undefined) {
  const url = eventStoreDbUrl;
  describeStore('EventStoreDB', () => placeOn(url, patientStore));
}
