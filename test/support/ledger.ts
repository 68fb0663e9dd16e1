import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import type { z } from 'zod';
import { type Composition, compose } from '../../src/app/compose.ts';
import { snapshotFile } from '../../src/app/open-log.ts';
import { defaultKeyFile } from '../../src/audit/key-location.ts';
import { type Config, readConfig } from '../../src/config/config.ts';
import { KubefirstSettings } from '../../src/config/kubefirst-settings.ts';
import { LogSettings } from '../../src/config/log-settings.ts';
import type { LossAcceptance } from '../../src/ledger/loss-records.ts';
import {
  inBatchMode,
  inBinaryMode,
  inStructuredMode,
  type Message,
  type PostedEvent,
} from './cloud-events.ts';
import { BUSY } from './patient-fetch.ts';
import { double, PATIENT, sqlite } from './stores.ts';

/** An answer over HTTP; `body` is parsed if the content type is JSON. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests read answers of every shape, and fail if a field is missing.
  readonly body: any;
}

export interface LedgerOptions {
  /** Value of `LEDGER_STORE`. */
  readonly store?: string;
  /** Initial time of its clock. */
  readonly now?: string;
  /**
   * Whether its clock goes on with the real one; by default only the test moves it. A test that waits for a delivery needs it: if a
   * connection breaks, the next attempt is seconds later by the clock of the ledger.
   */
  readonly clockGoesOn?: boolean;
  /** Whether the clock is compared with that of the server of the store, which tests cannot move; by default not. */
  readonly comparesServerTime?: boolean;
  /** Further settings, as variables. */
  readonly environment?: Readonly<Record<string, string>>;
  /** How it listens to Kubefirst. */
  readonly kubefirst?: z.input<typeof KubefirstSettings>;
  /** How its log is signed. */
  readonly signedLog?: z.input<typeof LogSettings>;
}

/** Details of answers of a ledger whose store does not answer in time. Nothing was done. */
const UNANSWERED = /^the store (cannot be reached|does not answer for)/;

export const NOON = '2026-04-15T12:00:00.000Z';

/** A whole ledger as it runs for others: real HTTP on a port of its own, a real store, a clock that tests move. */
export class TestLedger {
  /** Time to which the test has moved the clock. */
  #movedTo: number;
  readonly #clockGoesOn: boolean;
  readonly #openedAt = performance.now();
  readonly #environment: Readonly<Record<string, string>>;
  readonly #kubefirst: LedgerOptions['kubefirst'];
  readonly #comparesServerTime: boolean;
  /** By how much the test has set the clock in total, in milliseconds. The monotonic clock does not have this. */
  #set = 0;
  #running: Composition | undefined;
  #port = 0;
  /** The loss that the next start accepts, as the running ledger asked for. */
  acceptedLoss: LossAcceptance | undefined;
  /** Why the ledger asked to be stopped. */
  failure: unknown;
  /** How its log is signed, from the next start on. */
  signedLog: LedgerOptions['signedLog'];
  /** Its log lines of level error and above. */
  readonly logged: Readonly<Record<string, unknown>>[] = [];

