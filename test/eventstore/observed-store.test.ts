import { expect, test } from 'vitest';
import type { Append } from '../../src/eventstore/event-store.ts';
import { ObservedStore } from '../../src/eventstore/observed-store.ts';
import { WrappedStore } from '../../src/eventstore/wrapped-store.ts';
import { Operations } from '../../src/util/operation-listeners.ts';
import { sqliteStoreForTest } from '../support/sqlite-store.ts';
import { anEvent } from '../support/store-events.ts';

/** Notes how many appends come at once. */
class CountingStore extends WrappedStore {
  readonly sizes: number[] = [];

  override appendAll(appends: readonly Append[]) {
    this.sizes.push(appends.length);
    return this.wrapped.appendAll(appends);
  }
}

test('the appends of a batch reach the store at once, and each is observed with its outcome', async () => {
  const counting = new CountingStore(await sqliteStoreForTest());
  const operations = new Operations();
  const observed: string[] = [];
  operations.listen(
    (name, { stream }) =>
      (outcome) =>
        observed.push(`${name} ${stream} ${outcome}`),
  );
  const store = new ObservedStore(counting, operations);
  const results = await store.appendAll([
    { stream: 'a', events: [anEvent()], expected: 'absent' },
    { stream: 'b', events: [anEvent()], expected: 7 },
    { stream: 'c', events: [], expected: 'absent' },
  ]);
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
  expect(counting.sizes).toEqual([3]);
  expect(observed).toEqual(['append a appended', 'append b conflict', 'append c invalid']);
});
