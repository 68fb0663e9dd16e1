import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { SignedLog } from '../../audit/signed-log.ts';
import { parseTilePath, TILE_WIDTH, type Tile } from '../../audit/tiles.ts';
import { EVERY_ROLE } from '../access/route-access.ts';
import { problems } from '../contract.ts';
import { orNotFound, requireIdentified, requireReady, requireUntampered } from '../log-access.ts';
import type { App, HttpServices } from '../server/app.ts';
import { Problem } from '../server/problem.ts';

const TEXT = 'text/plain; charset=utf-8';
const BYTES = 'application/octet-stream';

const text = (description: string) => ({ description, content: { 'text/plain': { schema: z.string() } } });

const checkpointSchema = {
  operationId: 'getCheckpoint',
  tags: ['Log'],
  summary: 'Get the newest signed checkpoint',
  description:
    'A C2SP tlog-checkpoint: origin, size and root hash of the log, and the signatures. Read its tree as C2SP tlog-tiles: ' +
    'the hashes are under `/log/tile/<L>/<N>[.p/<W>]`. The events are under `/log/tile/entries/<N>[.p/<W>]`, each preceded ' +
    'by its length in two bytes. `<N>` is written as `x001/x234/067`.',
  response: { 200: text('A signed note.'), ...problems('not-found', 'read-only', 'catching-up') },
};

const signSchema = {
  operationId: 'signCheckpoint',
  tags: ['Log'],
  summary: 'Sign the whole log now',
  description: 'The checkpoint covers at least the events that other answers already include.',
  response: { 200: text('A signed note.'), ...problems('read-only', 'catching-up') },
};

const keySchema = {
  operationId: 'getLogKeys',
  tags: ['Log'],
  summary: 'Get the keys that verify the signatures of the log',
  description: 'One C2SP note verifier key per line: the current key first, former keys last.',
  response: { 200: text('Verifier keys.'), ...problems('read-only', 'catching-up') },
};

// OpenAPI has no path parameters that contain slashes: /log/checkpoint describes the tiles.
const tileSchema = { hide: true, querystring: z.strictObject({}) };

/** Adds the routes that clients, monitors and witnesses of transparency logs use: C2SP tlog-tiles. */
export function logRoutes(app: App, services: HttpServices): void {
  const { signedLog, witnesses, projections } = services;
  app.get(
    '/log/checkpoint',
    { config: { access: EVERY_ROLE }, schema: checkpointSchema },
    async (_, reply) => {
      await requireReady(services);
      const newest = signedLog.newest();
      if (newest === undefined) throw new Problem('not-found', 'the newest checkpoint cannot be read');
      return plain(reply, witnesses.cosigned(newest));
    },
  );

  app.post('/log/checkpoint', { config: { access: {} }, schema: signSchema }, async (_, reply) => {
    // Covers at least the events that other answers already include.
    const { position } = projections.model;
    await requireUntampered(services, position);
    return plain(reply, (await signedLog.checkpoint(Math.max(position, signedLog.tree.size))).note);
  });

  app.get('/log/key', { config: { access: EVERY_ROLE }, schema: keySchema }, async (_, reply) => {
    requireIdentified(services);
    return plain(reply, signedLog.verifiers().join('\n').concat('\n'));
  });

  const answerTile = async (request: FastifyRequest, reply: FastifyReply) => {
    const tile = tileOf(request);
    await requireReady(services);
    const content = await orNotFound(() => readTile(signedLog, tile));
    return binary(reply, content, isSigned(signedLog, tile));
  };
  const config = { access: { auditor: 'all' } } as const;
  // Bundles are compressed like every answer. Hashes cannot be compressed.
  app.get('/log/tile/entries/*', { config, schema: tileSchema }, answerTile);
  app.get('/log/tile/*', { config, schema: tileSchema, compress: false }, answerTile);
}

function tileOf({ url }: FastifyRequest): Tile {
  // The raw path: a tile has exactly one spelling, so an encoded path does not name one.
  const path = url.replace(/\?.*/s, '');
  const tile = parseTilePath(path);
  if (tile === undefined) throw new Problem('not-found', `${path} is not the path of a tile`);
  return tile;
}

/**
 * Returns whether a checkpoint covers all leaves of a tile. Only then nothing can change it any more: after the restore of a
 * backup, other events can take the places of events that were never signed.
 */
function isSigned(signedLog: SignedLog, { level, index, width }: Tile): boolean {
  const leavesPerHash = level === 'entries' ? 1 : TILE_WIDTH ** level;
  return (index * TILE_WIDTH + width) * leavesPerHash <= (signedLog.newest()?.size ?? 0);
}

function readTile({ tree }: SignedLog, { level, index, width }: Tile): Promise<Uint8Array> {
  return level === 'entries' ? tree.entries(index, width) : tree.tile(level, index, width);
}

function plain(reply: FastifyReply, note: string): FastifyReply {
  return reply.type(TEXT).header('cache-control', 'no-cache').send(note);
}

function binary(reply: FastifyReply, content: Uint8Array, isImmutable: boolean): FastifyReply {
  reply.header('cache-control', isImmutable ? 'public, max-age=31536000, immutable' : 'no-cache');
  return reply.type(BYTES).send(content);
}
