import { GossipService, type IGossipServer } from '@eventstore/db-client/generated/gossip_grpc_pb.js';
import {
  type IServerFeaturesServer,
  ServerFeaturesService,
} from '@eventstore/db-client/generated/serverfeatures_grpc_pb.js';
import { type IStreamsServer, StreamsService } from '@eventstore/db-client/generated/streams_grpc_pb.js';
import { Server } from '@grpc/grpc-js';
import { BatchAppendCall } from './double/batch-append.ts';
import { clusterInfo, type Member, supportedMethods } from './double/cluster-services.ts';
import { softDelete, tombstone } from './double/deletes.ts';
import {
  type ArrivedWrite,
  type Denial,
  Faults,
  type ReadFailure,
  type WriteFailure,
} from './double/faults.ts';
import { Listener } from './double/listener.ts';
import { EventLog } from './double/log.ts';
import type { Node } from './double/node.ts';
import { OpenReads } from './double/open-reads.ts';
import { read } from './double/reads.ts';
import type { ProposedEvent } from './double/records.ts';
import { appendSingly } from './double/single-append.ts';
import { SubscriptionControl, type SubscriptionEnd } from './double/subscription-control.ts';

export interface DoubleOptions {
  /** Default: any free port. */
  readonly port?: number;
  /** Longest append, in bytes of event data. Default 1 MiB, as the server's. */
  readonly maxAppendSize?: number;
  /** How long an unfinished or bad append is kept on the batch path, in ms. Default 2000, as the server's. */
  readonly writeTimeoutMs?: number;
  /** The members that gossip lists. Default: this node, as the leader. */
  readonly members?: readonly Member[];
}

/** An EventStoreDB 23.10.6 node in this process, for the real client to talk to. */
export interface EventStoreDouble {
  /** `esdb://127.0.0.1:PORT?tls=false` */
  readonly url: string;
  readonly port: number;
  /** The stored events. They survive restarts. */
  readonly log: EventLog;
  /** All writes that arrived, in the order in which they were handled. */
  readonly arrivedWrites: readonly ArrivedWrite[];
  /** How many subscriptions are open. */
  readonly subscriptionCount: number;
  /** Where each subscription so far began. */
  readonly subscriptionStarts: readonly (bigint | 'end')[];
  /** How many stored events subscriptions have made the server look at so far. */
  readonly eventsConsidered: number;
  /** The members that gossip lists. A test may set them. */
  members: readonly Member[];

  /** Takes appends and deletes but answers none, as during an election. Default: does not store them either. */
  stopAnsweringWrites(how?: { applied: boolean }): void;
  /** Answers those that come from now on; the others stay unanswered. */
  answerWrites(): void;
  /** Answers one write with a failure, in the order of the calls. Default: does not store it either. */
  failNextWrite(failure: WriteFailure, how?: { applied: boolean }): void;
  /** Ends one read or subscription with a failure before it delivers anything, in the order of the calls. */
  failNextRead(failure: ReadFailure): void;
  /** Ends all reads in progress with a failure, wherever they are. */
  failReadsInProgress(failure: ReadFailure): void;
  /** Denies the user these rights from now on, and all others no longer. */
  deny(...denied: readonly Denial[]): void;
  /** Lets reads and subscriptions from now on see the log of another node, such as one that lags behind. */
  readLogOf(other: EventStoreDouble): void;

  /** Ends all subscriptions. Default: as if they were complete. */
  endSubscriptions(how?: SubscriptionEnd): void;
  /** Keeps all subscriptions open and says nothing more on them; with `newOnesToo` confirms new ones, and no more. */
  silenceSubscriptions(how?: { newOnesToo: boolean }): void;
  /** Serves new subscriptions; those silenced stay so. */
  serveSubscriptions(): void;

  /** Ends the node: `'stopped'` as by SIGTERM, which resets its calls, `'killed'` as by SIGKILL, which cuts its connections. */
  stop(how?: 'stopped' | 'killed'): Promise<void>;
  /** Starts it again on its port, with its log, without its memory of event ids. */
  start(): Promise<void>;
  /** `stop`, then `start`. */
  restart(how?: 'stopped' | 'killed'): Promise<void>;
  close(): Promise<void>;
}

/** The server takes requests of 16 MiB; the client sends at most 3 MiB. */
const LARGEST_MESSAGE = 16 * 1_024 * 1_024;

const MAX_APPEND_SIZE = 1_024 * 1_024;
const WRITE_TIMEOUT_MS = 2_000;

