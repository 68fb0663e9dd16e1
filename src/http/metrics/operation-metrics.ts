import { Counter, Histogram, type Registry } from 'prom-client';
import type { Operations } from '../../util/operation-listeners.ts';

/** Adds the metrics of appends, probes and deliveries. Ids are in traces only: no label has unbounded values. */
export function measureOperations(registry: Registry, operations: Operations): void {
  const registers = [registry];
  const appends = new Histogram({
    name: 'ledger_append_duration_seconds',
    help: 'Time from an append to its acknowledgement by the store, by outcome',
    labelNames: ['outcome'],
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    registers,
  });
  const probes = new Histogram({
    name: 'ledger_probe_duration_seconds',
    help: 'Time that a probe of a cluster took, by verdict',
    labelNames: ['verdict'],
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15],
    registers,
  });
  const deliveries = new Histogram({
    name: 'ledger_webhook_attempt_duration_seconds',
    help: 'Time that an attempt to send a message to a webhook took, by outcome',
    labelNames: ['outcome'],
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15],
    registers,
  });
  const attempts = new Counter({
    name: 'ledger_webhook_attempts_total',
    help: 'Number of attempts to send a message to a webhook, by outcome',
    labelNames: ['webhook', 'outcome'],
    registers,
  });
  const appended = (outcome: string, seconds: number) => appends.observe({ outcome }, seconds);
  const probed = (verdict: string, seconds: number) => probes.observe({ verdict }, seconds);
  operations.listen((name, { webhookId }) => {
    if (name === 'append') return appended;
    if (name === 'probe') return probed;
    return (outcome, seconds) => {
      deliveries.observe({ outcome }, seconds);
      attempts.inc({ webhook: String(webhookId), outcome });
    };
  });
}
