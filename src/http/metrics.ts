import { Counter, Histogram, type Registry } from 'prom-client';
import type { App } from './app.ts';

/** Counts and times requests by route, never by URL. */
export function observeRequests(app: App, registry: Registry): void {
  const duration = new Histogram({
    name: 'ledger_http_request_duration_seconds',
    help: 'Time from a request to the end of its answer',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    registers: [registry],
  });
  app.addHook('onResponse', async (request, reply) => {
    const { method, routeOptions } = request;
    const labels = { method, route: routeOptions.url ?? 'none', status: String(reply.statusCode) };
    duration.observe(labels, reply.elapsedTime / 1_000);
  });
}

/** Counts what became of posted events. */
export function outcomeCounter(registry: Registry): Counter<'type' | 'outcome'> {
  return new Counter({
    name: 'ledger_events_total',
    help: 'Posted events by type and what became of them',
    labelNames: ['type', 'outcome'],
    registers: [registry],
  });
}
