import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { inStructuredMode, registered } from '../support/cloud-events.ts';
import { builtConsole } from '../support/console.ts';
import { ledgerForTest } from '../support/ledger.ts';
import { eventually } from '../support/until.ts';

const HTML = { accept: 'text/html' };

/** Holds the event loop twice, without using the processor: a measurement begins between the two and ends after the second. */
async function hold(ms: number): Promise<void> {
  for (let time = 0; time < 2; time++) {
    await wait(1);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
  }
  await wait(1);
}

test('a ledger whose event loop was held for 2 seconds refuses work, sends the console, and says how it is', async () => {
  const folder = await builtConsole();
  const [script] = readdirSync(join(folder, 'assets')).filter((name) => name.endsWith('.js'));
  const ledger = await ledgerForTest();
  const { headers, body } = inStructuredMode(registered('c1', '2026-04-01T00:00:00.000Z'));
  const record = () => ledger.fetchOnce('/v1/events', { method: 'POST', headers, ...(body && { body }) });
  await eventually(async () => {
    await hold(1_050);
    expect((await record()).status).toBeLessThan(300);
  });
  await eventually(async () => {
    await hold(2_050);
    const refused = record();
    const paths = ['/', '/clusters/c1', `/assets/${script}`, '/livez', '/metrics'];
    const answers = await Promise.all(paths.map((path) => ledger.fetchOnce(path, { headers: HTML })));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    expect((await refused).body).toMatchObject({ status: 503, type: expect.stringContaining(':overloaded') });
  });
});

test('a ledger starts however long its server takes to load, as on a machine that is busy', async () => {
  const ledger = await ledgerForTest();
  expect(ledger.rooms.app.initialConfig.pluginTimeout).toBe(0);
});
