import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { ConnectionFileError } from '../../src/eventstore/esdb/connection-settings.ts';
import { EsdbStore } from '../../src/eventstore/esdb/esdb-store.ts';
import type { Timings } from '../../src/eventstore/esdb/timings.ts';
import { StoreRefused, StoreUnavailable } from '../../src/eventstore/store-errors.ts';
import { type EventStoreDouble, startDouble } from '../eventstoredb/double.ts';
import { startProxy, type TcpProxy } from '../eventstoredb/tcp-proxy.ts';
import { startTlsProxy } from '../eventstoredb/tls-proxy.ts';
import { Authority } from '../support/pki.ts';
import { anEvent, collect, readLog, Watcher } from '../support/store-events.ts';
import { PATIENT } from '../support/stores.ts';
import { eventually, until } from '../support/until.ts';

/** Short, so that an outage is soon known. On a slow machine an answer may come too late, and is asked for again. */
const timings = { appendMs: 2_000, readMs: 2_000, confirmMs: 2_000, silenceMs: 2_000, outageMs: 2_000 };

interface Line {
  readonly level: 'info' | 'warn' | 'error';
  readonly message: string;
}

let double: EventStoreDouble;
let proxy: TcpProxy;
let lines: Line[];

beforeEach(async () => {
  double = await startDouble();
  proxy = await startProxy(double.port);
  lines = [];
});
afterEach(async () => {
  await proxy.close();
  await double.close();
});

function open(
  address = `127.0.0.1:${proxy.port}`,
  query = 'tls=false',
  limits: Timings = timings,
): EsdbStore {
  const at = (level: Line['level']) => (_: object, message: string) => lines.push({ level, message });
  const log = { info: at('info'), warn: at('warn'), error: at('error') };
  const store = new EsdbStore(`esdb://${address}?${query}`, {
    namespace: 'ledger',
    now: Date.now,
    log,
    timings: limits,
  });
  onTestFinished(() => store.close());
  return store;
}

/** Opens a store as a user, and follows its log. */
function openAsUser(): EsdbStore {
  const store = open(`billing:secret@127.0.0.1:${proxy.port}`);
  follow(store);
  return store;
}

function follow(store: EsdbStore): Watcher {
  const watcher = new Watcher(store);
  onTestFinished(() => watcher.stop());
  return watcher;
}

/** Appends an event, in several attempts if the server does not answer in time. */
const append = (store: EsdbStore, stream: string) => {
  const event = anEvent();
  return eventually(() => store.append(stream, [event], 'absent'));
};

/** Expects that an append is refused at once, and not that it fails because no answer came in time. */
const refused = (store: EsdbStore, stream: string) =>
  eventually(() => expect(store.append(stream, [anEvent()], 'absent')).rejects.toThrow(StoreRefused));

const warnings = () => lines.filter(({ level }) => level === 'warn');
const errors = () => lines.filter(({ level }) => level === 'error').map(({ message }) => message);

