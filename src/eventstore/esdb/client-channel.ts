import type { EventStoreDBClient } from '@eventstore/db-client';

/** The connection of a client to a node. */
export interface Channel {
  close(): void;
}

/** Returns the gRPC channel of a client. A client that connects to another node has another channel. */
export function channelOf(client: EventStoreDBClient): Promise<Channel> {
  return (client as unknown as { getChannel(): Promise<Channel> }).getChannel();
}

/**
 * Disposes of a client: cancels its streams, so that pending calls fail, and closes its connection. `dispose` of
 * `@eventstore/db-client` 6.2 leaves the gRPC channel open, which keeps its socket and the process alive.
 */
export async function disposeClient(client: EventStoreDBClient): Promise<void> {
  await client.dispose();
  channelOf(client).then(
    (channel) => channel.close(),
    () => undefined,
  );
}
