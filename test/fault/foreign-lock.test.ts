import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { registered } from '../support/cloud-events.ts';
import { ledgerForTest } from '../support/ledger.ts';
import { readLog } from '../support/store-events.ts';

/** Takes the write lock of a file as soon as it is free, says so, and keeps it until its input ends. Changes nothing. */
const OTHER_PROGRAM = `
  const { DatabaseSync } = require('node:sqlite');
  const db = new DatabaseSync(process.argv[1], { timeout: 0 });
  for (;;) {
    try { db.exec('BEGIN IMMEDIATE'); break; } catch (error) { if (error.errcode !== 5) throw error; }
  }
  process.stdout.write('locked');
  process.stdin.on('end', () => { db.exec('ROLLBACK'); db.close(); }).resume();
`;

test('while another program holds the lock of the file, a fact is answered 503 with a time to try again and nothing is written; afterwards it is recorded once', async () => {
  const ledger = await ledgerForTest();
  const other = spawn(process.execPath, ['-e', OTHER_PROGRAM, ledger.storeFile], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => void other.kill());
  let isLocked = false;
  other.stdout.once('data', () => {
    isLocked = true;
  });
  // The ledger holds the lock between two groups, so the other program can take it only while a group ends.
  let recorded = 0;
  let refused: Awaited<ReturnType<typeof ledger.post>> | undefined;
  while (refused === undefined) {
    const answer = await ledger.post(registered(`c${recorded}`, '2026-04-01T00:00:00.000Z'));
    if (answer.status === 201) recorded++;
    else refused = answer;
  }
  expect(isLocked).toBe(true);
  expect(refused.status).toBe(503);
  expect(refused.body).toMatchObject({
    type: 'urn:cluster-ledger:problem:store-unavailable',
    detail: expect.stringMatching(/another program holds a lock on the file.*nothing was recorded/),
  });
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(await ledger.head()).toBe(recorded);
  expect((await ledger.get('/livez')).status).toBe(200);
  expect(ledger.failure).toBeUndefined();

  other.stdin.end();
  await once(other, 'exit');
  const event = { ...registered(`c${recorded}`, '2026-04-01T00:00:00.000Z'), id: 'again' };
  const answers = [await ledger.post(event), await ledger.post(event)];
  expect(answers.map(({ status, body }) => [status, body.outcome])).toEqual([
    [201, 'appended'],
    [200, 'duplicate'],
  ]);
  await ledger.reopen();
  const streams = (await readLog(ledger.rooms.store)).map(({ stream }) => stream);
  expect(streams).toEqual(Array.from({ length: recorded + 1 }, (_, n) => `cluster-c${n}`));
});
