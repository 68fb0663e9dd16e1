import { describe, expect, test } from 'vitest';
import { registered } from '../support/cloud-events.ts';
import { ledgerForTest, type TestLedger } from '../support/ledger.ts';
import { answerWith, receiverForTest } from '../support/receiver.ts';
import { until } from '../support/until.ts';
import { run } from './program.ts';

const MARCH = '2026-03-01T00:00:00.000Z';

function on(ledger: TestLedger, ...args: readonly string[]) {
  return run([...args, '--url', `http://127.0.0.1:${ledger.port}`]);
}

/** Creates a webhook with the command. @returns its id. */
async function createdWith(ledger: TestLedger, ...args: readonly string[]): Promise<string> {
  const { stdout, stderr } = await on(ledger, 'webhooks', 'create', ...args, '--json');
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout).webhookId;
}

describe('webhooks', () => {
  test('create prints the secret once, and list and show print where the webhook stands', async () => {
    const ledger = await ledgerForTest({ clockGoesOn: true });
    const receiver = await receiverForTest();
    const created = await on(ledger, 'webhooks', 'create', receiver.url, '--description', 'billing');
    expect(created).toMatchObject({ code: 0, stderr: '' });
    expect(created.stdout).toMatch(/^description +billing$/m);
    const [, secret] = /^secret +(whsec_\S+)$/m.exec(created.stdout) ?? [];
    const [, id = ''] = /^webhook +(\S+)$/m.exec(created.stdout) ?? [];
    const listed = await on(ledger, 'webhooks', 'list', '-o', 'wide');
    expect(listed.stdout).toMatch(new RegExp(`^${id} +enabled +0 +0 +- +${receiver.url}$`, 'm'));
    const shown = await on(ledger, 'webhooks', 'show', id);
    expect(shown.stdout).toMatch(/^state +enabled$/m);
    expect(listed.stdout + shown.stdout).not.toContain(secret);
  });

  test('create refuses an event type that the feed does not have', async () => {
    const ledger = await ledgerForTest({ clockGoesOn: true });
    const { code, stderr } = await on(
      ledger,
      'webhooks',
      'create',
      'http://127.0.0.1:9/',
      '--type',
      'cluster.gone',
    );
    expect(code).toBe(1);
    expect(stderr).toContain('given cluster.gone');
  });

  test('test exits with 3 and the status if the receiver does not accept the event', async () => {
    const ledger = await ledgerForTest({ clockGoesOn: true });
    const receiver = await receiverForTest();
    const id = await createdWith(ledger, receiver.url);
    expect((await on(ledger, 'webhooks', 'test', id)).stdout).toMatch(/^delivered +yes\nstatus +204$/m);
    receiver.answer = answerWith(500);
    const { code, stdout } = await on(ledger, 'webhooks', 'test', id);
    expect(code).toBe(3);
    expect(stdout).toMatch(/^delivered +no\nstatus +500\nerror +the receiver answered 500/m);
  });

  test('deliveries lists attempts, redeliver sends an event again, and replay sends what is parked', async () => {
    const ledger = await ledgerForTest({ clockGoesOn: true });
    const receiver = await receiverForTest();
    const id = await createdWith(ledger, receiver.url);
    const [fact] = await ledger.record(registered('c1', MARCH));
    await until(() => receiver.accepted.length === 1);
    const { stdout } = await on(ledger, 'webhooks', 'deliveries', id, '-o', 'wide');
    expect(stdout).toMatch(
      new RegExp(`delivered +204 +${fact?.eventId} +io.clusterledger.cluster.registered.v1 +c1`),
    );
    const again = await on(ledger, 'webhooks', 'redeliver', id, String(fact?.eventId));
    expect(again.stdout).toMatch(/^messages to be sent +1$/m);
    await until(() => receiver.accepted.length === 2);
    expect((await on(ledger, 'webhooks', 'replay', id)).stdout).toMatch(/^messages to be sent +0$/m);
  });

  test('disable, enable, rotate-secret and delete change the webhook', async () => {
    const ledger = await ledgerForTest({ clockGoesOn: true });
    const receiver = await receiverForTest();
    const id = await createdWith(ledger, receiver.url);
    expect((await on(ledger, 'webhooks', 'disable', id)).stdout).toMatch(/^state +disabled$/m);
    await ledger.record(registered('c1', MARCH));
    expect(receiver.received).toEqual([]);
    expect((await on(ledger, 'webhooks', 'enable', id)).stdout).toMatch(/^state +enabled$/m);
    await until(() => receiver.accepted.length === 1);
    expect((await on(ledger, 'webhooks', 'rotate-secret', id)).stdout).toMatch(/^secret +whsec_/m);
    expect((await on(ledger, 'webhooks', 'delete', id, '--yes')).stderr).toBe(`webhook ${id} is deleted\n`);
    expect((await on(ledger, 'webhooks', 'list', '-o', 'wide')).stderr).toBe('no webhooks found\n');
  });
});
