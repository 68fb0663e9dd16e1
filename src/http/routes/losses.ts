import { z } from 'zod';
import { LossAcceptanceOut } from '../../api/losses.ts';
import { line } from '../../domain/facts/fact.ts';
import { answer, problems } from '../contract.ts';
import type { App, HttpServices } from '../server/app.ts';
import { Problem } from '../server/problem.ts';

const acceptSchema = {
  operationId: 'acceptLoss',
  tags: ['Operations'],
  summary: 'Accept that acknowledged events are lost',
  description:
    'Ends the alert log-behind without the missing events. First restore the newest backup of the store with its write-ahead log: ' +
    'if that has the events, there is nothing to accept. The ledger opens its store again, records who accepted the loss and why ' +
    'as the first event, and begins a new epoch: consumers of the feed that have read lost events are answered with epoch-changed.',
  body: z.strictObject({ reason: line(1_000).describe('Why the events cannot be restored, for auditors.') }),
  response: {
    202: answer('The ledger opens its store again.', LossAcceptanceOut),
    ...problems('nothing-lost'),
  },
};

/** Adds the route by which an operator accepts that events are lost. */
export function lossRoutes(app: App, { latch, acceptLoss }: HttpServices): void {
  app.post(
    '/v1/log/accept-loss',
    { config: { access: {} }, schema: acceptSchema },
    async ({ body: { reason }, caller }, reply) => {
      const { loss } = latch;
      if (loss === undefined || acceptLoss === undefined)
        throw new Problem('nothing-lost', 'no witness shows that acknowledged events are missing');
      const { why, intactThrough } = loss;
      const acceptance = { by: caller.actor, reason, why, intactThrough };
      // The ledger closes its server, so the answer goes out first.
      reply.raw.once('close', () => acceptLoss(acceptance));
      return reply
        .code(202)
        .header('connection', 'close')
        .send({ accepted: true as const, why });
    },
  );
}
