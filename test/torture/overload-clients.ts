/**
 * Clients that post facts, in a process of their own, so that what they do does not delay what others measure. Its argument is
 * `Clients` as JSON. It sends a `Posted` to its parent.
 */

import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client } from 'undici';
import { messageOf } from '../../src/util/message-of.ts';
import { inStructuredMode, type PostedEvent, registered, resumed, stopped } from '../support/cloud-events.ts';
import { runChild } from './run-child.ts';

/** Time of the first fact of each cluster. */
const BEGIN = Date.parse('2026-04-01T00:00:00.000Z');

export interface Clients {
  readonly url: string;
  /** Number of clients. Each has one connection, and posts as soon as its last post is answered. */
  readonly connections: number;
  readonly seconds: number;
  /** Part of the ids of their clusters. */
  readonly run: string;
  /** Whether a client that is refused waits as `Retry-After` says, and up to half as long again. */
  readonly waits: boolean;
}

/** The answers that the clients got. Durations are in milliseconds. */
export interface Posted {
  readonly recorded: number;
  /** Median and 99th percentile of the time until a fact was recorded, from the attempt that recorded it. */
  readonly median: number;
  readonly p99: number;
  readonly refused: number;
  readonly findings: readonly string[];
}

/** Runs clients. @throws if their process ends without a report */
export function postFrom(clients: Clients): Promise<Posted> {
  return runChild<Posted>(fileURLToPath(import.meta.url), clients);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const posted = await postFor(JSON.parse(process.argv[2] ?? '') as Clients);
  process.send?.(posted, () => process.exit(0));
}

async function postFor({ url, connections, seconds, run, waits }: Clients): Promise<Posted> {
  const end = performance.now() + seconds * 1_000;
  const times: number[] = [];
  const findings = new Set<string>();
  let refused = 0;
  const client = async (number: number) => {
    const connection = new Client(url);
    for (let n = 0; performance.now() < end; n++) {
      const begin = performance.now();
      const { status, retryAfter } = await post(connection, factOf(`${run}-${number}`, n));
      if (status === 201) times.push(performance.now() - begin);
      else if (status !== 503 && status !== 429) findings.add(`a post is answered ${status} ${retryAfter}`);
      else {
        refused++;
        const pause = Number(retryAfter);
        if (!(pause > 0)) findings.add('a refusal does not say when to come back');
        else if (waits) await wait(pause * 1_000 * (1 + Math.random() / 2));
      }
    }
    await connection.close();
  };
  await Promise.all(Array.from({ length: connections }, (_, number) => client(number)));
  times.sort((a, b) => a - b);
  const at = (part: number) => Math.round(times[Math.floor(times.length * part)] ?? 0);
  return { recorded: times.length, median: at(0.5), p99: at(0.99), refused, findings: [...findings] };
}

/** A cluster is registered, then stopped and resumed again and again: what the ledger holds of it stays small. */
function factOf(clusterId: string, n: number): PostedEvent {
  const time = new Date(BEGIN + n * 1_000).toISOString();
  if (n === 0) return registered(clusterId, time, 'acme');
  return n % 2 === 1 ? stopped(clusterId, time) : resumed(clusterId, time);
}

async function post(
  connection: Client,
  event: PostedEvent,
): Promise<{ readonly status: number; readonly retryAfter: unknown }> {
  const { headers, body } = inStructuredMode(event);
  const message = { method: 'POST', path: '/v1/events', headers: headers as Record<string, string> } as const;
  try {
    const answer = await connection.request({ ...message, body: String(body) });
    await answer.body.dump();
    return { status: answer.statusCode, retryAfter: answer.headers['retry-after'] };
  } catch (error) {
    return { status: 0, retryAfter: messageOf(error) };
  }
}
