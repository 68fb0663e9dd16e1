import { DatabaseSync } from 'node:sqlite';
import { describe, expect, onTestFinished, test } from 'vitest';
import { NOTICES_STREAM } from '../../src/domain/stream-table.ts';
import { deleted, registered } from '../support/cloud-events.ts';
import { JsonReceiver } from '../support/json-receiver.ts';
import { heartbeat, track } from '../support/kubefirst.ts';
import { ledgerForTest, type TestLedger } from '../support/ledger.ts';
import { LedgerProcess } from '../support/ledger-process.ts';
import { putBackAfter } from '../support/put-back.ts';
import { until } from '../support/until.ts';

const MARCH = '2026-03-01T00:00:00.000Z';
const HOUR_MS = 3_600_000;

/** Starts a receiver that ends with the test. */
async function jsonReceiver(): Promise<JsonReceiver> {
  const receiver = await JsonReceiver.start();
  onTestFinished(() => receiver.stop());
  return receiver;
}

function ledgerWith(channels: readonly object[]): Promise<TestLedger> {
  const environment = {
    LEDGER_ALERTS_ANNOUNCE: 'true',
    LEDGER_NOTIFICATIONS: JSON.stringify(channels),
  };
  return ledgerForTest({ environment, clockGoesOn: true });
}

/** Posts an event that is rejected, which raises an alert. @returns the id of the alert. */
async function raiseAlert(ledger: TestLedger): Promise<string> {
  await ledger.record(registered('c1', MARCH, 'acme'));
  expect((await ledger.post(registered('c1', MARCH, 'globex', { name: '<!channel> & co' }))).status).toBe(
    409,
  );
  const { body } = await ledger.get('/v1/alerts?kind=event-rejected');
  return body.items[0].id;
}

