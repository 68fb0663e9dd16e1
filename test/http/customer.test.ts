import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { verifyEvidence } from '../../src/audit/verify/verify-evidence.ts';
import { folderForTest, run } from '../cli/program.ts';
import { event, registered, resumed, stopped, voided } from '../support/cloud-events.ts';
import { publishedKeys } from '../support/evidence.ts';
import { bearer, createKey, sendAs } from '../support/keys.ts';
import { ledgerForTest, type TestLedger } from '../support/ledger.ts';
import { sharedLedger } from '../support/shared-ledger.ts';

const APRIL = 'period=2026-04';
let key = '';
let operator = '';
const ids = { secretRegistration: '', out: '', own: '' };

/**
 * The customer is `acme`. `moved-in` came from `secretco` on 10 March, `moved-out` went to `secretco` on 10 April, and
 * `secret-cluster` was never its own.
 */
const ledger = sharedLedger(async (it) => {
  const [own, secret] = await it.record(
    registered('own', '2026-03-20T00:00:00.000Z'),
    registered('secret-cluster', '2026-03-20T00:00:00.000Z', 'secretco'),
    registered('moved-in', '2026-03-12T00:00:00.000Z', 'secretco', { labels: { team: 'secret-team' } }),
    stopped('moved-in', '2026-03-14T00:00:00.000Z'),
    event('billing.resumed', 'moved-in', '2026-03-15T00:00:00.000Z', { cause: 'manual' }),
    event('cluster.changed', 'moved-in', '2026-03-25T00:00:00.000Z', { accountId: 'acme', name: 'ours' }),
    registered('moved-out', '2026-03-20T00:00:00.000Z'),
    event('cluster.changed', 'moved-out', '2026-04-10T00:00:00.000Z', {
      accountId: 'secretco',
      name: 'secret-name',
    }),
    event('cluster.unreachable', 'moved-out', '2026-04-12T00:00:00.000Z'),
    event('cluster.unreachable', 'own', '2026-04-12T00:00:00.000Z'),
    event('cluster.changed', 'moved-out', '2026-04-13T00:00:00.000Z', { labels: { team: 'later-team' } }),
  );
  ids.own = own?.eventId ?? '';
  ids.secretRegistration = secret?.eventId ?? '';
  await it.fetch('/v1/periods/2026-03/close', { method: 'POST' });
  operator = (await createKey(it, undefined, { role: 'operator' })).key;
  key = (await createKey(it, operator, { role: 'customer', accountId: 'acme' })).key;
});

const get = (path: string) => ledger().get(path, bearer(key));
const whatIf = (add: unknown[], remove?: string[]) =>
  sendAs(ledger(), key, 'POST', '/v1/accounts/acme/what-if', {
    period: '2026-04',
    add,
    ...(remove !== undefined && { remove }),
  });

