import type { EventStoreDBClient } from '@eventstore/db-client';

/**
 * Disposes of a client: cancels its streams, so that pending calls fail, and closes its connection. `dispose` of
 * `@eventstore/db-client` 6.2 leaves the gRPC channel open, which keeps its socket and the process alive.
 */
export async function disposeClient(client: EventStoreDBClient): Promise<void> {
  await client.dispose();
  const { getChannel } = client as unknown as { getChannel(): Promise<{ close(): void }> };
  getChannel().then(
    (channel) => channel.close(),
    () => undefined,
  );
}
