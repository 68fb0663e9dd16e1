import type { ServerResponse } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { addGauge } from '../metrics/gauge.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { App } from './app.ts';
import { Problem } from './problem.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether a request of the route may compute much, so that few of them are answered at once. By default not. */
    isHeavy?: boolean | ((query: unknown) => boolean);
  }
  interface FastifyRequest {
    /** The turn of a heavy read; only requests of heavy routes have one. */
    turn: HeavyTurn | undefined;
  }
}

/** Maximum number of heavy reads that compute at once. */
const MAX_RUNNING = 4;
/** Maximum number of heavy reads in progress: those that compute, wait in line, or wait for their client to read. */
const MAX_IN_PROGRESS = 64;
const RETRY_AFTER_S = 2;
/** Maximum time that a heavy read may continue while the ledger shuts down. A client that has stopped reading would block it. */
const SHUTDOWN_GRACE_MS = 5_000;

/** Thrown into the computation of an answer whose client has disconnected. */
export class ClientGone extends Error {
  override readonly name = 'ClientGone';

  constructor() {
    super('the client has disconnected');
  }
}

/** Lets few heavy reads compute at once; the others wait in line. */
class HeavyReads {
  readonly #first: (() => void)[] = [];
  /** Reads that go on after their client has read what they had. They come before those that have not begun. */
  readonly #next: (() => void)[] = [];
  /** The answers in progress. */
  readonly answers = new Set<ServerResponse>();
  #running = 0;

  /** Returns a turn once there is one. @throws Problem `overloaded` if too many are in progress; ClientGone */
  async begin(answer: ServerResponse, signal: AbortSignal): Promise<HeavyTurn> {
    if (this.answers.size >= MAX_IN_PROGRESS) {
      const detail =
        'too many reads that compute much are in progress; ask again later, or for a smaller window';
      throw new Problem('overloaded', detail, { retryAfterSeconds: RETRY_AFTER_S });
    }
    this.answers.add(answer);
    await this.#take(this.#first, signal);
    return new HeavyTurn(signal, {
      pause: () => this.#leave(),
      resume: () => this.#take(this.#next, signal),
    });
  }

  async #take(line: (() => void)[], signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#running < MAX_RUNNING) {
      this.#running++;
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const leave = () => {
      const index = line.indexOf(resolve);
      // Otherwise it was handed its place just now.
      if (index !== -1) line.splice(index, 1);
      reject(signal.reason as Error);
    };
    line.push(resolve);
    signal.addEventListener('abort', leave, { once: true });
    await promise.finally(() => signal.removeEventListener('abort', leave));
  }

  /** Hands the place to the next in line. */
  #leave(): void {
    const next = this.#next.shift() ?? this.#first.shift();
    if (next === undefined) this.#running--;
    else next();
  }
}

/** The turn of one heavy read. It is given up while the client reads, so that slow clients do not keep others waiting. */
export class HeavyTurn {
  /** Aborted if the client has disconnected. */
  readonly signal: AbortSignal;
  readonly #line: { readonly pause: () => void; readonly resume: () => Promise<void> };
  #state: 'running' | 'paused' | 'ended' = 'running';

  constructor(
    signal: AbortSignal,
    line: { readonly pause: () => void; readonly resume: () => Promise<void> },
  ) {
    this.signal = signal;
    this.#line = line;
  }

  /** Lets others compute. */
  pause(): void {
    if (this.#state !== 'running') return;
    this.#state = 'paused';
    this.#line.pause();
  }

  /** Waits until this read may compute again. @throws ClientGone */
  async resume(): Promise<void> {
    if (this.#state === 'running') return;
    await this.#line.resume();
    if (this.#state === 'paused') this.#state = 'running';
    else this.#line.pause();
    this.signal.throwIfAborted();
  }

  end(): void {
    this.pause();
    this.#state = 'ended';
  }
}

/** Bounds how many requests of heavy routes compute at once, and ends the computation of a client that is gone. */
export function boundHeavyReads(app: App, { registry }: Metrics): void {
  const reads = new HeavyReads();
  addGauge(
    registry,
    'ledger_heavy_reads',
    'Number of requests in progress that compute much, with those that wait for their turn or their client',
    () => reads.answers.size,
  );
  app.decorateRequest('turn', undefined);
  const takeTurn = async (request: FastifyRequest, { raw }: FastifyReply) => {
    // A client that is gone closes no answer again.
    if (raw.destroyed) throw new ClientGone();
    const gone = new AbortController();
    raw.once('close', () => {
      reads.answers.delete(raw);
      gone.abort(new ClientGone());
      request.turn?.end();
    });
    request.turn = await reads.begin(raw, gone.signal);
    // The answer was closed while its turn came.
    if (gone.signal.aborted) request.turn.end();
  };
  app.addHook('preHandler', (request, reply, done) => {
    const { isHeavy = false } = request.routeConfig;
    if (!(typeof isHeavy === 'function' ? isHeavy(request.query) : isHeavy)) return done();
    takeTurn(request, reply).then(() => done(), done);
  });
  app.addHook('preClose', async () => {
    setTimeout(() => {
      for (const answer of reads.answers) answer.destroy(new Error('the ledger is closing'));
    }, SHUTDOWN_GRACE_MS).unref();
  });
}
