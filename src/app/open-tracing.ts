import type { Tracing } from './tracing.ts';

/**
 * Starts to trace.
 * @param endpoint base URL of a collector that takes OTLP over HTTP; `undefined` if nothing is to be traced, and then nothing is
 * loaded.
 */
export async function openTracing(
  endpoint: string | undefined,
  version: string,
): Promise<Tracing | undefined> {
  if (endpoint === undefined) return undefined;
  const { OtlpTracing } = await import('./otlp-tracing.ts');
  return new OtlpTracing(endpoint, version);
}