describe('a customer', () => {
  test('gets no answer that names another account or anything of it', async () => {
    const paths = [
      ...[
        '/v1/clusters',
        '/v1/clusters/own',
        '/v1/clusters/moved-in',
        '/v1/clusters/moved-in/billing?asOf=4',
      ],
      ...['/v1/clusters/moved-in/billing', '/v1/clusters/moved-in/events', '/v1/accounts/acme', '/v1/alerts'],
      ...[`/v1/accounts/acme/usage?${APRIL}`, `/v1/accounts/acme/usage/explain?${APRIL}`],
      ...[`/v1/accounts/acme/replay?${APRIL}`, `/v1/accounts/acme/diff?${APRIL}&before=1`],
      ...['/v1/periods/2026-03/statements/acme', '/readyz', '/v1/me'],
    ];
    for (const path of paths) {
      const { status, text } = await get(path);
      expect(status, `${path}: ${text}`).toBe(200);
      expect(text, path).not.toMatch(/secretco|secret-name|secret-cluster/);
    }
  });

  test('gets 404 for a cluster that went to another account, and for one of another account', async () => {
    for (const cluster of ['moved-out', 'secret-cluster', 'never-seen']) {
      for (const part of ['', '/billing', '/events']) {
        const { status, body } = await get(`/v1/clusters/${cluster}${part}`);
        expect([status, body.detail]).toEqual([404, `cluster ${cluster} does not exist`]);
      }
    }
    expect((await get(`/v1/events/${ids.secretRegistration}`)).status).toBe(404);
    expect((await get(`/v1/events/${ids.own}`)).status).toBe(200);
    expect((await get('/v1/clusters?accountId=secretco')).status).toBe(404);
  });

  test('sees the facts and intervals of a cluster from its own time only', async () => {
    const events = await get('/v1/clusters/moved-in/events');
    expect(events.body.items.map(({ type }: { type: string }) => type)).toEqual([
      'io.clusterledger.cluster.changed.v1',
    ]);
    const { body } = await get('/v1/clusters/moved-in/billing');
    expect(body.intervals).toMatchObject([{ from: '2026-03-25T00:00:00.000Z', to: null, accountId: 'acme' }]);
    const before = await get('/v1/clusters/moved-in/billing?asOf=4');
    expect(before.body).toMatchObject({ accountId: null, intervals: [] });
  });

  test('sees in a replay that a transfer ended the use, without its data', async () => {
    const { text } = await get(`/v1/accounts/acme/replay?${APRIL}`);
    const lines = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const out = lines.find(({ fact }) => fact.subject === 'moved-out' && fact.type.includes('changed'));
    expect(out.delta.clusterSeconds).toMatch(/^-/);
    expect(out.fact).not.toHaveProperty('data');
    expect(lines.some(({ fact }) => fact.subject === 'moved-in' && fact.type.includes('registered'))).toBe(
      false,
    );
  });

  test('sees in the stream of events only the facts from its own time', async () => {
    const abort = new AbortController();
    const response = await fetch(`http://127.0.0.1:${ledger().port}/v1/stream?after=0`, {
      headers: bearer(key),
      signal: abort.signal,
    });
    let text = '';
    for await (const chunk of response.body as ReadableStream<Uint8Array>) {
      text += Buffer.from(chunk).toString();
      // The last fact of the account.
      if (text.includes('2026-04-12T00:00:00.000Z') && text.includes('"subject":"own"')) break;
    }
    abort.abort();
    expect(text).toContain('"subject":"moved-in"');
    expect(text).not.toMatch(/secretco|secret-name|secret-cluster|secret-team/);
  });

  test('sees alerts about its own clusters only', async () => {
    const { body } = await get('/v1/alerts');
    expect(body.items.map(({ id }: { id: string }) => id)).toEqual(['cluster-unreachable:own']);
    expect((await get('/v1/alerts/cluster-unreachable:moved-out')).status).toBe(404);
  });

  test('gets refusals of what-if that name no other account, and learns nothing of foreign clusters', async () => {
    const conflict = await whatIf([registered('moved-in', '2026-03-13T00:00:00.000Z')]);
    expect([conflict.status, conflict.body.detail]).toEqual([
      409,
      'the cluster belonged to another account at that time',
    ]);
    for (const [add, remove] of [
      [[registered('secret-cluster', '2026-04-01T00:00:00.000Z')], undefined],
      [[event('cluster.deleted', 'secret-cluster', '2026-04-01T00:00:00.000Z')], undefined],
      [[event('cluster.deleted', 'moved-out', '2026-04-01T00:00:00.000Z')], undefined],
      [[], [ids.secretRegistration]],
    ] as const) {
      const { status, text } = await whatIf([...add], remove === undefined ? undefined : [...remove]);
      expect(status, text).toBe(400);
      expect(text).not.toMatch(/secretco|secret-name/);
    }
    const free = await whatIf([registered('a-new-one', '2026-04-01T00:00:00.000Z')]);
    expect(free.status).toBe(200);
    expect(free.body.delta.billableClusters).toBe(1);
  });

  describe('evidence for a customer', () => {
    let march = '';
    beforeAll(async () => {
      march = (await get('/v1/accounts/acme/evidence?period=2026-03')).text;
    });

    test('has no clusters that its statement does not need', async () => {
      const all = (await ledger().get('/v1/accounts/acme/evidence?period=2026-03', bearer(operator))).text;
      const idsOf = (text: string) =>
        JSON.parse(text).evidence.clusters.map(({ clusterId }: { clusterId: string }) => clusterId);
      expect(idsOf(march)).toEqual(['moved-in', 'moved-out', 'own']);
      const { text: april } = await get(`/v1/accounts/acme/evidence?${APRIL}`);
      expect(idsOf(april)).toEqual(['moved-in', 'moved-out', 'own']);
      const { text: may } = await get('/v1/accounts/acme/evidence?period=2026-05');
      expect(idsOf(may)).toEqual(['moved-in', 'own']);
      expect(idsOf(all)).toEqual(['moved-in', 'moved-out', 'own']);
    });

    test('has no fact of the next owner that its figure does not need', async () => {
      const { text: april } = await get(`/v1/accounts/acme/evidence?${APRIL}`);
      const movedOut = (text: string) =>
        JSON.parse(text)
          .evidence.clusters.find(({ clusterId }: { clusterId: string }) => clusterId === 'moved-out')
          .facts.map(({ leaf }: { leaf: { type: string } }) => leaf.type);
      // The transfer ended the use in April. March ended before it.
      expect(movedOut(april)).toEqual(['ClusterRegistered.v2', 'ClusterChanged']);
      expect(movedOut(march)).toEqual(['ClusterRegistered.v2']);
      expect(april + march).not.toContain('later-team');
      expect(march).not.toContain('secret-name');
    });

    test('verifies offline', async () => {
      const folder = await folderForTest();
      const { text } = await get('/log/key');
      await writeFile(join(folder, 'ledger.key'), text);
      for (const period of ['2026-03', '2026-04']) {
        const file = join(folder, `${period}.json`);
        await writeFile(file, (await get(`/v1/accounts/acme/evidence?period=${period}`)).text);
        const { code, stdout, stderr } = await run(['verify', file, '--key', join(folder, 'ledger.key')]);
        expect([code, stderr], stdout).toEqual([0, '']);
      }
    });
  });
});

