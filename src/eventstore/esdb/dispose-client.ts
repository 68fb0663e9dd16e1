import type { EventStoreDBClient } from '@eventstore/db-client';

/**
 * Lets go of a client: cancels its streams, whose pending calls fail, and closes its connection, which the client itself
 * leaves open.
 */
export async function discard(client: EventStoreDBClient): Promise<void> {
  await client.dispose();
  const { getChannel } = client as unknown as { getChannel(): Promise<{ close(): void }> };
  getChannel().then(
    (channel) => channel.close(),
    () => undefined,
  );
}
