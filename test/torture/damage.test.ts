import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { damage } from './damage.ts';

const SEED = 20_261_126;

test('a ledger on damaged files has every acknowledged fact, or says that it has not and takes nothing', async () => {
  const report = await damage({ seed: SEED, count: 60 });
  expect(report.silent).toEqual([]);
  expect(report.complete + report.told + report.refused).toBe(60);
  expect(report.told).toBeGreaterThan(0);
});

test('the harness finds a ledger that has no witness beside its file', async () => {
  const plant = (folder: string) => rmSync(join(folder, 'ledger.db-acknowledged'), { force: true });
  const report = await damage({ seed: SEED, count: 25, plant });
  expect(report.silent.join('\n')).toContain('acknowledged facts are missing in silence');
});