describe('a transfer to another account that was voided', () => {
  test('is not shown to the customer, who owned the cluster all the time', async () => {
    const it = await ledgerForTest();
    const [, wrong] = await it.record(
      registered('c1', '2026-03-01T00:00:00Z'),
      event('cluster.changed', 'c1', '2026-03-10T00:00:00Z', { accountId: 'secretco', name: 'secret-name' }),
    );
    await it.record(voided('c1', '2026-03-11T00:00:00Z', wrong?.eventId as string));
    const { key: by } = await createKey(it, undefined, { role: 'operator' });
    const { key: own } = await createKey(it, by, { role: 'customer', accountId: 'acme' });
    const { body, text } = await it.get('/v1/clusters/c1/events', bearer(own));
    expect(body.items.map(({ type }: { type: string }) => type)).toEqual([
      'io.clusterledger.cluster.registered.v1',
      'io.clusterledger.fact.voided.v1',
    ]);
    const { text: replay } = await it.get('/v1/accounts/acme/replay?period=2026-03', bearer(own));
    expect(text + replay).not.toMatch(/secretco|secret-name/);
    expect((await it.get(`/v1/events/${wrong?.eventId}`, bearer(own))).status).toBe(404);
  });
});

describe('a file of evidence that a customer downloads', () => {
  /** The keys of the log, of an operator and of a customer. */
  const keysOf = async (it: TestLedger) => {
    const keys = await publishedKeys(it);
    const { key: by } = await createKey(it, undefined, { role: 'operator' });
    return { keys, by, own: (await createKey(it, by, { role: 'customer', accountId: 'acme' })).key };
  };
  const evidenceFor = async (it: TestLedger, own: string) =>
    Buffer.from((await it.get('/v1/accounts/acme/evidence?period=2026-02', bearer(own))).text);

  test('proves an adjustment that names a stop after the end of all use', async () => {
    const it = await ledgerForTest();
    await it.record(registered('c1', '2026-01-01T00:00:00Z'));
    await closePeriod(it, '2026-01');
    const late = await it.record(
      registered('c2', '2026-01-01T00:00:00Z'),
      stopped('c2', '2026-01-10T00:00:00Z', 'missing'),
      stopped('c2', '2026-01-20T00:00:00Z', 'manual'),
    );
    const { keys, by, own } = await keysOf(it);
    await closePeriod(it, '2026-02', by);
    const { body } = await it.get('/v1/periods/2026-02/statements/acme', bearer(own));
    expect(body.adjustments[0].facts).toEqual(late.map(({ eventId }) => eventId));
    expect(verifyEvidence(await evidenceFor(it, own), { keys })).toMatchObject({ ok: true });
  });

  test('proves a statement without adjustments if the changes of two clusters cancel out', async () => {
    const it = await ledgerForTest();
    const [wrong] = await it.record(
      registered('wrong-id', '2026-01-01T00:00:00Z'),
      stopped('wrong-id', '2026-01-10T00:00:00Z'),
    );
    await closePeriod(it, '2026-01');
    await it.record(
      voided('wrong-id', '2026-02-01T00:00:00Z', wrong?.eventId as string),
      registered('right-id', '2026-01-01T00:00:00Z'),
      stopped('right-id', '2026-01-10T00:00:00Z'),
      resumed('right-id', '2026-02-10T00:00:00Z'),
    );
    const { keys, by, own } = await keysOf(it);
    await closePeriod(it, '2026-02', by);
    const { body } = await it.get('/v1/periods/2026-02/statements/acme', bearer(own));
    expect([body.usage.billableClusters, body.adjustments]).toEqual([1, []]);
    expect(verifyEvidence(await evidenceFor(it, own), { keys })).toMatchObject({ ok: true });
  });
});

async function closePeriod(it: TestLedger, period: string, by?: string): Promise<void> {
  const { status, text } = await sendAs(it, by, 'POST', `/v1/periods/${period}/close`, {});
  expect(status, text).toBeLessThan(300);
}