const acknowledge = (ledger: TestLedger, id: string, body: object = {}) =>
  ledger.fetch(`/v1/alerts/${id}/acknowledge`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

describe('a channel of Slack', () => {
  test('gets an alert once, and again when it is resolved, as text that cannot mention anybody', async () => {
    const slack = await jsonReceiver();
    const ledger = await ledgerWith([{ name: 'ops', type: 'slack', url: `${slack.url}/services/T0/B0/x` }]);
    await ledger.record(deleted('orphan', MARCH));
    ledger.pass(HOUR_MS);
    await until(() => slack.received.length === 1);
    expect(slack.received[0]).toMatchObject({ path: '/services/T0/B0/x' });
    expect(slack.received[0]?.body.text).toMatch(
      /^:warning: warning \*orphan-facts\*: facts of cluster orphan .*\nEffect on the bill: .*\nWhat to do: /,
    );
    await ledger.record(registered('orphan', '2026-02-01T00:00:00.000Z'));
    await until(() => slack.received.length === 2);
    expect(slack.received[1]?.body.text).toMatch(/^:white_check_mark: resolved \*orphan-facts\*/);
    const id = await raiseAlert(ledger);
    await until(() => slack.received.length === 3);
    await acknowledge(ledger, id);
    await until(() => slack.received.length === 4);
    for (const { body } of slack.received) expect(body.text).not.toMatch(/<!|<@|<#/);
  });

  test('gets an alert again after a restart only if it was not delivered before', async () => {
    const slack = await jsonReceiver();
    const ledger = await ledgerWith([{ name: 'ops', type: 'slack', url: slack.url }]);
    await raiseAlert(ledger);
    await until(() => slack.received.length === 1);
    // Before the ledger has read the answer of the channel, a restart sends the alert again.
    await until(async () =>
      (await ledger.get('/metrics')).text.includes('ledger_notification_outstanding{channel="ops"} 0\n'),
    );
    await ledger.reopen();
    await ledger.record(deleted('orphan', MARCH));
    ledger.pass(HOUR_MS);
    await until(() => slack.received.length === 2);
    expect(slack.received[1]?.body.text).toContain('orphan-facts');
  });

  test('gets no end and no second beginning of an alert that is not of the log because the ledger restarts', async () => {
    const slack = await jsonReceiver();
    const ledger = await ledgerWith([{ name: 'ops', type: 'slack', url: slack.url }]);
    const stranger = heartbeat({ cluster_id: 'wl1abc', cluster_type: 'workload', domain: 'customer.com' });
    await track(ledger, stranger);
    ledger.pass(300_000);
    await track(ledger, stranger);
    await until(() => slack.received.length === 1);
    await until(async () =>
      (await ledger.get('/metrics')).text.includes('ledger_notification_outstanding{channel="ops"} 0\n'),
    );
    await ledger.reopen();
    await raiseAlert(ledger);
    await until(() => slack.received.some(({ body }) => body.text.includes('event-rejected')));
    const lines = slack.received.map(({ body }) => body.text.split(':', 3).slice(0, 3).join(':'));
    expect(lines.filter((line) => line.includes('running-but-unregistered'))).toHaveLength(1);
    expect(lines.filter((line) => line.includes('resolved'))).toEqual([]);
  });

  test('gets an alert later if it answers an error', async () => {
    const slack = await jsonReceiver();
    slack.status = 500;
    const ledger = await ledgerWith([{ name: 'ops', type: 'slack', url: slack.url }]);
    await raiseAlert(ledger);
    await until(() => slack.received.length === 1);
    await until(async () =>
      (await ledger.get('/metrics')).text.includes('ledger_notification_failing{channel="ops"} 1\n'),
    );
    slack.status = 200;
    ledger.pass(10_000);
    await until(() => slack.received.length === 2);
    expect(slack.received[1]?.body).toEqual(slack.received[0]?.body);
  });

  test('gets only alerts of its severity', async () => {
    const [all, critical] = [await jsonReceiver(), await jsonReceiver()];
    const ledger = await ledgerWith([
      { name: 'all', type: 'slack', url: all.url, minSeverity: 'info' },
      { name: 'critical', type: 'slack', url: critical.url, minSeverity: 'critical' },
    ]);
    await raiseAlert(ledger);
    ledger.setClock('2026-07-01T00:00:00.000Z');
    await until(() => critical.received.length === 1);
    await until(() => all.received.length >= 2);
    expect(critical.received[0]?.body.text).toMatch(/^:rotating_light: critical \*clock-untrusted\*/);
  });
});

describe('a channel of Alertmanager', () => {
  test('gets labels, annotations, and the end of an alert, as version 2 of its API has them', async () => {
    const alertmanager = await jsonReceiver();
    const ledger = await ledgerWith([{ name: 'am', type: 'alertmanager', url: `${alertmanager.url}/` }]);
    const id = await raiseAlert(ledger);
    const posted = () => alertmanager.received.flatMap(({ body }) => body);
    await until(() => posted().length > 0);
    expect(alertmanager.received[0]?.path).toBe('/api/v2/alerts');
    expect(posted()[0]).toEqual({
      labels: {
        alertname: 'event-rejected',
        severity: 'warning',
        subject: id.slice('event-rejected:'.length),
        cluster: 'c1',
        service: 'cluster-ledger',
      },
      annotations: {
        summary: expect.stringContaining('was refused: registration-conflict'),
        effect: expect.any(String),
        action: expect.any(String),
      },
      startsAt: expect.stringMatching(/^2026-04-15T12:0/),
    });
    await acknowledge(ledger, id);
    await until(() => posted().some(({ endsAt }) => endsAt !== undefined));
  });
});

describe('an alert about a log that takes no events', () => {
  test('reaches a channel once although it cannot be recorded: the log was altered', async () => {
    const slack = await jsonReceiver();
    const ledger = await ledgerWith([{ name: 'ops', type: 'slack', url: slack.url }]);
    await ledger.record(registered('c1', MARCH), registered('c2', MARCH));
    await ledger.close();
    const db = new DatabaseSync(ledger.storeFile);
    db.exec(`UPDATE log SET data = replace(data, '"acme"', '"acmf"') WHERE position = 1`);
    db.close();
    slack.status = 500;
    await ledger.open();
    const untilReceived = (count: number) =>
      until(() => {
        ledger.pass(1_000);
        return slack.received.length >= count;
      });
    await untilReceived(2);
    slack.status = 200;
    await untilReceived(3);
    expect(slack.received).toHaveLength(3);
    for (const { body } of slack.received)
      expect(body.text).toMatch(/^:rotating_light: critical \*log-tampered\*/);
  });

  test('reaches a channel although it cannot be recorded: acknowledged events are missing', async () => {
    const slack = await jsonReceiver();
    const ledger = await ledgerWith([{ name: 'ops', type: 'slack', url: slack.url }]);
    await ledger.record(registered('c1', MARCH));
    await putBackAfter(ledger, [ledger.storeFile], () => ledger.record(registered('c2', MARCH)));
    await ledger.open();
    await until(() => slack.received.length === 1);
    expect(slack.received[0]?.body.text).toMatch(/^:rotating_light: critical \*log-behind\*/);
    expect(ledger.logged.map(({ msg }) => msg)).toEqual([
      'acknowledged events are missing; the ledger is read-only',
    ]);
  });
});

test('webhooks and the feed have alerts when they are raised and resolved', async () => {
  const ledger = await ledgerWith([]);
  const id = await raiseAlert(ledger);
  const notices = async () =>
    (await ledger.get('/v1/feed?limit=1000')).body.events.filter(({ type }: { type: string }) =>
      type.includes('.alert.'),
    );
  await until(async () => (await notices()).length === 1);
  await acknowledge(ledger, id);
  await until(async () => (await notices()).length === 2);
  expect(await notices()).toMatchObject([
    { type: 'io.clusterledger.alert.raised.v1', subject: id, data: { alertId: id, kind: 'event-rejected' } },
    {
      type: 'io.clusterledger.alert.resolved.v1',
      subject: id,
      data: { resolvedAt: expect.stringMatching(/^2026-04-15T12:0/) },
    },
  ]);
});

test('a channel begins to get alerts from a place that is stored before any alert is announced, so that a crash loses none', async () => {
  const slack = await jsonReceiver();
  const silent = await ledgerForTest({ clockGoesOn: true, now: new Date().toISOString() });
  await raiseAlert(silent);
  await silent.close();
  const process = new LedgerProcess({
    LEDGER_DATA_DIR: silent.config.dataDir,
    LEDGER_ALERTS_ANNOUNCE: 'true',
    LEDGER_NOTIFICATIONS: JSON.stringify([{ name: 'ops', type: 'slack', url: slack.url }]),
  });
  onTestFinished(() => process.stop());
  await process.launch();
  await until(() => slack.received.length === 1);
  await process.stop();
  const streams: string[] = [];
  await silent.open();
  for await (const events of silent.rooms.store.readAll(0))
    streams.push(...events.map(({ stream }) => stream));
  expect(streams).toContain(NOTICES_STREAM);
  expect(streams.indexOf(NOTICES_STREAM)).toBeGreaterThan(streams.indexOf('consumer-notify-ops'));
});

test('an alert that is acknowledged until a time is silent until then, and is announced again after it', async () => {
  const slack = await jsonReceiver();
  const ledger = await ledgerWith([{ name: 'ops', type: 'slack', url: slack.url }]);
  await ledger.record(deleted('orphan', MARCH));
  ledger.pass(HOUR_MS);
  await until(() => slack.received.length === 1);
  const until2 = new Date(ledger.now + HOUR_MS).toISOString();
  const { body } = await acknowledge(ledger, 'orphan-facts:orphan', {
    until: until2,
    note: 'asked the customer',
  });
  expect([body.state, body.acknowledged.until]).toEqual(['acknowledged', until2]);
  const past = await acknowledge(ledger, 'orphan-facts:orphan', { until: MARCH });
  expect([past.status, past.body.errors[0].pointer]).toEqual([400, '/until']);
  ledger.pass(2 * HOUR_MS);
  await until(() => slack.received.length === 2);
  expect((await ledger.get('/v1/alerts/orphan-facts:orphan')).body.state).toBe('open');
  expect(slack.received[1]?.body.text).toContain('orphan-facts');
});
