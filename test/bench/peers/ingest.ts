import type { FastifyInstance } from 'fastify';
import { validatorCompiler } from 'fastify-type-provider-zod';
import type pg from 'pg';
import { z } from 'zod';
import { CloudEvent } from '../../../src/http/ingest/cloud-event-envelope.ts';

/**
 * Ingest as one would write it without the ledger. All validate with the schema of the ledger. Those with a store answer
 * after the commit, and a repeated source and id is an existing row. None checks revisions, decides by a history or keeps
 * counts, as the ledger does: the comparison favors the peers.
 */

/** Text instead of jsonb, which PostgreSQL would have to parse; and only the index that makes repeats harmless. */
export const EVENT_TABLE = `
CREATE TABLE IF NOT EXISTS event (
  position    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  stream      text NOT NULL,
  source      text NOT NULL,
  id          text NOT NULL,
  type        text NOT NULL,
  time        bigint NOT NULL,
  data        text NOT NULL,
  recorded_at bigint NOT NULL,
  UNIQUE (stream, source, id)
)`;

const COLUMNS = 'stream, source, id, type, time, data, recorded_at';
const INSERT_ROW = `INSERT INTO event (${COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7)
  ON CONFLICT DO NOTHING RETURNING position`;
const INSERT_MANY = `INSERT INTO event (${COLUMNS})
  SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::bigint[])
  ON CONFLICT DO NOTHING RETURNING position, stream, source, id`;

function rowOf({ subject, source, id, type, time, data }: CloudEvent): unknown[] {
  return [subject, source, id, type, time, JSON.stringify(data), Date.now()];
}

function parseCloudEvents(app: FastifyInstance): void {
  app.setValidatorCompiler(validatorCompiler);
  const mediaTypes = ['application/cloudevents+json', 'application/cloudevents-batch+json'];
  app.addContentTypeParser(mediaTypes, { parseAs: 'string' }, (_, body, done) => {
    done(null, JSON.parse(body as string));
  });
}

/** Nothing is kept: what HTTP, JSON and the schema cost. */
export function floorIngest(app: FastifyInstance): void {
  parseCloudEvents(app);
  let position = 0;
  const body = z.union([CloudEvent, z.array(CloudEvent)]);
  app.post('/v1/events', { schema: { body } }, async (request, reply) => {
    const posted = request.body as CloudEvent | CloudEvent[];
    if (!Array.isArray(posted)) return reply.code(201).send(answerFor(posted, ++position));
    return { results: posted.map((event) => answerFor(event, ++position)) };
  });
}

/** An INSERT per request. */
export function insertIngest(app: FastifyInstance, pool: pg.Pool): void {
  parseCloudEvents(app);
  app.post('/v1/events', { schema: { body: CloudEvent } }, async (request, reply) => {
    const event = request.body as CloudEvent;
    const { rows } = await pool.query({ name: 'row', text: INSERT_ROW, values: rowOf(event) });
    return reply.code(rows.length === 1 ? 201 : 200).send(answerFor(event, rows[0]?.position));
  });
}

/** All requests that come while one INSERT is under way share the next. */
export function coalescedIngest(app: FastifyInstance, pool: pg.Pool): void {
  parseCloudEvents(app);
  let waiting: {
    event: CloudEvent;
    resolve(position: string | undefined): void;
    reject(error: unknown): void;
  }[] = [];
  let isWorking = false;
  const work = async () => {
    isWorking = true;
    while (waiting.length > 0) {
      const group = waiting;
      waiting = [];
      try {
        const positions = await insertMany(
          pool,
          group.map(({ event }) => event),
        );
        for (const { event, resolve } of group) resolve(positions.get(keyOf(event.subject, event)));
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
    isWorking = false;
  };
  app.post('/v1/events', { schema: { body: CloudEvent } }, async (request, reply) => {
    const event = request.body as CloudEvent;
    const position = await new Promise<string | undefined>((resolve, reject) => {
      waiting.push({ event, resolve, reject });
      if (!isWorking) setImmediate(() => isWorking || void work());
    });
    return reply.code(position === undefined ? 200 : 201).send(answerFor(event, position));
  });
}

/** An INSERT per batch. */
export function unnestBatches(app: FastifyInstance, pool: pg.Pool): void {
  parseCloudEvents(app);
  app.post('/v1/events', { schema: { body: z.array(CloudEvent) } }, async (request) => {
    const events = request.body as CloudEvent[];
    const positions = await insertMany(pool, events);
    return { results: events.map((event) => answerFor(event, positions.get(keyOf(event.subject, event)))) };
  });
}

async function insertMany(pool: pg.Pool, events: readonly CloudEvent[]): Promise<Map<string, string>> {
  const rows = events.map(rowOf);
  const values = Array.from({ length: 7 }, (_, column) => rows.map((row) => row[column]));
  const inserted = await pool.query({ name: 'many', text: INSERT_MANY, values });
  return new Map(inserted.rows.map((row) => [keyOf(row.stream, row), row.position]));
}

function keyOf(stream: string, { source, id }: { readonly source: string; readonly id: string }): string {
  return `${stream} ${source} ${id}`;
}

function answerFor(event: CloudEvent, position: string | number | undefined) {
  return {
    outcome: position === undefined ? 'duplicate' : 'appended',
    eventId: event.id,
    clusterId: event.subject,
    position: String(position),
    recordedAt: new Date().toISOString(),
  };
}
