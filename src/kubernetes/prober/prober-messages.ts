import { z } from 'zod';
import { CredentialSettings } from '../credentials/open-sources.ts';
import { AddressPolicyOptions } from '../probe/address-policy.ts';

/** How clusters are probed. */
export const ProberOptions = z.strictObject({
  /** How many are probed at a time. */
  concurrency: z.int().min(1).max(2_000).default(100),
  /** The whole time that one probe may take, in milliseconds: names, connection, TLS, answers, a second try. */
  deadlineMs: z.int().min(100).max(60_000).default(10_000),
  /** How often one address and port may be connected to. */
  perHost: z
    .strictObject({
      perSecond: z.number().positive().max(100_000).default(20),
      burst: z.int().min(1).max(100_000).default(20),
    })
    .prefault({}),
  addresses: AddressPolicyOptions.prefault({}),
  /** Whether a kubeconfig may say `http:`; never needed but for tests. */
  allowPlainHttp: z.boolean().default(false),
  /** DNS servers, `ip` or `ip:port`, instead of those of the machine. */
  dnsServers: z.array(z.string().min(1)).min(1).readonly().optional(),
  /** Where credentials come from; the worker opens them, so that the server never sees one. */
  credentials: CredentialSettings.prefault({}),
  /** Files and folders that the worker may read besides its own code and the folder of credentials. */
  readable: z.array(z.string().min(1)).readonly().default([]),
  /** All that the worker's environment holds, such as KUBERNETES_SERVICE_HOST. */
  environment: z.record(z.string(), z.string()).default({}),
  /** A worker that says nothing for so long, in milliseconds, is ended and started anew. */
  silenceMs: z.int().min(1_000).max(600_000).default(10_000),
  /** Heap of the worker, in MiB. */
  heapMiB: z.int().min(32).max(4_096).default(160),
});
export type ProberOptions = z.output<typeof ProberOptions>;

/** A cluster to probe: by the reference of its registration, or by a kubeconfig that is at hand. */
export type ProbeTarget = { readonly clusterId: string } & (
  | { readonly connection: string | undefined }
  | { readonly kubeconfig: string }
);

/** What the worker is told. */
export type Order =
  | { readonly kind: 'start'; readonly options: ProberOptions }
  | {
      readonly kind: 'probe';
      readonly id: number;
      readonly connection?: string;
      readonly kubeconfig?: string;
    }
  | { readonly kind: 'abort'; readonly ids: readonly number[] }
  | { readonly kind: 'inventory' }
  | { readonly kind: 'ping' };

const Stats = z.strictObject({
  /** Sockets that are open, in whatever state. */
  sockets: z.int(),
  /** Probes under way, the waiting ones included. */
  probes: z.int(),
  rssBytes: z.int(),
  heapBytes: z.int(),
  /** TLS settings that are kept. */
  contexts: z.int(),
});
/** How the worker is. */
export type ProberStats = z.output<typeof Stats>;

const Text = z.string().max(300);

const Item = z.strictObject({
  source: z.string().max(64),
  reference: z.string().max(1_024),
  clusterId: z.string().max(255).exactOptional(),
  name: z.string().max(1_024),
  server: z.string().max(2_048).exactOptional(),
  since: z.int().exactOptional(),
  isPending: z.boolean().exactOptional(),
});

/** What the worker says. It reads what strangers send, so what it says is looked at like anything from outside. */
export const Report = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('ready') }),
  z.strictObject({ kind: z.literal('pong'), stats: Stats }),
  z.strictObject({
    kind: z.literal('inventory'),
    readings: z
      .array(
        z.union([
          z.strictObject({ source: z.string().max(64), items: z.array(Item).readonly() }),
          z.strictObject({ source: z.string().max(64), unreadable: Text }),
        ]),
      )
      .readonly(),
  }),
  z.strictObject({
    kind: z.literal('verdict'),
    id: z.int(),
    verdict: z.strictObject({
      state: z.enum(['alive', 'unreachable', 'unknown', 'unverifiable']),
      code: z.string().regex(/^[a-z-]{1,40}$/),
      uid: z.string().max(64).exactOptional(),
      detail: Text.exactOptional(),
      at: z.int(),
      latencyMs: z.int().exactOptional(),
    }),
  }),
]);
export type Report = z.output<typeof Report>;