export async function startDouble(options: DoubleOptions = {}): Promise<EventStoreDouble> {
  const double = new Double(options);
  await double.start();
  return double;
}

class Double implements EventStoreDouble, Node {
  readonly log = new EventLog();
  readableLog: EventLog = this.log;
  readonly faults = new Faults();
  readonly reads = new OpenReads();
  readonly subscriptions = new SubscriptionControl();
  readonly maxAppendSize: number;
  readonly writeTimeoutMs: number;
  readonly #listener: Listener;
  #members: readonly Member[] | undefined;
  #server: Server | undefined;
  #hasStarted = false;

  constructor({ port = 0, maxAppendSize, writeTimeoutMs, members }: DoubleOptions) {
    this.maxAppendSize = maxAppendSize ?? MAX_APPEND_SIZE;
    this.writeTimeoutMs = writeTimeoutMs ?? WRITE_TIMEOUT_MS;
    this.#members = members;
    this.#listener = new Listener(port);
  }

  get port(): number {
    return this.#listener.port;
  }

  get url(): string {
    return `esdb://127.0.0.1:${this.port}?tls=false`;
  }

  get arrivedWrites(): readonly ArrivedWrite[] {
    return this.faults.arrivedWrites;
  }

  get subscriptionCount(): number {
    return this.subscriptions.count;
  }

  get subscriptionStarts(): readonly (bigint | 'end')[] {
    return this.subscriptions.starts;
  }

  get eventsConsidered(): number {
    return this.subscriptions.considered;
  }

  get members(): readonly Member[] {
    return this.#members ?? [{ host: '127.0.0.1', port: this.port, state: 'leader', isAlive: true }];
  }

  set members(members: readonly Member[]) {
    this.#members = members;
  }

  /** As on 23.10 only the data counts: metadata and type do not. */
  isTooLarge(events: readonly ProposedEvent[]): boolean {
    return events.reduce((bytes, event) => bytes + event.data.byteLength, 0) > this.maxAppendSize;
  }

  stopAnsweringWrites({ applied } = { applied: false }): void {
    this.faults.stopAnsweringWrites(applied);
  }

  answerWrites(): void {
    this.faults.answerWrites();
  }

  failNextWrite(failure: WriteFailure, { applied } = { applied: false }): void {
    this.faults.failNextWrite(failure, applied);
  }

  failNextRead(failure: ReadFailure): void {
    this.faults.failNextRead(failure);
  }

  failReadsInProgress(failure: ReadFailure): void {
    this.reads.failAll(failure);
  }

  deny(...denied: readonly Denial[]): void {
    this.faults.denied = denied;
  }

  readLogOf(other: EventStoreDouble): void {
    this.readableLog = other.log;
  }

  endSubscriptions(how: SubscriptionEnd = 'as if complete'): void {
    this.subscriptions.endAll(how);
  }

  silenceSubscriptions({ newOnesToo } = { newOnesToo: false }): void {
    this.subscriptions.silenceAll(newOnesToo);
  }

  serveSubscriptions(): void {
    this.subscriptions.letSpeak();
  }

  async start(): Promise<void> {
    if (this.#hasStarted) this.log.startEpoch();
    this.#hasStarted = true;
    this.#server = this.#createServer();
    await this.#listener.open(this.#server);
  }

  async stop(how: 'stopped' | 'killed' = 'stopped'): Promise<void> {
    await this.#listener.close(how);
    this.#server?.forceShutdown();
    this.#server = undefined;
  }

  async restart(how: 'stopped' | 'killed' = 'stopped'): Promise<void> {
    await this.stop(how);
    await this.start();
  }

  close(): Promise<void> {
    return this.stop('killed');
  }

  #createServer(): Server {
    const server = new Server({
      'grpc.max_receive_message_length': LARGEST_MESSAGE,
      interceptors: [this.#listener.interceptor],
    });
    const streams: IStreamsServer = {
      batchAppend: (call) => new BatchAppendCall(this, call),
      append: (call, reply) => appendSingly(this, call, reply),
      read: (call) => read(this, call),
      delete: (call, reply) => softDelete(this, call, reply),
      tombstone: (call, reply) => tombstone(this, call, reply),
    };
    const features: IServerFeaturesServer = {
      getSupportedMethods: (_call, reply) => reply(null, supportedMethods()),
    };
    const gossip: IGossipServer = { read: (_call, reply) => reply(null, clusterInfo(this.members)) };
    server.addService(StreamsService, streams);
    server.addService(ServerFeaturesService, features);
    server.addService(GossipService, gossip);
    return server;
  }
}
