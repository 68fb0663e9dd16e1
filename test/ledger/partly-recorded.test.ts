import { describe, expect, test } from 'vitest';
import type { Expected, NewEvent } from '../../src/eventstore/event-store.ts';
import {
  StoreBusy,
  StoreFailed,
  StoreFull,
  StoreUnavailable,
  VersionConflict,
} from '../../src/eventstore/store-errors.ts';
import { WrappedStore } from '../../src/eventstore/wrapped-store.ts';
import { problemFor } from '../../src/http/server/problem-for.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { OutcomeUnknown, PartlyRecorded } from '../../src/ledger/ledger-errors.ts';
import { sqliteStoreForTest } from '../support/sqlite-store.ts';
import { NOW, registration, submissionOf } from './facts.ts';

const CALLER = { mayBackdate: true, mayTransfer: true };

/** Refuses the appends to some streams, each time with the next of its errors, and makes all others. */
class RefusingStore extends WrappedStore {
  readonly refused = new Map<string, Error[]>();

  override append(stream: string, events: readonly NewEvent[], expected: Expected): Promise<number> {
    const error = this.refused.get(stream)?.shift();
    return error === undefined ? super.append(stream, events, expected) : Promise.reject(error);
  }
}

async function ledgerOnRefusingStore() {
  const store = new RefusingStore(await sqliteStoreForTest());
  const ledger = new Ledger(store, { now: () => NOW, recordingTime: () => NOW, backdatingMs: 0 });
  const record = (clusterIds: readonly string[]) =>
    ledger.record(
      clusterIds.map((clusterId) => submissionOf(registration(clusterId), `register ${clusterId}`)),
      CALLER,
    );
  return { store, record };
}

describe('a batch whose first cluster is recorded', () => {
  test.each([
    ['busy', new StoreBusy('another program holds a lock')],
    ['full', new StoreFull('no space left')],
  ])(
    'is answered as partly recorded if the store is %s at the second one, and can be posted again',
    async (_, error) => {
      const { store, record } = await ledgerOnRefusingStore();
      store.refused.set('cluster-c2', [error]);
      const thrown = await record(['c1', 'c2']).catch((reason: unknown) => reason);
      expect(thrown).toBeInstanceOf(PartlyRecorded);
      const { code, message } = problemFor(thrown);
      expect(code).toBe('outcome-unknown');
      expect(message).toContain('1 of 2 facts were recorded');
      const again = await record(['c1', 'c2']);
      expect(again.map(({ outcome }) => outcome)).toEqual(['duplicate', 'appended']);
    },
  );

  test('is answered as partly recorded if a rejected event of it cannot be kept', async () => {
    const { store, record } = await ledgerOnRefusingStore();
    await record(['c1']);
    store.refused.set('rejected-events', [new StoreFull('no space left')]);
    const conflicting = submissionOf(
      { ...registration('c1'), accountId: 'other' } as never,
      'register again',
    );
    const ledger = new Ledger(store, { now: () => NOW, recordingTime: () => NOW, backdatingMs: 0 });
    const both = ledger.record([submissionOf(registration('c2'), 'register c2'), conflicting], CALLER);
    await expect(both).rejects.toBeInstanceOf(PartlyRecorded);
  });
});

test('a batch that is refused for one cluster and whose outcome is unknown for another has an unknown outcome', async () => {
  const { store, record } = await ledgerOnRefusingStore();
  store.refused.set('cluster-c1', [new StoreFull('no space left')]);
  store.refused.set('cluster-c2', [new StoreFailed('a write failed')]);
  await expect(record(['c1', 'c2'])).rejects.toBeInstanceOf(StoreFailed);
});

test('a batch of which nothing is recorded because the store is full says so', async () => {
  const { store, record } = await ledgerOnRefusingStore();
  store.refused.set('cluster-c1', [new StoreFull('no space left')]);
  store.refused.set('cluster-c2', [new StoreFull('no space left')]);
  const thrown = await record(['c1', 'c2']).catch((reason: unknown) => reason);
  expect(problemFor(thrown)).toMatchObject({
    code: 'store-full',
    message: expect.stringContaining('nothing was recorded'),
  });
});

test('an append whose outcome is unknown, and whose repeat is refused, has an unknown outcome', async () => {
  const { store, record } = await ledgerOnRefusingStore();
  store.refused.set('cluster-c1', [new StoreUnavailable('no answer'), new StoreFull('no space left')]);
  await expect(record(['c1'])).rejects.toBeInstanceOf(OutcomeUnknown);
});

test('an append that conflicts after an unknown outcome is decided on again', async () => {
  const { store, record } = await ledgerOnRefusingStore();
  store.refused.set('cluster-c1', [
    new StoreUnavailable('no answer'),
    new VersionConflict('the stream moved on'),
  ]);
  expect((await record(['c1'])).map(({ outcome }) => outcome)).toEqual(['appended']);
});
