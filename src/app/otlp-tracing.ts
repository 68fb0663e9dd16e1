import { AsyncLocalStorage } from 'node:async_hooks';
import { type Context, ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import type { App } from '../http/server/app.ts';
import type { OperationDetails, OperationEnded, OperationName } from '../util/operation-listeners.ts';
import { withDeadline } from '../util/with-deadline.ts';
import type { Tracing } from './tracing.ts';

/** Pause between two exports. */
const EXPORT_EVERY_MS = 2_000;
/** Maximum time to send the last spans at the shutdown. */
const STOP_MS = 2_000;
/** https://www.w3.org/TR/trace-context/#traceparent-header */
const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

const KINDS: Readonly<Record<OperationName, SpanKind>> = {
  append: SpanKind.CLIENT,
  probe: SpanKind.CLIENT,
  delivery: SpanKind.PRODUCER,
};

/** Outcomes of operations that are as they should be. A conflict is decided again. */
const EXPECTED = new Set(['appended', 'conflict', 'delivered', 'alive', 'aborted']);

/** Sends spans to an OpenTelemetry collector. */
export class OtlpTracing implements Tracing {
  readonly #provider: TracerProvider;
  readonly #active = new AsyncLocalStorage<Context>();
  readonly #spans = new WeakMap<object, Span>();

  /** @param endpoint base URL of a collector, such as `http://collector:4318`. */
  constructor(endpoint: string, version: string) {
    const exporter = new OTLPTraceExporter({ url: `${endpoint.replace(/\/+$/, '')}/v1/traces` });
    this.#provider = new TracerProvider({
      resource: resourceFromAttributes({ 'service.name': 'cluster-ledger', 'service.version': version }),
      spanProcessors: [new BatchSpanProcessor({ exporter, scheduledDelayMillis: EXPORT_EVERY_MS })],
    });
  }

  observe(app: App): void {
    const tracer = this.#provider.getTracer('cluster-ledger');
    app.addHook('onRequest', (request, _, done) => {
      const { method, routeOptions, headers } = request;
      const route = routeOptions.url ?? 'none';
      const span = tracer.startSpan(
        `${method} ${route}`,
        { kind: SpanKind.SERVER, attributes: { 'http.request.method': method, 'http.route': route } },
        parentOf(headers['traceparent']),
      );
      this.#spans.set(request, span);
      this.#active.run(trace.setSpan(ROOT_CONTEXT, span), done);
    });
    app.addHook('onResponse', (request, { statusCode }, done) => {
      const span = this.#spans.get(request);
      span?.setAttribute('http.response.status_code', statusCode);
      if (statusCode >= 500) span?.setStatus({ code: SpanStatusCode.ERROR });
      span?.end();
      done();
    });
  }

  readonly listener = (name: OperationName, details: OperationDetails): OperationEnded => {
    const tracer = this.#provider.getTracer('cluster-ledger');
    const attributes = Object.fromEntries(
      Object.entries(details).map(([key, value]) => [`ledger.${key}`, value]),
    );
    const span = tracer.startSpan(name, { kind: KINDS[name], attributes }, this.#active.getStore());
    return (outcome) => {
      span.setAttribute('ledger.outcome', outcome);
      if (!EXPECTED.has(outcome)) span.setStatus({ code: SpanStatusCode.ERROR, message: outcome });
      span.end();
    };
  };

  logFields(): { readonly traceId?: string } {
    const context = this.#active.getStore();
    const traceId = context && trace.getSpanContext(context)?.traceId;
    return traceId === undefined ? {} : { traceId };
  }

  async stop(): Promise<void> {
    // A collector that is away must not fail or delay the shutdown.
    await withDeadline(this.#provider.shutdown(), STOP_MS, () => new Error('late')).catch(() => undefined);
  }
}

function parentOf(header: string | string[] | undefined): Context {
  const [, traceId, spanId, flags] = TRACEPARENT.exec(String(header)) ?? [];
  if (traceId === undefined || spanId === undefined || /^0+$/.test(traceId) || /^0+$/.test(spanId))
    return ROOT_CONTEXT;
  const traceFlags = Number.parseInt(flags as string, 16);
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags, isRemote: true });
}
