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
  resource: 'track' | 'batch' | 'v1/track' | 'v1/batch',
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

/** A record in the form in which Kubefirst keeps it in a Secret: a key for each field, each with JSON. */
export function recordData(fields: Fields): Record<string, string> {
  return Object.fromEntries(Object.entries(fields).map(([field, value]) => [field, JSON.stringify(value)]));
}

/** A management cluster's record, with all that it holds besides what the ledger may know. */
export function managementRecord(secret: string, workloads: readonly Fields[], more: Fields = {}): Fields {
  return {
    _id: '64f73b2c9a1d2e0001a1b2c3',
    creation_timestamp: '1769846400123',
    status: 'provisioned',
    last_condition: '',
    in_progress: false,
    cluster_name: 'kubefirst',
    cluster_id: 'm1m1m1',
    cluster_type: 'mgmt',
    cloud_provider: 'civo',
    cloud_region: 'FRA1',
    domain_name: 'acme.example',
    node_count: 3,
    civo_auth: { token: secret },
    aws_auth: { access_key_id: secret, secret_access_key: secret },
    vault_auth: { kbot_password: secret },
    argocd_password: secret,
    atlantis_webhook_secret: secret,
    workload_clusters: workloads.map((workload) => ({ ...workload, git_auth: { git_token: secret } })),
    ...more,
  };
}

export const workloadRecord = (name: string, id: string, more: Fields = {}): Fields => ({
  admin_email: 'someone@acme.example',
  cloud_provider: 'civo',
  cloud_region: 'FRA1',
  cluster_id: id,
  cluster_name: name,
  cluster_type: 'workload-cluster',
  creation_timestamp: '1769850000',
  domain_name: `${name}.acme.example`,
  node_count: 3,
  status: 'provisioned',
  ...more,
});
