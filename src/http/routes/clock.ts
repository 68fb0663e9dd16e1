import { z } from 'zod';
import { ClockOut } from '../../api/clock.ts';
import { line } from '../../domain/facts/fact.ts';
import { answer, problemResponses } from '../contract.ts';
import { instantOut } from '../params/fields.ts';
import type { App, HttpServices } from '../server/app.ts';

const tags = ['Operations'];

const getSchema = {
  operationId: 'getClock',
  tags,
  summary: 'Get the time of the ledger, and whether it can be trusted',
  description: 'A clock that jumped, or that is behind the log, is doubted until somebody trusts it.',
  response: { 200: answer('The clock.', ClockOut), ...problemResponses },
};

const trustSchema = {
  operationId: 'trustClock',
  tags,
  summary: 'Confirm that the clock of the host is right',
  description:
    'Ends the alert clock-untrusted: periods can be closed again. First compare the clock with a time server. The confirmation is recorded. If the clock is trusted, nothing is changed.',
  body: z.strictObject({ reason: line(1_000).describe('How the time was checked, for auditors.') }),
  response: { 200: answer('The clock, which is trusted from now on.', ClockOut), ...problemResponses },
};

/** Adds the routes that show the clock and confirm its time. */
export function clockRoutes(app: App, services: HttpServices): void {
  app.get('/v1/clock', { config: { access: { auditor: 'all' } }, schema: getSchema }, async () =>
    clockOut(services),
  );

  app.post(
    '/v1/clock/trust',
    { config: { access: {} }, schema: trustSchema },
    async ({ body: { reason }, caller }) => {
      await services.clockGuard.trust({ by: caller.actor, reason });
      return clockOut(services);
    },
  );
}

function clockOut({ clockGuard, now }: HttpServices): ClockOut {
  const { doubt } = clockGuard;
  return {
    trusted: doubt === undefined,
    time: instantOut(now()),
    doubt: doubt === undefined ? null : { since: instantOut(doubt.since), why: doubt.why },
  };
}
