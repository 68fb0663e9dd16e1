/**
 * Ledgers as their users reach them: processes with settings, whose identities come from an issuer, behind a proxy, by HTTP and by
 * the command line.
 */

import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JWTPayload } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { run, words } from '../cli/program.ts';
import { kubeconfig } from '../kubernetes/probe/fleet.ts';
import { deleted, event, inStructuredMode, type PostedEvent, registered } from '../support/cloud-events.ts';
import { EventSourceClient } from '../support/event-source.ts';
import { freePorts } from '../support/eventstored.ts';
import { forgedTokens } from '../support/forged-tokens.ts';
import { Issuer, issuerKey } from '../support/issuer.ts';
import { bearer } from '../support/keys.ts';
import { LedgerProcess } from '../support/ledger-process.ts';
import { stores } from '../support/stores.ts';
import { eventually, until } from '../support/until.ts';
import { newReplicas } from '../torture/replicas.ts';

const AUDIENCE = 'cluster-ledger';
const MINUTE_MS = 60_000;
/** The address of the proxy, the only one whose `X-Forwarded-*` the ledgers believe. */
const PROXY = '127.0.0.5';
/** Requests that an identity may send in 10 seconds, and an address with wrong credentials. */
const RATE_LIMIT = 60;

const issuer = new Issuer(await Promise.all([issuerKey('RS256', 'rsa'), issuerKey('ES256', 'ec')]));
let folder: string;
/** Two replicas on one log. */
let one: LedgerProcess;
let two: LedgerProcess;
let proxy: Server;

const claims = (more: JWTPayload = {}): JWTPayload => {
  const at = Math.floor(Date.now() / 1_000);
  return { iss: issuer.url, aud: AUDIENCE, sub: 'ada', iat: at, exp: at + 600, roles: ['operator'], ...more };
};
const customerOf = (accountId: string) =>
  issuer.sign(claims({ sub: `of-${accountId}`, roles: ['customer'], account_id: accountId }));
/** An operator of one test: the requests of each identity are counted, and a test that waits sends many. */
const operatorOf = (test: string) => issuer.sign(claims({ sub: `operator of ${test}` }));
const oidc = () => ({ LEDGER_OIDC_ISSUER: issuer.url, LEDGER_OIDC_AUDIENCE: AUDIENCE });

beforeAll(async () => {
  await issuer.listen();
  folder = await mkdtemp(join(tmpdir(), 'ledger-outside-'));
  const [port] = (await freePorts(1)) as [number];
  const credentials = join(folder, 'kubeconfigs');
  await mkdir(credentials);
  // Nothing listens at this port: a cluster that is gone.
  await writeFile(
    join(credentials, 'gone'),
    kubeconfig({ server: `https://127.0.0.1:${port}` }, { token: 't' }),
  );
  const { connection } = stores.at(-1) as (typeof stores)[number];
  [one, two] = (await newReplicas(folder, connection, 2, {
    ...oidc(),
    LEDGER_HTTP_TRUST_PROXY: `[${PROXY}/32]`,
    LEDGER_HTTP_RATE_LIMIT: String(RATE_LIMIT),
    LEDGER_VALIDATOR_SCHEDULE: 'off',
    LEDGER_VALIDATOR_CREDENTIALS: JSON.stringify({ directory: credentials }),
    LEDGER_VALIDATOR_PROBE: JSON.stringify({ addresses: { allow: ['127.0.0.0/8'] } }),
    LEDGER_VALIDATOR_POLICY: JSON.stringify({ unreachableAfter: 1, unreachableFor: '0m' }),
  })) as [LedgerProcess, LedgerProcess];
  await Promise.all([one.start(), two.start()]);
  proxy = await proxyTo(one);
});
afterAll(async () => {
  await Promise.all([one, two].map((each) => each?.stop('SIGKILL')));
  proxy?.close();
  await issuer.close();
  await rm(folder, { recursive: true, force: true });
});

