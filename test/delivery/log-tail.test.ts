import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { LogTail } from '../../src/delivery/log-tail.ts';
import { EsdbStore } from '../../src/eventstore/esdb/esdb-store.ts';
import type { EventStore } from '../../src/eventstore/event-store.ts';
import { SqliteStore } from '../../src/eventstore/sqlite/sqlite-store.ts';
import { Projections } from '../../src/projections/projections.ts';
import { double, PATIENT } from '../support/stores.ts';
import { until } from '../support/until.ts';

const BATCH = 1_000;
const BATCHES = 5;
const QUIET = { info: () => undefined, warn: () => undefined, error: () => undefined };

const openers: Readonly<Record<string, (folder: string) => Promise<EventStore>>> = {
  SQLite: (folder) => SqliteStore.open(join(folder, 'ledger.db')),
  'a double of EventStoreDB': async () =>
    new EsdbStore(double.connection, {
      namespace: `test-${randomUUID()}`,
      now: () => 0,
      log: QUIET,
      timings: PATIENT,
    }),
};

test.each(Object.entries(openers))(
  'consumers at any place of the log get every event, however many arrive at once, on %s',
  async (_, open) => {
    const folder = await mkdtemp(join(tmpdir(), 'ledger-tail-'));
    const store = await open(folder);
    const projections = new Projections(store, { log: QUIET });
    onTestFinished(async () => {
      await projections.stop();
      await store.close();
      await rm(folder, { recursive: true });
    });
    const tail = new LogTail(store, projections);
    projections.start();
    const append = (stream: string, count: number) => {
      const event = { type: 'Noted', data: {}, metadata: {}, recordedAt: 0 };
      return store.append(
        stream,
        Array.from({ length: count }, () => ({ ...event, id: randomUUID() })),
        'absent',
      );
    };
    await append('first', 1);
    await until(() => tail.head === 1);
    await Promise.all(Array.from({ length: BATCHES }, (_, i) => append(`batch-${i}`, BATCH)));
    const last = 1 + BATCHES * BATCH;
    await until(() => tail.head === last);
    for (const after of [0, 1, 2, last - 2_000, last - 1_000, last - 1]) {
      const positions: number[] = [];
      for await (const events of tail.read(after)) positions.push(...events.map(({ position }) => position));
      expect(positions).toEqual(Array.from({ length: last - after }, (_, i) => after + 1 + i));
    }
    expect((await tail.eventAt(2_500))?.position).toBe(2_500);
  },
);
