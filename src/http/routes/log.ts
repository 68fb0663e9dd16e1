import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { ConsistencyOut, InclusionOut } from '../../api/proofs.ts';
import type { SignedLog } from '../../audit/signed-log.ts';
import { parseTilePath, TILE_WIDTH, type Tile } from '../../audit/tiles.ts';
import { LeavesChanged } from '../../audit/tree.ts';
import { READ_TIMEOUT_MS } from '../../projections/wait-limits.ts';
import { problemResponses } from '../contract.ts';
import { PositionText } from '../params/fields.ts';
import type { App, HttpServices } from '../server/app.ts';
import { invalidRequest, Problem } from '../server/problem.ts';

const TEXT = 'text/plain; charset=utf-8';
const BYTES = 'application/octet-stream';

const text = (description: string) => ({ description, content: { 'text/plain': { schema: z.string() } } });

/** The log as clients, monitors and witnesses of transparency logs read it: C2SP tlog-tiles. And proofs, for who computes none. */
export function logRoutes(app: App, { signedLog, projections }: HttpServices): void {
  const tags = ['Log'];
  const problems = problemResponses;

  app.get(
    '/log/checkpoint',
    {
      schema: {
        operationId: 'getCheckpoint',
        tags,
        summary: 'The newest signed checkpoint',
        description:
          'A C2SP tlog-checkpoint: origin, size and root hash of the log, and the signatures. The tree that it is of is read as ' +
          'C2SP tlog-tiles has it: hashes under `/log/tile/<L>/<N>[.p/<W>]`, and the events themselves, each with its length in ' +
          'two bytes before it, under `/log/tile/entries/<N>[.p/<W>]`; `<N>` is written as `x001/x234/067`.',
        response: { 200: text('A signed note.'), ...problems },
      },
    },
    async (_, reply) => {
      if (signedLog.tampered === undefined) await requireReady(signedLog);
      const newest = signedLog.newest();
      if (newest === undefined) throw new Problem('not-found', 'the newest kept checkpoint cannot be read');
      return plain(reply, newest.note);
    },
  );

  app.post(
    '/log/checkpoint',
    {
      schema: {
        operationId: 'signCheckpoint',
        tags,
        summary: 'Sign the whole log now',
        response: { 200: text('A signed note.'), ...problems },
      },
    },
    async (_, reply) => {
      // At least what other answers already tell of.
      const { position } = projections.model;
      await requireSound(signedLog, position);
      return plain(reply, (await signedLog.checkpoint(Math.max(position, signedLog.tree.size))).note);
    },
  );

  app.get(
    '/log/key',
    {
      schema: {
        operationId: 'getLogKeys',
        tags,
        summary: 'The keys that signatures of the log are verified with',
        description: 'A C2SP note verifier key per line: the current one first, former ones last.',
        response: { 200: text('Verifier keys.'), ...problems },
      },
    },
    async (_, reply) => {
      if (!signedLog.isIdentified) throw notYet(signedLog);
      return plain(reply, signedLog.verifiers().join('\n').concat('\n'));
    },
  );

  app.get(
    '/log/tile/*',
    {
      // OpenAPI has no parameter with slashes in it: the contract tells of tiles under /log/checkpoint.
      schema: { hide: true, querystring: z.strictObject({}) },
    },
    async (request, reply) => {
      const tile = tileOf(request);
      if (signedLog.tampered === undefined) await requireReady(signedLog);
      const content = await orNotThere(() => read(signedLog, tile));
      return binary(reply, content, tile.width === TILE_WIDTH);
    },
  );

  app.get(
    '/log/proof/inclusion',
    {
      schema: {
        operationId: 'proveInclusion',
        tags,
        summary: 'Prove that an event is in the log',
        querystring: z.strictObject({
          position: PositionText.refine((position) => position > 0, 'must be from 1').describe(
            'Of the event.',
          ),
          size: PositionText.optional().describe(
            'Of the tree. Default: that of a checkpoint with the event.',
          ),
        }),
        response: { 200: InclusionOut, ...problems },
      },
    },
    async ({ query: { position, size } }) => {
      await requireSound(signedLog, position <= projections.model.position ? position : 0);
      return orNotThere(async () => {
        const { tree } = signedLog;
        if (position > tree.size) throw new RangeError(`the log has ${tree.size} events`);
        const head = size === undefined ? await signedLog.checkpoint(position) : await tree.sizeAndRoot(size);
        return {
          position: String(position),
          ...(await inclusionOf(signedLog, position, head.size)),
          size: head.size,
          root: encoded(head.root),
        };
      });
    },
  );

  app.get(
    '/log/proof/consistency',
    {
      schema: {
        operationId: 'proveConsistency',
        tags,
        summary: 'Prove that the log has only grown',
        querystring: z.strictObject({
          from: PositionText.describe('Size of the older tree.'),
          to: PositionText.optional().describe(
            'Size of the newer tree. Default: that of the newest checkpoint.',
          ),
        }),
        response: { 200: ConsistencyOut, ...problems },
      },
    },
    async ({ query: { from, to } }) => {
      await requireSound(signedLog);
      return orNotThere(async () => {
        const { tree } = signedLog;
        if (from > tree.size) throw new RangeError(`the log has ${tree.size} events`);
        const size = to ?? (await signedLog.checkpoint(from)).size;
        if (size < from)
          throw invalidRequest([
            { pointer: '/query/to', detail: `must be at least from, ${from}; given ${to}` },
          ]);
        const [older, newer] = [await tree.sizeAndRoot(from), await tree.sizeAndRoot(size)];
        const proof = split(await tree.consistencyProof(from, size));
        return { from, fromRoot: encoded(older.root), size, root: encoded(newer.root), proof };
      });
    },
  );
}

