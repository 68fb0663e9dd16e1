import { describe, expect, test } from 'vitest';
import { runStream } from '../../src/domain/stream-table.ts';
import {
  runId,
  type StoredRecord,
  startRecord,
  WHOLE_FLEET,
} from '../../src/domain/validation/records/run-record.ts';
import { VersionConflict } from '../../src/eventstore/store-errors.ts';
import { ValidationRuns } from '../../src/ledger/validation-runs.ts';
import { ledgerForTest } from '../support/ledger.ts';
import { collect } from '../support/store-events.ts';
import { stores } from '../support/stores.ts';

const TICK = Date.parse('2026-04-15T12:00:00.000Z');
const start = startRecord({
  tick: TICK,
  shard: WHOLE_FLEET,
  trigger: 'schedule',
  policies: 'd',
  by: 'replica',
  deadline: TICK + 240_000,
});
const large = (n: number): StoredRecord => ({
  type: 'ValidationRecorded',
  data: { verdicts: [], left: [`c${n}`.padEnd(45_000, 'x')] },
});

describe.each(stores)('runs on $name', ({ connection }) => {
  test('belong to the first process that starts them, even in a race', async () => {
    const { rooms } = await ledgerForTest({ store: connection });
    const replicas = Array.from({ length: 4 }, () => new ValidationRuns(rooms.store, () => TICK));
    const run = runId(TICK);
    const claims = await Promise.all(replicas.map((replica) => replica.claim(run, start)));
    expect(claims.filter((claim) => claim !== undefined)).toHaveLength(1);
    expect(await collect(rooms.store.readStream(runStream(run)))).toHaveLength(1);
  });

  test('accept records in several writes, in order, and none of another process', async () => {
    const { rooms } = await ledgerForTest({ store: connection });
    const runs = new ValidationRuns(rooms.store, () => TICK);
    const run = runId(TICK);
    const claim = await runs.claim(run, start);
    if (claim === undefined) throw new Error('another process claimed the run');
    const after = await runs.append(
      claim,
      Array.from({ length: 30 }, (_, n) => large(n)),
    );
    expect(after).toEqual({ run, revision: 30 });
    const events = await collect(rooms.store.readStream(runStream(run)));
    const left = events.slice(1).map(({ data }) => (data as { left: string[] }).left[0]?.slice(0, 3));
    expect(left).toEqual(Array.from({ length: 30 }, (_, n) => `c${n}`.padEnd(3, 'x')));
    await expect(runs.append(claim, [large(31)])).rejects.toThrow(VersionConflict);
  });
});
