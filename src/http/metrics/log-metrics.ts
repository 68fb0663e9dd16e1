import type { Registry } from 'prom-client';
import type { SignedLog } from '../../audit/signed-log.ts';
import type { ReadOnlyLatch } from '../../ledger/read-only-latch.ts';
import { addGauge } from './gauge.ts';

/** Adds the metrics of the log and of its checkpoints. */
export function measureLog(
  registry: Registry,
  signedLog: SignedLog,
  latch: Pick<ReadOnlyLatch, 'loss'>,
  now: () => number,
): void {
  const gauge = (name: string, help: string, value: () => number) => addGauge(registry, name, help, value);
  gauge('ledger_log_size', 'Number of events in the tree of the log', () => signedLog.tree.size);
  gauge(
    'ledger_log_checkpoint_size',
    'Number of events that the newest checkpoint covers',
    () => signedLog.newest()?.size ?? 0,
  );
  gauge('ledger_log_checkpoint_age_seconds', 'Time since the newest checkpoint was signed', () => {
    const newest = signedLog.newest();
    return newest === undefined ? Number.NaN : (now() - newest.signedAt) / 1_000;
  });
  gauge('ledger_log_tampered', '1 if the log differs from what was signed', () =>
    Number(signedLog.tampered !== undefined && latch.loss === undefined),
  );
  gauge('ledger_log_behind', '1 if the log lacks events that were acknowledged', () =>
    Number(latch.loss !== undefined),
  );
}