/** A proxy that connects from an address of its own, and adds what it knows of the client, as nginx and Envoy do. */
async function proxyTo(ledger: LedgerProcess): Promise<Server> {
  const server = createServer((incoming, outgoing) => {
    const forwarded = incoming.headers['x-forwarded-for'];
    const headers = {
      ...incoming.headers,
      'x-forwarded-for': [forwarded, incoming.socket.remoteAddress].filter(Boolean).join(', '),
      'x-forwarded-proto': 'https',
    };
    const { port } = new URL(ledger.url);
    const { method, url } = incoming;
    const sent = request(
      { port, host: '127.0.0.1', localAddress: PROXY, method, path: url, headers },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(outgoing);
      },
    );
    incoming.pipe(sent);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

/** Asks who the caller is, again while the ledger is busy. @param from the address of the client. @returns the status. */
async function statusFrom(port: number, from: string, headers: Record<string, string>): Promise<number> {
  const options = { port, host: '127.0.0.1', localAddress: from, path: '/v1/me', headers, agent: false };
  let status = 503;
  await until(async () => {
    const sent = request(options).end();
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    answer.resume();
    status = answer.statusCode ?? 0;
    return status !== 503;
  });
  return status;
}

interface Answered {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests read answers of every shape.
  readonly body: any;
}

async function send(
  ledger: LedgerProcess,
  token: string,
  method: string,
  path: string,
  body?: object,
): Promise<Answered> {
  const json = body !== undefined && { body: JSON.stringify(body) };
  const headers = { ...bearer(token), ...(body !== undefined && { 'content-type': 'application/json' }) };
  const answer = await ledger.fetch(path, { method, headers, ...json });
  const text = await answer.text();
  return { status: answer.status, body: text === '' ? undefined : JSON.parse(text) };
}

async function post(ledger: LedgerProcess, token: string, event: PostedEvent): Promise<void> {
  const { headers, body } = inStructuredMode(event);
  const answer = await ledger.fetch('/v1/events', {
    method: 'POST',
    headers: { ...headers, ...bearer(token) },
    body: String(body),
  });
  if (answer.status !== 201) throw new Error(`${answer.status} ${await answer.text()}`);
  await answer.arrayBuffer();
}

const recent = (minutes = 60) => new Date(Date.now() - minutes * MINUTE_MS).toISOString();

describe.concurrent('a ledger, from outside', () => {
  test('refuses a key within a minute after another replica has revoked it, and ends the stream that it reads', async () => {
    const operator = await operatorOf('revoked keys');
    const created = await send(one, operator, 'POST', '/v1/keys', { name: 'auditor', role: 'auditor' });
    const { id, key } = created.body;
    await until(async () => (await send(two, key, 'GET', '/v1/me')).status === 200);
    const stream = new EventSourceClient();
    expect((await stream.connect(`${two.url}/v1/stream`, bearer(key))).status).toBe(200);
    expect((await send(one, operator, 'POST', `/v1/keys/${id}/revoke`)).status).toBe(200);
    const revokedAt = performance.now();
    expect((await send(one, key, 'GET', '/v1/me')).status).toBe(401);
    await until(async () => (await send(two, key, 'GET', '/v1/me')).status === 401);
    await until(() => stream.isEnded);
    expect(performance.now() - revokedAt).toBeLessThan(MINUTE_MS);
  });

  test('lets tokens of its issuer in, and none of 60 and more forged ones', async () => {
    const { port } = proxy.address() as AddressInfo;
    expect(await statusFrom(port, '127.0.0.1', bearer(await operatorOf('forged tokens')))).toBe(200);
    const forged = Object.entries(await forgedTokens(issuer, claims()));
    expect(forged.length).toBeGreaterThanOrEqual(60);
    const accepted: string[] = [];
    // Each from an address of its own: one address may try only a few.
    for (const [n, [what, token]] of forged.entries()) {
      const authorization = /^bearer/i.test(token) ? token : `Bearer ${token}`;
      const status = await statusFrom(port, `127.0.2.${n + 1}`, { authorization });
      if (status !== 401) accepted.push(`${what}: ${status}`);
    }
    expect(accepted).toEqual([]);
  });

  test('believes the address of a client from its proxy only, and there only what the proxy itself has added', async () => {
    const { port } = proxy.address() as AddressInfo;
    const direct = Number(new URL(one.url).port);
    const lie = (n: number) => ({ ...bearer('wrong'), 'x-forwarded-for': `198.51.100.${n}` });
    for (const [to, from] of [
      [port, '127.0.3.1'],
      [direct, '127.0.3.2'],
    ] as const) {
      const statuses = new Set<number>();
      // A client that names another address in each request is the same client. All are sent at once, since the ledger counts those of
      // ten seconds, and again if a slow machine takes longer.
      await until(async () => {
        const lies = Array.from({ length: RATE_LIMIT + 6 }, (_, n) => statusFrom(to, from, lie(n)));
        for (const status of await Promise.all(lies)) statuses.add(status);
        return statuses.has(429);
      });
      expect(statuses).toEqual(new Set([401, 429]));
    }
    expect(await statusFrom(port, '127.0.3.3', lie(1))).toBe(401);
    expect(await statusFrom(port, '127.0.3.1', bearer(await operatorOf('lies')))).toBe(200);
  });

  test('believes its proxy, and nobody else, that a browser has used https', async () => {
    const operator = await operatorOf('browsers');
    const { body: created } = await send(one, operator, 'POST', '/v1/keys', { name: 'ada', role: 'auditor' });
    const page = `https://127.0.0.1:${new URL(one.url).port}`;
    const signIn = await one.fetch('/v1/session', {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: page },
      body: JSON.stringify({ key: created.key }),
    });
    const [cookie = ''] = signIn.headers.getSetCookie();
    expect(cookie).toMatch(/^__Host-ledger-session=.*; Secure$/);
    const secure = { cookie: cookie.split(';', 1)[0] ?? '' };
    // Without the prefix, another host of the site could have set it.
    const plain = {
      cookie: secure.cookie.replace('__Host-ledger-session', `ledger-session-${new URL(one.url).port}`),
    };
    const { port } = proxy.address() as AddressInfo;
    const direct = Number(new URL(one.url).port);
    expect(await statusFrom(port, '127.0.0.1', secure)).toBe(200);
    expect(await statusFrom(port, '127.0.0.1', plain)).toBe(401);
    const claimed = { ...plain, 'x-forwarded-proto': 'https' };
    expect(await statusFrom(direct, '127.0.0.1', claimed)).toBe(await statusFrom(direct, '127.0.0.1', plain));
  });

  test('deletes a cluster in two steps by its customer, with the application and the validator, to its verified end', async () => {
    const operator = await operatorOf('deletions');
    const [acme, globex] = [await customerOf('acme'), await customerOf('globex')];
    const gone = { name: 'production', connection: 'dir:gone' };
    await post(one, operator, registered('c1', recent(), 'acme', gone));
    await post(one, operator, registered('c2', recent(), 'acme', { name: 'staging' }));
    const path = '/v1/clusters/c1/deletions';
    const begun = await send(one, acme, 'POST', path, { reason: 'moved' });
    expect([begun.status, begun.body.requested.by]).toEqual([201, `${issuer.url}#of-acme`]);
    expect(begun.body.preview).toMatchObject({ name: 'production', account: 'acme' });
    const { deletionId, confirmationToken } = begun.body;
    const other = await send(one, acme, 'POST', '/v1/clusters/c2/deletions', {});
    const confirm = (token: string, fields: object = {}, ledger = one) =>
      send(ledger, token, 'POST', `${path}/${deletionId}/confirm`, {
        name: 'production',
        confirmationToken,
        ...fields,
      });
    const auditor = await issuer.sign(claims({ roles: ['auditor'] }));
    expect((await confirm(acme, { name: 'Production' })).status).toBe(400);
    expect((await confirm(acme, { confirmationToken: other.body.confirmationToken })).status).toBe(409);
    expect((await confirm(globex)).status).toBe(404);
    expect((await confirm(auditor)).status).toBe(403);
    const onOther = `/v1/clusters/c2/deletions/${other.body.deletionId}/confirm`;
    expect((await send(one, acme, 'POST', onOther, { name: 'staging', confirmationToken })).status).toBe(409);
    // The other replica learns of the cluster a little later.
    await eventually(async () => {
      const { status, body } = await confirm(acme, {}, two);
      expect([status, body.state]).toEqual([202, 'confirmed']);
    });
    for (const replica of [one, two])
      expect((await confirm(acme, {}, replica)).body.type).toBe(
        'urn:cluster-ledger:problem:deletion-token-invalid',
      );

    const feed = '/v1/feed?after=0&types=io.clusterledger.cluster.deletion-confirmed.v1';
    await eventually(async () => {
      const { events } = (await send(two, operator, 'GET', feed)).body;
      expect(events).toMatchObject([{ subject: 'c1', data: { deletionId } }]);
    });
    const application = await issuer.sign(claims({ sub: 'pro', roles: ['producer'] }));
    await post(one, application, deleted('c1', recent(0)));
    const state = async () => (await send(one, acme, 'GET', `${path}/${deletionId}`)).body.state;
    await until(async () => (await state()) === 'billing-stopped');
    const { id } = (await send(one, operator, 'POST', '/v1/validations', {})).body;
    await until(
      async () => (await send(one, operator, 'GET', `/v1/validations/${id}`)).body.state === 'completed',
    );
    await until(async () => (await state()) === 'verified-gone');
    expect((await confirm(acme)).status).toBe(409);
  });

  test('deletes by the command line, where nobody else deprovisions: the confirmation ends the bill', async () => {
    const environment = {
      LEDGER_DATA_DIR: join(folder, 'alone'),
      LEDGER_DELETION_MODE: 'ledger-only',
      LEDGER_LOG_LEVEL: 'fatal',
    };
    await mkdir(environment.LEDGER_DATA_DIR, { mode: 0o700 });
    let alone = new LedgerProcess(environment);
    const cli = (line: string) => run([...words(line), '--url', alone.url]);
    const asJson = async (line: string) => JSON.parse((await cli(`${line} --json`)).stdout);
    try {
      await alone.start();
      for (const id of ['c1', 'c2', 'c3'])
        await post(alone, '', registered(id, recent(), 'acme', { name: `${id}-name` }));
      const wrong = await cli('clusters delete c1 --name c1');
      expect([wrong.code, wrong.stdout]).toEqual([1, '']);
      expect(wrong.stderr).toContain('Billing ends with the confirmation');
      const done = await asJson('clusters delete c1 --name c1-name');
      expect(done).toMatchObject({ state: 'billing-stopped', clusterId: 'c1' });
      expect((await cli(`clusters cancel-deletion c1 ${done.deletionId}`)).stderr).toContain('is deleted');

      const late = await send(alone, '', 'POST', '/v1/clusters/c2/deletions', {});
      await post(alone, '', event('cluster.deletion-confirmed', 'c3', recent(0), { deletionId: 'd3' }));
      await alone.stop();
      // Three hours later.
      const later = 'const now = Date.now; Date.now = () => now() + 10_800_000';
      alone = new LedgerProcess({
        ...environment,
        NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(later)}`,
      });
      await alone.start();
      const { deletionId, confirmationToken } = late.body;
      const expired = await send(alone, '', 'POST', `/v1/clusters/c2/deletions/${deletionId}/confirm`, {
        name: 'c2-name',
        confirmationToken,
      });
      expect([expired.status, expired.body.detail]).toEqual([
        409,
        expect.stringContaining('the token expired at'),
      ]);
      const cancelled = await asJson(`clusters cancel-deletion c2 ${deletionId}`);
      expect(cancelled.state).toBe('cancelled');
      expect((await cli('clusters deletions c3')).stdout).toMatch(/ stuck /);
      expect((await cli('alerts list --kind deletion-stuck')).stdout).toContain('deletion-stuck');
    } finally {
      await alone.stop('SIGKILL');
    }
  });
});
