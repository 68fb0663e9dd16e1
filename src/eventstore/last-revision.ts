import type { EventStore } from './event-store.ts';

/** Returns the revision of the last event of a stream, or -1 if the stream is absent. @throws StoreUnavailable */
export async function lastRevision(store: Pick<EventStore, 'readStream'>, stream: string): Promise<number> {
  for await (const { revision } of store.readStream(stream, { direction: 'backwards', limit: 1 }))
    return revision;
  return -1;
}