describe('a failure that only an operator can end', () => {
  test('is named once if the user may not read $all, and no append is accepted', async () => {
    double.deny('read $all');
    const store = openAsUser();
    await refused(store, 'a');
    await until(() => store.health().needsOperator === true);
    expect(store.health()).toMatchObject({ reachable: false, needsOperator: true });
    expect(store.health().detail).toContain('the user billing may not read $all');
    await expect(store.append('a', [anEvent()], 'absent')).rejects.toThrow('may not read $all');
    // Reads of streams succeed, and change nothing about that.
    for (let i = 0; i < 5; i++) {
      expect(await eventually(() => collect(store.readStream('a')))).toEqual([]);
      expect(store.health().needsOperator).toBe(true);
    }
    expect(double.arrivedWrites.filter(({ stream }) => !stream.endsWith('~probe'))).toEqual([]);
    expect(errors()).toHaveLength(1);
    double.deny();
    await append(store, 'a');
    await until(() => store.health().reachable);
  });

  test('is named if the user may not write, and ends when the user may', async () => {
    const store = openAsUser();
    await append(store, 'a');
    double.deny('write streams');
    await refused(store, 'b');
    await until(() => store.health().needsOperator === true);
    expect(store.health().detail).toContain('may not write to the streams of the ledger');
    expect(errors()).toHaveLength(1);
    double.deny();
    await until(() => store.health().reachable);
    await append(store, 'b');
  });

  test('does not affect other streams if it is a missing right on one stream', async () => {
    const store = openAsUser();
    await append(store, 'a');
    double.deny({ writeStream: 'ledger.b' });
    await refused(store, 'b');
    await append(store, 'c');
    await until(() => store.health().reachable);
    expect(errors()).toHaveLength(1);
  });

  test('is named if the server does not use TLS and the ledger does', async () => {
    const store = open(`127.0.0.1:${double.port}`, 'tls=true');
    follow(store);
    await until(() => store.health().needsOperator === true);
    expect(store.health().detail).toContain('does not use TLS: add tls=false');
    await expect(store.append('a', [anEvent()], 'absent')).rejects.toThrow('does not use TLS');
    expect(errors()).toHaveLength(1);
  });

  test('is named if the server uses TLS and the ledger does not, or does not trust it', async () => {
    const authority = new Authority('ca');
    const pair = authority.issue({ commonName: 'node', hosts: ['localhost', '127.0.0.1'] });
    const tls = await startTlsProxy(double.port, pair);
    onTestFinished(() => tls.close());
    const plain = open(`localhost:${tls.port}`);
    follow(plain);
    await until(() => plain.health().needsOperator === true);
    expect(plain.health().detail).toContain('requires TLS: remove tls=false');
    expect(errors()).toHaveLength(1);

    const untrusting = open(`localhost:${tls.port}`, 'tls=true');
    follow(untrusting);
    await until(() => untrusting.health().needsOperator === true);
    expect(untrusting.health().detail).toContain('the certificate of the server is not trusted');
    expect(errors()).toHaveLength(2);

    const folder = await mkdtemp(join(tmpdir(), 'ca-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const file = join(folder, 'ca.crt');
    await writeFile(file, authority.cert);
    const trusting = open(`localhost:${tls.port}`, `tls=true&tlsCaFile=${file}`);
    await append(trusting, 'a');
    expect(errors()).toHaveLength(2);
  });

  test('names the file of a certificate that is missing, or is none', async () => {
    const query = (file: string) => `tls=true&tlsCaFile=${file}`;
    expect(() => open('host', query('/nonexistent/ca.crt'))).toThrow(ConnectionFileError);
    expect(() => open('host', query('/nonexistent/ca.crt'))).toThrow(
      '/nonexistent/ca.crt, which does not exist',
    );
    expect(() => open('host', query(import.meta.filename))).toThrow('which is not a certificate');
  });
});

describe('a follower', () => {
  test('does not make the store count as out of reach if it is stopped while it has a batch', async () => {
    const store = open(undefined, undefined, PATIENT);
    await append(store, 'a');
    const stop = new AbortController();
    for await (const { events } of store.follow(0, stop.signal)) if (events.length > 0) stop.abort();
    expect(store.health().reachable).toBe(true);
  });

  test('is not necessary to find out that the log of the server can be read again', async () => {
    const store = open();
    await append(store, 'a');
    await eventually(() => readLog(store));
    proxy.stall();
    await eventually(() => expect(readLog(store)).rejects.toThrow(StoreRefused));
    proxy.resume();
    await until(() => store.health().reachable);
    expect(await eventually(() => readLog(store))).toHaveLength(1);
  });
});

describe('a server that is gone or hangs', () => {
  test.each([
    ['is gone', () => double.stop('killed'), () => double.start()],
    ['hangs', () => proxy.stall(), () => proxy.resume()],
  ])(
    'is known after a while if it %s: appends are then refused at once, until it is back',
    async (_, fail, heal) => {
      const store = open();
      const watcher = follow(store);
      await append(store, 'a');
      await watcher.until(({ seen }) => seen.length === 1);
      await until(() => store.health().reachable);
      const warned = warnings().length;
      await fail();
      await refused(store, 'b');
      // Nothing waits for the server any more.
      const arrived = double.arrivedWrites.length;
      for (let i = 0; i < 1_000; i++)
        await expect(store.append(`c-${i}`, [anEvent()], 'absent')).rejects.toThrow(StoreRefused);
      expect(double.arrivedWrites.slice(arrived).filter(({ stream }) => stream.includes('.c-'))).toEqual([]);
      await expect(collect(store.readStream('a'))).rejects.toThrow(StoreUnavailable);
      expect(store.health()).toMatchObject({ reachable: false, needsOperator: false });
      expect(warnings()).toHaveLength(warned + 1);
      await heal();
      await until(() => store.health().reachable);
      await append(store, 'd');
      await watcher.until(({ seen }) => seen.at(-1)?.stream === 'd');
      await until(() => lines.at(-1)?.message === 'the store can be reached again');
      expect(lines.at(-1)?.level).toBe('info');
    },
  );
});