  constructor(
    dataDir: string,
    {
      store = sqlite.connection,
      now = NOON,
      kubefirst,
      signedLog,
      comparesServerTime = false,
      clockGoesOn = false,
      environment = {},
    }: LedgerOptions,
  ) {
    this.#clockGoesOn = clockGoesOn;
    this.#kubefirst = kubefirst;
    this.#comparesServerTime = comparesServerTime;
    this.#movedTo = Date.parse(now);
    this.signedLog = signedLog;
    this.#environment = {
      LEDGER_STORE: store,
      LEDGER_DATA_DIR: dataDir,
      LEDGER_HTTP_PORT: '0',
      // Announcements come at times that tests cannot know, and take positions.
      LEDGER_ALERTS_ANNOUNCE: 'false',
      LEDGER_NAMESPACE: `test-${randomUUID()}`,
      ...environment,
    };
  }

  /** Opens on the same data as before, on a new port. */
  async open(): Promise<void> {
    const config = readConfig(this.#environment);
    const onFailed = (error: unknown) => {
      this.failure = error;
    };
    const log = pino({ level: 'error' }, { write: (line) => void this.logged.push(JSON.parse(line)) });
    const acceptLoss = this.acceptedLoss;
    this.acceptedLoss = undefined;
    const onLossAccepted = (acceptance: LossAcceptance) => {
      this.acceptedLoss = acceptance;
    };
    const clocks = {
      now: () => this.now,
      monotonic: () => this.now - this.#set,
      ...(!this.#comparesServerTime && { serverTime: async () => undefined }),
    };
    // The server that all suites share has no faults, and is slow when they are many.
    const patience = this.#environment['LEDGER_STORE'] === double.connection && { timings: PATIENT };
    const accepting = acceptLoss !== undefined && { acceptLoss };
    const surroundings = { log, ...clocks, ...patience, onFailed, onLossAccepted, ...accepting };
    const audit = this.signedLog && { audit: LogSettings.parse(this.signedLog) };
    const kubefirst = this.#kubefirst && { kubefirst: KubefirstSettings.parse(this.#kubefirst) };
    this.#running = await compose({ ...config, ...audit, ...kubefirst }, surroundings);
    await this.#running.app.listen({ host: config.host, port: config.port });
    this.#port = (this.#running.app.server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    await running?.close();
  }

  async reopen(): Promise<void> {
    await this.close();
    await this.open();
  }

  /** The settings in its environment. */
  get config(): Config {
    return readConfig(this.#environment);
  }

  /** File in which its projections keep their snapshot. */
  get snapshotFile(): string {
    return snapshotFile(readConfig(this.#environment));
  }

  /** File of its store. @throws Error if the store is not the embedded one. */
  get storeFile(): string {
    const { store } = readConfig(this.#environment);
    if (store.kind !== 'sqlite') throw new Error('the store is not a file');
    return store.file;
  }

  /** File of the key that it generated. */
  get keyFile(): string {
    return defaultKeyFile(readConfig(this.#environment).dataDir);
  }

  get port(): number {
    return this.#port;
  }

  /** The rooms of the running ledger, for what cannot be seen from outside. */
  get rooms(): Composition {
    if (this.#running === undefined) throw new Error('the ledger is closed');
    return this.#running;
  }

  /** The clock of the ledger, in milliseconds since the epoch. */
  get now(): number {
    return this.#movedTo + (this.#clockGoesOn ? Math.floor(performance.now() - this.#openedAt) : 0);
  }

  /** Moves the clock on. */
  pass(ms: number): void {
    this.#movedTo += ms;
  }

  /** Sets the clock to another time, as an operator or a time server does. No time passes. */
  setClock(time: string): void {
    const ms = Date.parse(time) - this.now;
    this.#set += ms;
    this.#movedTo += ms;
  }

  /** Sends a request, again for as long as the ledger is busy because the machine gives its process no time. */
  async fetch(path: string, request: RequestInit = {}): Promise<Answer> {
    for (;;) {
      const answer = await this.fetchOnce(path, request);
      const detail = answer.body?.detail;
      // Nobody disturbs the server that all suites share: if it does not answer in time, the machine is slow.
      const isLate = this.#environment['LEDGER_STORE'] === double.connection && UNANSWERED.test(detail);
      if (!BUSY.test(detail) && !isLate) return answer;
      await wait(Number(answer.headers.get('retry-after')) * 1_000);
    }
  }

  /** Sends a request once. */
  async fetchOnce(path: string, request: RequestInit = {}): Promise<Answer> {
    const response = await fetch(`http://127.0.0.1:${this.#port}${path}`, { redirect: 'manual', ...request });
    const text = await response.text();
    const isJson = /^application\/(\w+\+)?json\b/.test(response.headers.get('content-type') ?? '');
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: isJson && text !== '' ? JSON.parse(text) : undefined,
    };
  }

  get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
    return this.fetch(path, { headers });
  }

  /** Posts to `/v1/events` what an event looks like in one of the three modes. */
  send({ headers, body }: Message): Promise<Answer> {
    return this.fetch('/v1/events', { method: 'POST', headers, ...(body !== undefined && { body }) });
  }

  post(event: PostedEvent): Promise<Answer> {
    return this.send(inStructuredMode(event));
  }

  postBinary(event: PostedEvent): Promise<Answer> {
    return this.send(inBinaryMode(event));
  }

  postBatch(events: readonly PostedEvent[]): Promise<Answer> {
    return this.send(inBatchMode(events));
  }

  /** Posts events one by one that must all be recorded, and gives the answers. */
  async record(...events: readonly PostedEvent[]): Promise<Recorded[]> {
    const answers: Recorded[] = [];
    for (const event of events) {
      const { status, body, text } = await this.post(event);
      if (status !== 201) throw new Error(`${event.type} was not recorded: ${status} ${text}`);
      answers.push(body);
    }
    return answers;
  }

  /** The position of the last event of the log, asked of the store itself. */
  head(): Promise<number> {
    return this.rooms.store.head();
  }
}

/** The answer to an event that was recorded, now or before. */
export interface Recorded {
  readonly outcome: 'appended' | 'duplicate';
  readonly eventId: string;
  readonly clusterId: string;
  readonly revision: number;
  readonly position: string;
  readonly recordedAt: string;
}

/** Opens a ledger in an empty folder. The caller closes it with `discard`. */
export async function openLedger(
  options: LedgerOptions = {},
): Promise<TestLedger & { discard(): Promise<void> }> {
  const dataDir = await mkdtemp(join(tmpdir(), 'ledger-test-'));
  const ledger = new TestLedger(dataDir, options);
  await ledger.open();
  const discard = async () => {
    await ledger.close();
    await rm(dataDir, { recursive: true, force: true });
  };
  return Object.assign(ledger, { discard });
}

/** A ledger for the test that is running; it is gone after it. */
export async function ledgerForTest(options: LedgerOptions = {}): Promise<TestLedger> {
  const ledger = await openLedger(options);
  onTestFinished(ledger.discard);
  return ledger;
}
