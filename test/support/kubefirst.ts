import type { Answer, TestLedger } from './ledger.ts';

type Fields = Readonly<Record<string, unknown>>;

/** A Track event as the library of Kubefirst's telemetry sends it. */
export function tracked(event: string, properties: Fields, more: Fields = {}): Fields {
  return {
    type: 'track',
    messageId: crypto.randomUUID(),
    timestamp: '2026-04-10T08:00:00.123456789Z',
    userId: 'machine-1',
    event,
    properties: {
      cli_version: 'v2.10.5',
      git_provider: 'github',
      machine_id: 'machine-1',
      error: '',
      ...properties,
    },
    context: { library: { name: 'analytics-go', version: '3.0.0' } },
    ...more,
  };
}

export const installed = (properties: Fields, more?: Fields) =>
  tracked('kubefirst.cluster_install.completed', properties, more);
export const deleteStarted = (properties: Fields, more?: Fields) =>
  tracked('kubefirst.cluster_delete.started', properties, more);
export const deleteCompleted = (properties: Fields, more?: Fields) =>
  tracked('kubefirst.cluster_delete.completed', properties, more);
export const heartbeat = (properties: Fields, more?: Fields) =>
  tracked('kubefirst.heartbeat', properties, more);

export function post(
  ledger: TestLedger,
  resource: 'track' | 'batch',
  body: unknown,
  headers = {},
): Promise<Answer> {
  return ledger.fetch(`/v1/sources/kubefirst/${resource}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: body instanceof Uint8Array ? (body as Uint8Array<ArrayBuffer>) : JSON.stringify(body),
  });
}

/** Posts events one after the other, all of which must be taken. */
export async function track(ledger: TestLedger, ...events: readonly Fields[]): Promise<void> {
  for (const event of events) {
    const { status, text } = await post(ledger, 'track', event);
    if (status !== 200 || text !== '{"success":true}') throw new Error(`not taken: ${status} ${text}`);
  }
}
