import { z } from 'zod';
import { ConsistencyOut, InclusionOut } from '../../api/proofs.ts';
import type { SignedLog } from '../../audit/signed-log.ts';
import type { Position } from '../../util/log-numbers.ts';
import { answer, problems } from '../contract.ts';
import { hashesOut, hashOut, inclusionOf, orNotFound, requireUntampered } from '../log-access.ts';
import { PositionText, TreeSizeText } from '../params/fields.ts';
import type { App, HttpServices } from '../server/app.ts';
import { invalidRequest } from '../server/problem.ts';

const inclusionSchema = {
  operationId: 'proveInclusion',
  tags: ['Log'],
  summary: 'Prove that an event is in the log',
  description: 'For clients that do not compute proofs from tiles (RFC 9162, section 2.1.3).',
  querystring: z.strictObject({
    position: PositionText.refine((position) => position > 0, 'must be from 1')
      .meta({ pattern: '^[1-9]\\d{0,14}$' })
      .describe('Position of the event.'),
    size: TreeSizeText.optional().describe(
      'Size of the tree; by default that of a checkpoint that covers the event.',
    ),
  }),
  response: { 200: answer('The proof.', InclusionOut), ...problems('not-found', 'read-only', 'catching-up') },
};

const consistencySchema = {
  operationId: 'proveConsistency',
  tags: ['Log'],
  summary: 'Prove that the log has only grown',
  description: 'For clients that do not compute proofs from tiles (RFC 9162, section 2.1.4).',
  querystring: z.strictObject({
    from: TreeSizeText.describe('Size of the older tree.'),
    to: TreeSizeText.optional().describe('Size of the newer tree; by default that of the newest checkpoint.'),
  }),
  response: {
    200: answer('The proof.', ConsistencyOut),
    ...problems('not-found', 'read-only', 'catching-up'),
  },
};

/** Adds the routes that prove what the log contains, for clients that do not compute proofs from tiles. */
export function logProofRoutes(app: App, services: HttpServices): void {
  const { signedLog, projections } = services;
  app.get(
    '/log/proof/inclusion',
    { config: { access: { auditor: 'all' } }, schema: inclusionSchema },
    async ({ query: { position, size } }) => {
      await requireUntampered(services, position <= projections.model.position ? position : 0);
      return orNotFound(() => proveInclusion(signedLog, position, size));
    },
  );

  app.get(
    '/log/proof/consistency',
    { config: { access: { auditor: 'all' } }, schema: consistencySchema },
    async ({ query: { from, to } }) => {
      await requireUntampered(services);
      return orNotFound(() => proveConsistency(signedLog, from, to));
    },
  );
}

/** @throws RangeError, LeavesChanged, StoreUnavailable */
async function proveInclusion(
  signedLog: SignedLog,
  position: Position,
  size: number | undefined,
): Promise<z.output<typeof InclusionOut>> {
  const { tree } = signedLog;
  if (position > tree.size) throw new RangeError(`the log has ${tree.size} events`);
  const head = size === undefined ? await signedLog.checkpoint(position) : await tree.sizeAndRoot(size);
  return {
    position: String(position),
    ...(await inclusionOf(signedLog, position, head.size)),
    size: head.size,
    root: hashOut(head.root),
  };
}

/** @throws RangeError, LeavesChanged, StoreUnavailable; Problem `invalid-request` if the newer tree is smaller */
async function proveConsistency(
  signedLog: SignedLog,
  from: number,
  to: number | undefined,
): Promise<z.output<typeof ConsistencyOut>> {
  const { tree } = signedLog;
  if (from > tree.size) throw new RangeError(`the log has ${tree.size} events`);
  const size = to ?? (await signedLog.checkpoint(from)).size;
  if (size < from)
    throw invalidRequest([{ pointer: '/query/to', detail: `must be at least from, ${from}; given ${to}` }]);
  const [older, newer] = [await tree.sizeAndRoot(from), await tree.sizeAndRoot(size)];
  const proof = hashesOut(await tree.consistencyProof(from, size));
  return { from, fromRoot: hashOut(older.root), size, root: hashOut(newer.root), proof };
}
