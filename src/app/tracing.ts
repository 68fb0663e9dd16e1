import type { App } from '../http/server/app.ts';
import type { OperationListener } from '../util/operation-listeners.ts';

/** Traces of requests, appends, probes and deliveries. */
export interface Tracing {
  /** Begins a span for each request, which continues the trace that its `traceparent` names. */
  observe(app: App): void;
  /** Begins a span for each operation, within the request that causes it. */
  readonly listener: OperationListener;
  /** Fields for a log line that is written now: the id of the trace, if there is one. */
  logFields(): { readonly traceId?: string };
  /** Sends what was not sent yet. Never rejects. */
  stop(): Promise<void>;
}
