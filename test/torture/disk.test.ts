import { rmSync, truncateSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { crashpoints } from './crashpoints.ts';
import { type Fault, faults } from './faults.ts';
import { lostWrites } from './lost-writes.ts';
import { Shim } from './shim/shim.ts';

const SEED = 20_261_126;
const { EIO, ENOSPC } = constants.errno;
const shim = Shim.compile();
const notRun = shim === undefined ? '; NOT RUN: no C compiler' : '';

const onWal = (fault: Omit<Fault, 'suffix'>): Fault => ({ ...fault, suffix: 'ledger.db-wal' });

describe.skipIf(shim === undefined)(`a ledger on a disk that fails${notRun}`, () => {
  test('stops at an error of a sync, goes on after a full disk, says why it does not start, and keeps every promise', async () => {
    const run = (fault: Fault) => faults(shim as Shim, { seed: SEED, count: 1, fault });
    const [unsynced, full, unreadable] = await Promise.all([
      run(onWal({ calls: 's', mode: 'error', errno: EIO, at: 6 })),
      run(onWal({ calls: 'w', mode: 'error', errno: ENOSPC, at: 40, times: 5 })),
      run({ suffix: 'log-key', calls: 'r', mode: 'error', errno: EIO }),
    ]);
    expect([unsynced, full, unreadable].flatMap(({ findings }) => findings)).toEqual([]);
    expect([unsynced.stopped, full.wentOn, unreadable.refused]).toEqual([1, 1, 1]);
  });

  test('is found if it takes any answer for an acknowledgement', async () => {
    const fault = onWal({ calls: 'w', mode: 'error', errno: ENOSPC, at: 40, times: 10_000 });
    const { findings } = await faults(shim as Shim, { seed: SEED, count: 1, fault, plant: 'any-answer' });
    expect(findings.join()).toContain('acknowledged facts are missing in silence');
  });
});

describe.skipIf(shim === undefined)(`a ledger whose power fails${notRun}`, () => {
  test('has every fact that it had acknowledged, and takes more, whatever was not synced', async () => {
    const { findings, images } = await lostWrites(shim as Shim, { seed: SEED, count: 10 });
    expect(findings).toEqual([]);
    expect(images).toBe(10);
  });

  test('is found if it does not sync', async () => {
    const { findings } = await lostWrites(shim as Shim, { seed: SEED, count: 3, ignoreSyncs: true });
    expect(findings).toHaveLength(3);
  });
});

describe.skipIf(shim === undefined)(`a ledger that ends at a call that changes a file${notRun}`, () => {
  test('closes once, and can be restored, when it is started again', async () => {
    const only = ['close', 'restore'];
    const { findings, points } = await crashpoints(shim as Shim, { seed: SEED, count: 1, only });
    expect(findings).toEqual([]);
    expect([...points.keys()]).toEqual(only);
  });

  test('is found if it loses the end of its log', async () => {
    const plant = (folder: string) => {
      for (const witness of ['ledger.db-acknowledged', 'checkpoint-ledger.db', 'snapshot-sqlite-ledger.bin'])
        rmSync(join(folder, witness), { force: true });
      truncateSync(join(folder, 'ledger.db'), 0);
      rmSync(`${join(folder, 'ledger.db')}-wal`, { force: true });
    };
    const { findings } = await crashpoints(shim as Shim, { seed: 40, count: 1, only: ['append'], plant });
    expect(findings.join()).toMatch(/acknowledged facts are missing in silence|the next start says/);
  });
});
