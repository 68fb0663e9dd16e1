import type { AddressInfo } from 'node:net';
import { type FastifyInstance, fastify } from 'fastify';
import pg from 'pg';
import { coalescedIngest, floorIngest, insertIngest, unnestBatches } from './ingest.ts';
import { streamEach, streamShared } from './stream.ts';
import { bareUsage, queriedUsage } from './usage.ts';

/** The servers that the ledger is compared with: Fastify as it comes, without anything that slows it down. */
const peers = {
  'ingest-floor': floorIngest,
  'ingest-insert': insertIngest,
  'ingest-coalesced': coalescedIngest,
  'batch-unnest': unnestBatches,
  'usage-bare': bareUsage,
  'usage-query': queriedUsage,
  'stream-each': streamEach,
  'stream-shared': streamShared,
} satisfies Record<string, (app: FastifyInstance, pool: pg.Pool) => void>;

export interface PeerOrder {
  readonly kind: keyof typeof peers;
  readonly postgres: pg.ClientConfig | undefined;
  /** Connections to PostgreSQL. */
  readonly poolSize?: number;
}

process.on('message', async ({ kind, postgres, poolSize }: PeerOrder) => {
  const app = fastify({ bodyLimit: 16 * 1024 * 1024 });
  peers[kind](app, new pg.Pool({ ...postgres, max: poolSize ?? 1 }));
  await app.listen({ host: '127.0.0.1', port: 0 });
  process.send?.((app.server.address() as AddressInfo).port);
});
process.on('disconnect', () => process.exit());
