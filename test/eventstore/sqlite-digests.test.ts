import { expect, test } from 'vitest';
import { leafHash, leafText } from '../../src/audit/leaf.ts';
import { sqliteStoreForTest } from '../support/sqlite-store.ts';
import { anEvent, readLog, Watcher } from '../support/store-events.ts';

const digests = new URL('../../src/audit/leaf-digest.ts', import.meta.url).href;

test('followers get the digests that the writer thread computes, and readers of the log compute their own', async () => {
  const store = await sqliteStoreForTest({ digests });
  const watcher = new Watcher(store);
  await store.append('~state', [anEvent()], 'absent');
  await Promise.all([
    store.append('a', [anEvent({ text: 'ä' }), anEvent({ n: 1.5 })], 'absent'),
    store.appendAll([
      { stream: '~other', events: [anEvent()], expected: 'absent' },
      { stream: 'b', events: [anEvent()], expected: 'absent' },
      { stream: 'c', events: [anEvent(), anEvent()], expected: 'absent' },
    ]),
  ]);
  await watcher.until(({ seen }) => seen.length === 5);
  for (const event of watcher.seen) expect(event.digest).toEqual(new Uint8Array(leafHash(leafText(event))));
  expect((await readLog(store)).map(({ digest }) => digest)).toEqual(Array(5).fill(undefined));
});

test('an event that has no digest is recorded as any other', async () => {
  const store = await sqliteStoreForTest({ digests });
  const watcher = new Watcher(store);
  await store.append('a', [anEvent({ text: 'x'.repeat(70_000) })], 'absent');
  await store.append('a', [anEvent()], 0);
  await watcher.until(({ seen }) => seen.length === 2);
  expect(watcher.seen.map(({ digest }) => digest?.length)).toEqual([undefined, 32]);
});
