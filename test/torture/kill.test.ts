import { rmSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { kill } from './kill.ts';

const SEED = 20_261_126;

test('a ledger that is killed while it appends, voids, closes, signs, writes snapshots, sends webhooks and is backed up keeps every promise', async () => {
  const { findings, kills, backups, promises, delivered } = await kill({ seed: SEED, count: 3 });
  expect(findings).toEqual([]);
  expect([kills, backups]).toEqual([3, 1]);
  expect(promises.facts.length).toBeGreaterThan(0);
  expect(delivered).toBeGreaterThan(0);
});

test('the harness finds a ledger that acknowledges before its facts are on the disk', async () => {
  // Such a ledger leaves a log whose end is not there, and no witness says so.
  const plant = (folder: string) => {
    const wal = join(folder, 'ledger.db-wal');
    truncateSync(wal, Math.max(0, statSync(wal).size - 8_240));
    rmSync(join(folder, 'ledger.db-acknowledged'));
  };
  const { findings } = await kill({ seed: SEED, count: 20, plant });
  expect(findings.join('\n')).toMatch(/acknowledged facts are missing after a kill|a start says/);
});
