import { deleted, registered, resumed, stopped, voided } from './cloud-events.ts';
import type { TestLedger } from './ledger.ts';

/** Records two accounts and a disputed deletion, and closes January. @returns the event id of the voided fact. */
export async function fillLedger(ledger: TestLedger): Promise<{ readonly voided: string }> {
  await ledger.record(
    registered('c1', '2026-01-01T00:00:00.000Z', 'acme', { name: '生产' }),
    registered('c2', '2026-01-10T00:00:00.000Z', 'acme'),
    registered('c3', '2026-01-05T12:00:00.500Z', 'globex'),
    stopped('c1', '2026-01-20T00:00:00.000Z'),
    resumed('c1', '2026-01-21T00:00:00.000Z'),
  );
  const closed = await ledger.fetch('/v1/periods/2026-01/close', { method: 'POST' });
  if (closed.status !== 200) throw new Error(closed.text);
  const [wrong] = await ledger.record(deleted('c2', '2026-01-25T00:00:00.000Z'));
  await ledger.record(
    voided('c2', '2026-03-01T00:00:00.000Z', wrong?.eventId ?? ''),
    deleted('c3', '2026-01-30T00:00:00.000Z'),
  );
  return { voided: wrong?.eventId ?? '' };
}
