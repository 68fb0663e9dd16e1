import {
  type AllStreamResolvedEvent,
  BACKWARDS,
  END,
  type EventStoreDBClient,
  type Position,
  type StreamingRead,
} from '@eventstore/db-client';
import { completeRead } from './complete-read.ts';
import type { Timings } from './timings.ts';

/** Reads the last event of all streams of the server. */
export function readEnd(client: EventStoreDBClient): StreamingRead<AllStreamResolvedEvent> {
  return client.readAll({ direction: BACKWARDS, fromPosition: END, maxCount: 1, requiresLeader: true });
}

/** Returns the position of the last event of all streams of the server. @throws StoreUnavailable or an error of the client */
export async function endOfServerLog(
  client: EventStoreDBClient,
  { readMs }: Timings,
): Promise<Position | undefined> {
  let end: Position | undefined;
  for await (const { event } of completeRead(readEnd(client), readMs)) end = event?.position;
  return end;
}
