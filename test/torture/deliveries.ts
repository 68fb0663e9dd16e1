import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LEDGER_SOURCE } from '../../src/domain/facts/cloud-event.ts';
import { readFeed } from '../fault/feed.ts';
import { Producers } from '../fault/producers.ts';
import type { LedgerProcess } from '../support/ledger-process.ts';
import { until } from '../support/until.ts';
import { createWebhook, disorderOf, MAX_PAUSE_MS, newReplicas, senderOf } from './replicas.ts';
import { WebhookReceiver } from './webhook-receiver.ts';

/** An EventStoreDB that can be stopped and started again. */
export interface RestartableServer {
  readonly url: string;
  readonly node: {
    stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
    start(): Promise<void>;
  };
}

export interface DeliveriesOptions {
  readonly server: RestartableServer;
  /** How often the server is restarted, and then the replica that sends is killed. */
  readonly count: number;
  readonly clients?: number;
  readonly progress?: (text: string) => void;
}

export interface DeliveriesReport {
  /** Restarts of the server; every second one is a kill. */
  readonly restarts: number;
  /** Kills of the replica that sent. */
  readonly kills: number;
  readonly facts: number;
  /** Messages that arrived, and how many of them arrived before. */
  readonly arrivals: number;
  readonly repeated: number;
  /** Longest time from a kill to the first message of the other replica, in milliseconds. */
  readonly longestTakeoverMs: number;
  readonly findings: readonly string[];
}

/**
 * Lets two replicas on one EventStoreDB send webhooks under load. In each round the server is restarted, and then the replica
 * that sends is killed and stays away until the other one sends. Every fact must arrive, those of a cluster in order, each with
 * the same id and body however often it comes, and the other replica must go on within 30 seconds.
 */
export async function tortureDeliveries(options: DeliveriesOptions): Promise<DeliveriesReport> {
  const { server, count, clients = 8, progress = () => undefined } = options;
  const folder = await mkdtemp(join(tmpdir(), 'ledger-deliveries-'));
  const receiver = await WebhookReceiver.start();
  const replicas = await newReplicas(folder, server.url, 2);
  try {
    await Promise.all(replicas.map((replica) => replica.start()));
    await createWebhook(replicas[0] as LedgerProcess, receiver.url);
    let turn = 0;
    const producers = new Producers(() => (replicas[turn++ % 2] as LedgerProcess).url);
    producers.start(clients, 'r');
    const more = async (messages: number) => {
      const before = receiver.messages.length;
      await until(() => receiver.messages.length >= before + messages);
    };
    let longestTakeoverMs = 0;
    for (let round = 0; round < count; round++) {
      await more(50);
      await server.node.stop(round % 2 === 0 ? 'SIGTERM' : 'SIGKILL');
      await server.node.start();
      await more(50);
      const sender = await senderOf(replicas);
      await sender.stop('SIGKILL');
      const killedAt = performance.now();
      await more(1);
      longestTakeoverMs = Math.max(longestTakeoverMs, Math.round(performance.now() - killedAt));
      await sender.start();
      progress(`${round + 1} of ${count} rounds, ${receiver.messages.length} facts arrived`);
    }
    await producers.stop();
    const findings = [...producers.wrong, ...(await missing(replicas, receiver, producers))];
    if (longestTakeoverMs > MAX_PAUSE_MS)
      findings.push(`the other replica went on only after ${longestTakeoverMs} ms`);
    const { arrivals, messages } = receiver;
    return {
      restarts: count,
      kills: count,
      facts: producers.acknowledged.length,
      arrivals,
      repeated: arrivals - messages.length,
      longestTakeoverMs,
      findings,
    };
  } finally {
    await Promise.all(replicas.map((replica) => replica.stop('SIGKILL')));
    await receiver.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Waits until the receiver has every fact of the log. @returns what is wrong with what it has */
async function missing(
  replicas: readonly LedgerProcess[],
  receiver: WebhookReceiver,
  producers: Producers,
): Promise<string[]> {
  const feed = await readFeed(replicas[0] as LedgerProcess);
  const ids = new Set(
    feed.filter(({ source }) => source !== LEDGER_SOURCE).map((fact) => fact.ledgereventid),
  );
  const lost = producers.acknowledged.filter(({ eventId }) => !ids.has(eventId));
  await until(() => receiver.hasAll(ids));
  return [...lost.map(({ eventId }) => `the acknowledged fact ${eventId} is lost`), ...disorderOf(receiver)];
}