/** The leaf of an event, and its proof in the tree of `size` events. @throws RangeError, LeavesChanged, StoreUnavailable */
export async function inclusionOf({ tree }: SignedLog, position: number, size: number) {
  const leafIndex = position - 1;
  const proof = split(await tree.inclusionProof(leafIndex, size));
  return { leafIndex, leafHash: encoded(await tree.leafHash(leafIndex)), proof };
}

function tileOf({ url }: FastifyRequest): Tile {
  // As it was sent: a path that is written in another way names nothing.
  const path = url.replace(/\?.*/s, '');
  const tile = parseTilePath(path);
  if (tile === undefined) throw new Problem('not-found', `${path} is no path of a tile`);
  return tile;
}

function read({ tree }: SignedLog, { level, index, width }: Tile): Promise<Uint8Array> {
  return level === 'entries' ? tree.entries(index, width) : tree.tile(level, index, width);
}

/** What the tree does not have is not found; what is not what it was is said so. */
async function orNotThere<T>(compute: () => Promise<T>): Promise<T> {
  try {
    return await compute();
  } catch (cause) {
    if (cause instanceof RangeError) throw new Problem('not-found', cause.message, { cause });
    if (cause instanceof LeavesChanged) throw new Problem('read-only', cause.message, { cause });
    throw cause;
  }
}

/** @param size how far the tree must have come. @throws Problem `catching-up`, `read-only` */
async function requireSound(signedLog: SignedLog, size = 0): Promise<void> {
  if (signedLog.tampered === undefined) await requireReady(signedLog, size);
  if (signedLog.tampered === undefined) return;
  const detail = `the log is not what was signed (${signedLog.tampered.why}): nothing is signed or proved of it`;
  throw new Problem('read-only', detail);
}

async function requireReady(signedLog: SignedLog, size = 0): Promise<void> {
  if (!(await signedLog.ready(READ_TIMEOUT_MS, size)) && signedLog.tampered === undefined)
    throw notYet(signedLog);
}

function notYet({ tree }: SignedLog): Problem {
  const detail = `the tree of the log is still being made, at position ${tree.size}`;
  return new Problem('catching-up', detail, { retryAfterSeconds: 1 });
}

function plain(reply: FastifyReply, note: string): FastifyReply {
  return reply.type(TEXT).header('cache-control', 'no-cache').send(note);
}

function binary(reply: FastifyReply, content: Uint8Array, isFull: boolean): FastifyReply {
  reply.header('cache-control', isFull ? 'public, max-age=31536000, immutable' : 'no-cache');
  return reply.type(BYTES).send(content);
}

function split(hashes: Uint8Array): string[] {
  return Array.from({ length: hashes.length / 32 }, (_, i) => encoded(hashes.subarray(32 * i, 32 * i + 32)));
}

function encoded(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
