import { deleted, event, registered, resumed, stopped, voided } from './cloud-events.ts';
import type { TestLedger } from './ledger.ts';
import { until } from './until.ts';

/**
 * Records three months of three accounts with all that makes evidence hard: late facts, voids, and a cluster that was first
 * registered to the wrong one of two.
 * @returns the checkpoint that was signed before the first closing.
 */
export async function recordDispute(ledger: TestLedger): Promise<string> {
  const [, , shared] = await ledger.record(
    registered('c1', '2026-01-02T00:00:00Z', 'acme', { name: 'süd 😀', labels: { b: '2', a: '1' } }),
    registered('c2', '2026-01-10T00:00:00Z'),
    registered('shared', '2026-01-05T00:00:00Z'),
    registered('g1', '2026-01-01T00:00:00Z', 'globex'),
  );
  const [stop] = await ledger.record(
    stopped('c1', '2026-01-20T00:00:00Z'),
    resumed('c1', '2026-01-22T12:00:00.500Z'),
  );
  const { text: older } = await ledger.fetch('/log/checkpoint', { method: 'POST' });
  await close(ledger, '2026-01');
  await ledger.record(
    deleted('c2', '2026-01-25T06:00:00Z'),
    voided('shared', '2026-02-01T00:00:00Z', shared?.eventId as string),
    registered('shared', '2026-01-05T00:00:00Z', 'globex'),
    stopped('c1', '2026-02-10T00:00:00Z', 'unreachable'),
  );
  await close(ledger, '2026-02');
  await ledger.record(
    voided('c1', '2026-02-20T00:00:00Z', stop?.eventId as string),
    resumed('c1', '2026-02-12T00:00:00Z', 'unreachable'),
    event('cluster.reachable', 'c1', '2026-02-12T00:00:00Z', { evidence: { latencyMs: 1.5 } }),
  );
  await close(ledger, '2026-03');
  await ledger.record(
    registered('c9', '2026-04-02T00:00:00Z'),
    stopped('g1', '2026-04-03T00:00:00Z'),
    registered('free', '2026-01-01T00:00:00Z', 'initech', { billable: false }),
  );
  return older;
}

/** Closes a period, and waits for the checkpoint of the closing: it would otherwise cover facts that come next. */
async function close(ledger: TestLedger, period: string): Promise<void> {
  const post = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' };
  const { status, text, body } = await ledger.fetch(`/v1/periods/${period}/close`, post);
  if (status >= 300) throw new Error(`${period} was not closed: ${text}`);
  await until(() => (ledger.rooms.signedLog.newest()?.size ?? 0) >= Number(body.position));
}
