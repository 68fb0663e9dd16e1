import { describe, expect, test } from 'vitest';
import { CheckpointStore } from '../../src/audit/checkpoint-store.ts';
import { formatCheckpoint, MalformedCheckpoint } from '../../src/audit/checkpoint-text.ts';
import { VersionConflict } from '../../src/eventstore/store-errors.ts';
import { sqliteStoreForTest } from '../support/sqlite-store.ts';
import { collect } from '../support/store-events.ts';
import { leafHashOf } from './leaves.ts';

const ORIGIN = 'ledger.example/log';
const root = Buffer.from(leafHashOf(1));
const noteOf = (size: number) => `${formatCheckpoint({ origin: ORIGIN, size, root })}\n— ${ORIGIN} AAAA\n`;
const stored = (number: number, size: number) => ({
  note: noteOf(size),
  origin: ORIGIN,
  size,
  root,
  signedAt: size * 1_000,
  number,
});

describe('the stored checkpoints', () => {
  test('are none at the beginning', async () => {
    const checkpoints = new CheckpointStore(await sqliteStoreForTest());
    expect(await checkpoints.newest()).toBeUndefined();
    expect(await collect(checkpoints.all())).toEqual([]);
  });

  test('are numbered from 0, in the order in which they were signed', async () => {
    const checkpoints = new CheckpointStore(await sqliteStoreForTest());
    let newest = await checkpoints.append(noteOf(3), undefined, 3_000);
    expect(newest).toEqual(stored(0, 3));
    newest = await checkpoints.append(noteOf(7), newest, 7_000);
    expect(newest).toEqual(stored(1, 7));
    expect(await checkpoints.newest()).toEqual(stored(1, 7));
    expect(await collect(checkpoints.all())).toEqual([stored(0, 3), stored(1, 7)]);
  });

  test('are events of a state stream, which is not a part of the log', async () => {
    const store = await sqliteStoreForTest();
    await new CheckpointStore(store).append(noteOf(3), undefined, 3_000);
    const [event] = await collect(store.readStream('~log-checkpoints'));
    expect(event).toMatchObject({ type: 'CheckpointSigned', recordedAt: 3_000 });
    expect([event?.data, event?.metadata]).toEqual([{ note: noteOf(3) }, {}]);
    expect(await store.head()).toBe(0);
  });

  test('take no checkpoint of a replica that does not know the newest one', async () => {
    const checkpoints = new CheckpointStore(await sqliteStoreForTest());
    const first = await checkpoints.append(noteOf(3), undefined, 3_000);
    await expect(checkpoints.append(noteOf(4), undefined, 4_000)).rejects.toThrow(VersionConflict);
    await checkpoints.append(noteOf(5), first, 5_000);
    await expect(checkpoints.append(noteOf(6), first, 6_000)).rejects.toThrow(VersionConflict);
    expect((await collect(checkpoints.all())).map(({ size }) => size)).toEqual([3, 5]);
  });

  test.each([{}, { note: 'nothing' }, { note: `${ORIGIN}\n3\n\n— ${ORIGIN} AAAA\n` }])(
    'are malformed if one is %j',
    async (data) => {
      const store = await sqliteStoreForTest();
      const id = '00000000-0000-4000-8000-000000000001';
      await store.append(
        '~log-checkpoints',
        [{ id, type: 'CheckpointSigned', data, metadata: {}, recordedAt: 0 }],
        'absent',
      );
      const checkpoints = new CheckpointStore(store);
      await expect(checkpoints.newest()).rejects.toThrow(MalformedCheckpoint);
      await expect(collect(checkpoints.all())).rejects.toThrow(MalformedCheckpoint);
    },
  );
});
