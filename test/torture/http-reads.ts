import { setTimeout as wait } from 'node:timers/promises';
import {
  deleted,
  inBatchMode,
  type PostedEvent,
  registered,
  resumed,
  stopped,
  voided,
} from '../support/cloud-events.ts';
import type { LedgerProcess } from '../support/ledger-process.ts';

/** How reads of one kind ended while the store was disturbed. */
export interface HttpReadCounts {
  /** In progress when a fault began, and answered by "try again" or by a connection that was cut. */
  interrupted: number;
  /** Begun during a fault, and answered so. */
  refused: number;
  /** The whole answer. */
  complete: number;
}

const CLUSTERS = 30;
const ACCOUNTS = 3;
/** Facts of the cluster with the long history. */
const LONG_FACTS = 600;
const LONG = 'long';
const PERIODS = ['2026-01', '2026-02', '2026-03'];
const LATER = new Set([429, 503]);
const MAX_CHARS = 300;

/** A request, with the answer that it has while nothing is wrong. */
interface Known {
  readonly path: string;
  readonly body: string;
}

/**
 * Clients that read a ledger in every way by HTTP. Nothing is written meanwhile, so that each answer must be the one that the ledger
 * gave before, to the byte.
 */
export class HttpReads {
  readonly counts = new Map<string, HttpReadCounts>();
  readonly wrong: string[] = [];
  readonly #ledger: LedgerProcess;
  readonly #known: ReadonlyMap<string, readonly Known[]>;
  #faultAt = Number.NEGATIVE_INFINITY;
  #isStopping = false;
  #running: Promise<unknown> = Promise.resolve();

  private constructor(ledger: LedgerProcess, known: ReadonlyMap<string, readonly Known[]>) {
    this.#ledger = ledger;
    this.#known = known;
    for (const kind of known.keys()) this.counts.set(kind, { interrupted: 0, refused: 0, complete: 0 });
  }

  /** Fills a ledger, and keeps its answers. */
  static async on(ledger: LedgerProcess): Promise<HttpReads> {
    const eventIds = await fill(ledger);
    const paths = pathsOf(eventIds);
    const known = new Map<string, Known[]>();
    for (const [kind, some] of Object.entries(paths)) {
      const ofKind: Known[] = [];
      for (const path of some) ofKind.push({ path, body: await bodyOf(ledger, path) });
      known.set(kind, ofKind);
    }
    for (const { path, body } of [...known.values()].flat())
      if ((await bodyOf(ledger, path)) !== body) throw new Error(`${path} has no answer that stays`);
    return new HttpReads(ledger, known);
  }

  get interrupted(): number {
    return [...this.counts.values()].reduce((sum, { interrupted }) => sum + interrupted, 0);
  }

  start(clients: number): void {
    this.#running = Promise.all(Array.from({ length: clients }, (_, client) => this.#read(client)));
  }

  /** Notes that a fault begins: the reads that are in progress now are interrupted if they fail. */
  faultBegins(): void {
    this.#faultAt = performance.now();
  }

