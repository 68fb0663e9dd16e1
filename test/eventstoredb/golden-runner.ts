import { setTimeout as delay } from 'node:timers/promises';
import { type EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import { expect } from 'vitest';
import { eventually } from '../support/until.ts';
import { call } from './golden-calls.ts';
import type { CallStep, GoldenAnswer, GoldenCase } from './golden-case.ts';
import { Disrupted, errorAnswer } from './golden-errors.ts';
import { AttemptNames } from './golden-names.ts';
import { playSubscription } from './golden-subscription.ts';

/** How long a case is repeated while the server comes and goes, in ms. */
const REPEATS_FOR_MS = 240_000;

/** Longest wait for one call before the server counts as gone: a pending append never ends without an answer. */
const CALL_TIMEOUT_MS = 60_000;

const PAUSE_BETWEEN_ATTEMPTS_MS = 200;

/** More events than the server looks at between two checkpoints: the recorded server had seen use, too. */
const FORMER_EVENTS = 64;

/** Gives the server a past, so that a subscription to $all from the start meets a checkpoint. */
export async function writePast(client: EventStoreDBClient): Promise<void> {
  const events = Array.from({ length: FORMER_EVENTS }, (_, index) =>
    jsonEvent({ type: 'past', data: { index } }),
  );
  await untilUndisturbed(async () => {
    try {
      await client.appendToStream(new AttemptNames().stream('past'), events);
    } catch (error) {
      errorAnswer(error);
      throw error;
    }
  });
}

/**
 * Plays a case and compares each answer with the recorded one; from scratch, when the server goes away meanwhile.
 * @param isShared whether others write to the server.
 */
export async function playCase(
  client: EventStoreDBClient,
  { steps }: GoldenCase,
  isShared: boolean,
): Promise<void> {
  await untilUndisturbed(async () => {
    const names = new AttemptNames();
    for (const [i, step] of steps.entries()) {
      if (step.op === 'subscribe') await playSubscription(client, names, step, isShared);
      else if (isShared && revives(steps.slice(0, i))) await eventually(() => playCall(client, names, step));
      else await playCall(client, names, step);
    }
  });
}

/**
 * Whether the last call wrote to a stream that was soft-deleted. The server then appends the event first and, after it, the metadata
 * that ends the deletion (`SoftUndeleteStream` in its `StorageWriterService`), so a read between the two finds no stream.
 */
function revives(before: GoldenCase['steps']): boolean {
  return before.at(-1)?.op === 'append' && before.at(-2)?.op === 'softDelete';
}

async function playCall(
  client: EventStoreDBClient,
  names: AttemptNames,
  step: CallStep & { readonly answer: GoldenAnswer },
): Promise<void> {
  const { samePositionAs, ...answer } = step.answer;
  const given = await inTime(call(client, names, step));
  expect(withoutPosition(given)).toEqual(answer);
  if (typeof samePositionAs === 'string') {
    expect(given['position']).toEqual(names.position(samePositionAs));
  }
}

/** Most cases say nothing of the position. */
function withoutPosition({ position: _, ...answer }: GoldenAnswer): GoldenAnswer {
  return answer;
}

async function inTime<T>(answer: Promise<T>): Promise<T> {
  const timer = new AbortController();
  const late = delay(CALL_TIMEOUT_MS, undefined, timer).then(() => {
    throw new Disrupted('no answer in time');
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    timer.abort();
    late.catch(() => undefined);
  }
}

async function untilUndisturbed(attempt: () => Promise<void>): Promise<void> {
  const deadline = Date.now() + REPEATS_FOR_MS;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof Disrupted) || Date.now() > deadline) throw error;
      await delay(PAUSE_BETWEEN_ATTEMPTS_MS);
    }
  }
}
