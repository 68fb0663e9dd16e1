import { z } from 'zod';
import type { ProberOptions } from '../settings/prober-options.ts';

/** A cluster to probe, by the `connection` of its registration or by a given kubeconfig. */
export type ProbeTarget = { readonly clusterId: string } & (
  | { readonly connection: string | undefined }
  | { readonly kubeconfig: string }
);

/** Commands to the probing process. */
export type WorkerCommand =
  | { readonly kind: 'start'; readonly options: ProberOptions }
  | {
      readonly kind: 'probe';
      readonly id: number;
      readonly connection?: string;
      readonly kubeconfig?: string;
    }
  | { readonly kind: 'abort'; readonly ids: readonly number[] }
  | { readonly kind: 'refresh' }
  | { readonly kind: 'inventory' }
  | { readonly kind: 'ping' };

const Stats = z.strictObject({
  /** Number of open sockets in any state. */
  sockets: z.int(),
  /** Number of active probes, including waiting ones. */
  probes: z.int(),
  rssBytes: z.int(),
  heapBytes: z.int(),
  /** Number of cached TLS contexts. */
  contexts: z.int(),
});
/** Statistics of the probing process. */
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

/** Reports of the probing process. It handles untrusted input, so its reports are validated like external input. */
export const WorkerReport = z.discriminatedUnion('kind', [
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
export type WorkerReport = z.output<typeof WorkerReport>;