  /** Lets every client finish what it reads. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#running;
  }

  /** Reads one kind after the other, each time another path of it, so that as many reads of each kind are in progress. */
  async #read(client: number): Promise<void> {
    const kinds = [...this.#known.entries()];
    for (let n = client; !this.#isStopping; n++) {
      const [kind, paths] = kinds[n % kinds.length] as [string, readonly Known[]];
      const { path, body } = paths[Math.floor(n / kinds.length) % paths.length] as Known;
      const counts = this.counts.get(kind) as HttpReadCounts;
      const beganAt = performance.now();
      const answer = await this.#fetch(path);
      if (answer === undefined || LATER.has(answer.status)) {
        if (beganAt <= this.#faultAt) counts.interrupted++;
        else counts.refused++;
        await wait(10);
      } else if (answer.status === 200 && answer.text === body) counts.complete++;
      else this.wrong.push(`${path}: ${answer.status} ${answer.text.slice(0, MAX_CHARS)}`);
    }
  }

  /** @returns `undefined` if the connection was cut. */
  async #fetch(path: string): Promise<{ readonly status: number; readonly text: string } | undefined> {
    try {
      const answer = await fetch(this.#ledger.url + path);
      return { status: answer.status, text: await answer.text() };
    } catch {
      return undefined;
    }
  }
}

/** Records facts, voids and rejected events, and closes months. @returns the ids of some events. */
async function fill(ledger: LedgerProcess): Promise<string[]> {
  const day = (of: number) => `2026-0${1 + (of % 3)}-${String(1 + (of % 28)).padStart(2, '0')}T00:00:00.000Z`;
  const facts: PostedEvent[] = [registered(LONG, '2026-01-01T00:00:00.000Z', 'account-0')];
  for (let i = 0; i < LONG_FACTS; i++) {
    const at = new Date(Date.parse('2026-01-02T00:00:00.000Z') + i * 3_600_000).toISOString();
    facts.push(i % 2 === 0 ? stopped(LONG, at) : resumed(LONG, at));
  }
  for (let i = 0; i < CLUSTERS; i++) {
    facts.push(registered(`c-${i}`, day(0), `account-${i % ACCOUNTS}`), stopped(`c-${i}`, day(3 * i)));
    if (i % 3 === 0) facts.push(deleted(`c-${i}`, '2026-03-30T00:00:00.000Z'));
  }
  const recorded = await post(ledger, facts);
  const eventIds = recorded.flatMap(({ eventId }) => (eventId === undefined ? [] : [eventId]));
  await post(ledger, [
    ...eventIds.slice(-5, -3).map((id, i) => voided(`c-${CLUSTERS - 1}`, day(5 + i), id)),
    ...Array.from({ length: 20 }, (_, i) => voided(`c-${i}`, day(9), eventIds[0] as string)),
  ]);
  for (const period of PERIODS) {
    await patientlyPost(`${ledger.url}/v1/periods/${period}/close`);
  }
  await patientlyPost(`${ledger.url}/log/checkpoint`);
  return eventIds;
}

async function post(ledger: LedgerProcess, facts: readonly PostedEvent[]): Promise<{ eventId?: string }[]> {
  const { headers, body } = inBatchMode(facts);
  const text = await patientlyPost(`${ledger.url}/v1/events`, { headers, body: body as string });
  return (JSON.parse(text) as { results: { eventId?: string }[] }).results;
}

/** Posts until the ledger can answer. @returns the text of the answer. */
async function patientlyPost(url: string, request: RequestInit = {}): Promise<string> {
  for (;;) {
    const answer = await fetch(url, { method: 'POST', ...request });
    const text = await answer.text();
    if (answer.ok) return text;
    if (!LATER.has(answer.status)) throw new Error(`${url}: ${answer.status} ${text}`);
    await wait(100);
  }
}

/** Paths by kind: what is answered from the store, and what is answered from memory. */
function pathsOf(eventIds: readonly string[]): Record<string, string[]> {
  const accounts = Array.from({ length: ACCOUNTS }, (_, i) => `/v1/accounts/account-${i}`);
  const clusters = [LONG, ...Array.from({ length: 5 }, (_, i) => `c-${i}`)].map((id) => `/v1/clusters/${id}`);
  const each = (places: readonly string[], rest: string) => places.map((place) => place + rest);
  return {
    'facts of a cluster': each(clusters, '/events?limit=1000'),
    'one fact': eventIds.slice(0, 20).map((id) => `/v1/events/${id}`),
    feed: ['/v1/feed?limit=1000&after=0', '/v1/feed?limit=100&after=300'],
    'rejected events': ['/v1/rejected-events?limit=100', '/v1/rejected-events?limit=7'],
    evidence: each(accounts, '/evidence?period=2026-02'),
    'tiles of the log': ['/log/tile/0/000', '/log/tile/0/001'],
    'entries of the log': ['/log/tile/entries/000', '/log/tile/entries/001'],
    'proofs of the log': [
      '/log/proof/inclusion?position=7&size=500',
      '/log/proof/consistency?from=100&to=500',
    ],
    explanations: each(accounts, '/usage/explain?period=2026-02'),
    replays: each(accounts, '/replay?period=2026-01'),
    differences: each(accounts, '/diff?period=2026-01&before=300'),
    usage: ['/v1/usage?period=2026-02', ...each(accounts, '/usage?period=2026-02&granularity=day')],
    statements: PERIODS.map((period) => `/v1/periods/${period}/statements`),
    clusters: each(clusters, ''),
    deletions: ['/v1/deletions'],
  };
}

async function bodyOf(ledger: LedgerProcess, path: string): Promise<string> {
  const answer = await fetch(ledger.url + path);
  const text = await answer.text();
  if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${text}`);
  return text;
}
