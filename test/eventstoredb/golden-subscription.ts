import {
  type AllStreamSubscription,
  END,
  type EventStoreDBClient,
  START,
  type StreamSubscription,
  streamNameFilter,
} from '@eventstore/db-client';
import { expect } from 'vitest';
import { eventually } from '../support/until.ts';
import { call } from './golden-calls.ts';
import type { SubscribeStep } from './golden-case.ts';
import { errorAnswer } from './golden-errors.ts';
import type { AttemptNames, SeenEvent } from './golden-names.ts';

type Subscription = AllStreamSubscription | StreamSubscription;
type LogEntry = 'confirmation' | 'caughtUp' | 'checkpoint' | SeenEvent | { readonly error: unknown };

/**
 * Subscribes, appends what the case appends meanwhile, and waits until all has arrived that the case says.
 * @param isShared whether others write to the server, and so may bring checkpoints of which the case knows nothing.
 * @throws Disrupted the server is gone.
 */
export async function playSubscription(
  client: EventStoreDBClient,
  names: AttemptNames,
  step: SubscribeStep,
  isShared: boolean,
): Promise<void> {
  const expected = step.answer.log;
  const log: LogEntry[] = [];
  const countsCheckpoints = !isShared || expected.includes('checkpoint');
  const subscription = open(client, names, step, () => {
    if (countsCheckpoints && !log.includes('checkpoint')) log.push('checkpoint');
  });
  let disruption: unknown;
  subscription.on('confirmation', () => log.push('confirmation'));
  subscription.on('caughtUp', () => log.push('caughtUp'));
  subscription.on('data', ({ event }) => {
    if (event !== undefined) log.push(names.seen(event));
  });
  subscription.on('error', (error) => {
    try {
      log.push({ error: errorAnswer(error)['error'] });
    } catch (reason) {
      disruption = reason;
    }
  });

  const arrived = async (part: readonly unknown[]): Promise<void> => {
    await eventually(() => disruption ?? expect(log).toEqual(part));
    if (disruption !== undefined) throw disruption;
  };
  try {
    await arrived(expected.slice(0, lengthBeforeThen(step)));
    for (const append of step.then ?? []) await call(client, names, append);
    await arrived(expected);
  } finally {
    await subscription.unsubscribe();
  }
}

/** How much of the log is there before the appends of `then` add to it. */
function lengthBeforeThen({ then = [], answer: { log } }: SubscribeStep): number {
  const appended = new Set(then.flatMap(({ events }) => events));
  const first = log.findIndex((entry) => appended.has((entry as Partial<SeenEvent>).id ?? ''));
  return first === -1 ? log.length : first;
}

function open(
  client: EventStoreDBClient,
  names: AttemptNames,
  { stream, filter, from = START }: SubscribeStep,
  checkpointReached: () => void,
): Subscription {
  if (stream !== undefined) {
    const fromRevision = typeof from === 'number' ? BigInt(from) : from === END ? END : START;
    return client.subscribeToStream(names.stream(stream), { fromRevision });
  }
  const fromPosition = from === START || from === END ? from : names.position(String(from));
  const prefixes = [names.stream(filter ?? '')];
  const checkpoints = async (): Promise<void> => checkpointReached();
  return client.subscribeToAll({
    fromPosition,
    filter: streamNameFilter({ prefixes, checkpointReached: checkpoints }),
  });
}
