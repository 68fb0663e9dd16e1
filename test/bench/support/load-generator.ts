import { connect, type Socket } from 'node:net';
import { EventSource } from './events.ts';
import { percentile } from './measure.ts';

/**
 * A process of its own that keeps every connection busy with one request at a time. It speaks HTTP/1.1 over bare sockets,
 * so that on two cores as much as possible is left for what is measured; all contenders have the same one.
 */

export interface LoadOrder {
  readonly port: number;
  readonly connections: number;
  readonly seconds: number;
  readonly work: Work;
}
export type Work =
  | {
      readonly kind: 'events';
      readonly tag: string;
      readonly perRequest: number;
      /** Number of clusters that the events are about, in turn. */
      readonly clusters?: number;
    }
  | { readonly kind: 'get'; readonly paths: readonly string[] };

export interface LoadReport {
  /** Answered as they should be, within the time. */
  readonly requests: number;
  readonly seconds: number;
  readonly p50: number;
  readonly p99: number;
  /** The first answer that was none we wanted. */
  readonly wrong: string | undefined;
}

function makerOf(work: Work, port: number): () => string {
  const host = `Host: 127.0.0.1:${port}\r\n`;
  if (work.kind === 'get') {
    const requests = work.paths.map(
      (path) => `GET ${path} HTTP/1.1\r\n${host}Accept: application/json\r\n\r\n`,
    );
    let next = 0;
    return () => requests[next++ % requests.length] as string;
  }
  const { tag, perRequest, clusters } = work;
  const source = new EventSource(tag, Date.now(), clusters);
  const form = perRequest === 1 ? 'cloudevents' : 'cloudevents-batch';
  const head = `POST /v1/events HTTP/1.1\r\n${host}Content-Type: application/${form}+json\r\nContent-Length: `;
  return () => {
    // All of it is ASCII, so that the length of the text is its length in bytes.
    const body = perRequest === 1 ? source.next() : source.batch(perRequest);
    return `${head}${body.length}\r\n\r\n${body}`;
  };
}

/** One connection: a request, its answer, the next. */
class Connection {
  readonly #socket: Socket;
  readonly #nextRequest: () => string | undefined;
  readonly #answered: (status: number, ms: number, answer: Buffer) => void;
  #received: Buffer[] = [];
  #receivedBytes = 0;
  #expectedBytes = 0;
  #sentAt = 0;
  readonly over: Promise<void>;

  constructor(
    port: number,
    nextRequest: () => string | undefined,
    answered: (status: number, ms: number, answer: Buffer) => void,
  ) {
    this.#nextRequest = nextRequest;
    this.#answered = answered;
    this.#socket = connect({ host: '127.0.0.1', port, noDelay: true });
    this.over = new Promise((resolve, reject) => {
      this.#socket.on('close', () => resolve()).on('error', reject);
    });
    this.#socket.on('connect', () => this.#send()).on('data', (chunk) => this.#take(chunk));
  }

  #send(): void {
    const request = this.#nextRequest();
    if (request === undefined) {
      this.#socket.destroy();
      return;
    }
    this.#sentAt = performance.now();
    this.#socket.write(request, 'latin1');
  }

  #take(chunk: Buffer): void {
    this.#received.push(chunk);
    this.#receivedBytes += chunk.length;
    if (this.#expectedBytes === 0) {
      const answer = Buffer.concat(this.#received);
      this.#received = [answer];
      this.#expectedBytes = lengthOf(answer);
    }
    if (this.#expectedBytes === 0 || this.#receivedBytes < this.#expectedBytes) return;
    const answer =
      this.#received.length === 1 ? (this.#received[0] as Buffer) : Buffer.concat(this.#received);
    this.#received = [];
    this.#receivedBytes = this.#expectedBytes = 0;
    const status = Number(answer.toString('latin1', 9, 12));
    this.#answered(status, performance.now() - this.#sentAt, answer);
    this.#send();
  }
}

/** Returns the size of a whole answer in bytes; 0 if its head is incomplete. */
function lengthOf(answer: Buffer): number {
  const headEnd = answer.indexOf('\r\n\r\n');
  if (headEnd === -1) return 0;
  const head = answer.toString('latin1', 0, headEnd).toLowerCase();
  const at = head.indexOf('\r\ncontent-length: ');
  if (at === -1) throw new Error(`an answer without a length: ${head}`);
  return headEnd + 4 + Number.parseInt(head.slice(at + 18, at + 30), 10);
}

async function generate({ port, connections, seconds, work }: LoadOrder): Promise<LoadReport> {
  const nextRequest = makerOf(work, port);
  const wanted = work.kind === 'events' && work.perRequest === 1 ? 201 : 200;
  const latencies: number[] = [];
  let wrong: string | undefined;
  const start = performance.now();
  const end = start + seconds * 1_000;
  const answered = (status: number, ms: number, answer: Buffer) => {
    if (performance.now() > end) return;
    latencies.push(ms);
    const isWrong = status !== wanted || (wanted === 200 && answer.includes('"outcome":"rejected"'));
    if (isWrong) wrong ??= answer.toString('utf8').slice(0, 2_000);
  };
  const isOver = () => performance.now() >= end || wrong !== undefined;
  const open = Array.from(
    { length: connections },
    () => new Connection(port, () => (isOver() ? undefined : nextRequest()), answered),
  );
  await Promise.all(open.map(({ over }) => over));
  const sorted = Float64Array.from(latencies).sort();
  return {
    requests: latencies.length,
    seconds,
    p50: percentile(sorted, 0.5),
    p99: percentile(sorted, 0.99),
    wrong,
  };
}

process.on('message', (order: LoadOrder) => {
  void generate(order).then((report) => process.send?.(report));
});
process.on('disconnect', () => process.exit());
