import { END, type EventStoreDBClient, type ReadRevision, START } from '@eventstore/db-client';
import type {
  AppendStep,
  CallStep,
  DeleteStep,
  GoldenAnswer,
  GoldenExpected,
  ReadAllStep,
  ReadStep,
} from './golden-case.ts';
import { errorAnswer } from './golden-errors.ts';
import type { AttemptNames, SeenEvent } from './golden-names.ts';

/**
 * Makes one call of a case and returns its answer in the format of the cases.
 * @throws Disrupted the server is gone.
 */
export async function call(
  client: EventStoreDBClient,
  names: AttemptNames,
  step: CallStep,
): Promise<GoldenAnswer> {
  try {
    switch (step.op) {
      case 'append':
        return await append(client, names, step);
      case 'read':
        return { events: await read(client, names, step) };
      case 'readAll':
        return { events: await readAll(client, names, step) };
      case 'softDelete':
      case 'tombstone':
        return await remove(client, names, step);
      case 'setMetadata': {
        const { nextExpectedRevision } = await client.setStreamMetadata(
          names.stream(step.stream),
          step.metadata,
        );
        return { next: Number(nextExpectedRevision) };
      }
    }
  } catch (error) {
    return errorAnswer(error);
  }
}

async function append(
  client: EventStoreDBClient,
  names: AttemptNames,
  { stream, events, expected, as }: AppendStep,
): Promise<GoldenAnswer> {
  const { nextExpectedRevision, position } = await client.appendToStream(
    names.stream(stream),
    events.map((event) => names.event(event)),
    { expectedRevision: revision(expected) },
  );
  if (as !== undefined) names.markPosition(as, position);
  return { next: Number(nextExpectedRevision), position };
}

async function read(client: EventStoreDBClient, names: AttemptNames, step: ReadStep): Promise<SeenEvent[]> {
  const { stream, direction = 'forwards', max } = step;
  const fromRevision: ReadRevision = step.from === undefined ? START : readFrom(step.from);
  const limit = max === undefined ? {} : { maxCount: max };
  const seen: SeenEvent[] = [];
  for await (const { event } of client.readStream(names.stream(stream), {
    fromRevision,
    direction,
    ...limit,
  })) {
    if (event !== undefined) seen.push(names.seen(event));
  }
  return seen;
}

/** The events of other streams are skipped, and so do not count towards `max`. */
async function readAll(
  client: EventStoreDBClient,
  names: AttemptNames,
  step: ReadAllStep,
): Promise<SeenEvent[]> {
  const { from, direction = 'forwards', max = Number.POSITIVE_INFINITY } = step;
  const fromPosition = from === END ? END : names.position(from);
  const seen: SeenEvent[] = [];
  const events = client.readAll({ fromPosition, direction });
  for await (const { event } of events) {
    if (event !== undefined && names.isOurs(event)) seen.push(names.seenInAll(event));
    if (seen.length < max) continue;
    // Leaving the loop alone would leave the call open.
    await events.cancel();
    break;
  }
  return seen;
}

async function remove(
  client: EventStoreDBClient,
  names: AttemptNames,
  step: DeleteStep,
): Promise<GoldenAnswer> {
  const stream = names.stream(step.stream);
  const options = step.expected === undefined ? {} : { expectedRevision: BigInt(step.expected) };
  if (step.op === 'softDelete') await client.deleteStream(stream, options);
  else await client.tombstoneStream(stream, options);
  return { ok: true };
}

const readFrom = (from: number | 'end'): ReadRevision => (from === END ? END : BigInt(from));

const revision = (expected: GoldenExpected): bigint | 'any' | 'no_stream' | 'stream_exists' =>
  typeof expected === 'number' ? BigInt(expected) : expected;
