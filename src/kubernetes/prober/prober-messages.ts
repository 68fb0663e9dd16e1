import { z } from 'zod';
import { type ClusterRecord, STATUSES } from '../../domain/kubefirst/cluster-record.ts';
import type { RecordStep } from '../../domain/kubefirst/record-step.ts';
import type { ManagementClusterSettings } from '../settings/credential-settings.ts';
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
  /** Follow the records of a management cluster, until `unfollow`. */
  | {
      readonly kind: 'follow';
      readonly id: number;
      readonly access: ManagementClusterSettings;
      readonly namespace: string;
    }
  | { readonly kind: 'unfollow'; readonly id: number }
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

/** A scheme, and the name of a management cluster. */
const Source = z.string().max(128);

const Item = z.strictObject({
  source: Source,
  reference: z.string().max(1_024),
  clusterId: z.string().max(255).exactOptional(),
  name: z.string().max(1_024),
  server: z.string().max(2_048).exactOptional(),
  since: z.int().exactOptional(),
  isPending: z.boolean().exactOptional(),
});

const Name = z.string().max(512);
const attribute = z
  .string()
  .max(253)
  .optional()
  .transform((text) => text);

const Record = z
  .strictObject({
    managementId: Name,
    kubefirstId: Name,
    name: Name,
    clusterType: attribute,
    status: z.enum(STATUSES).optional(),
    cloudProvider: attribute,
    region: attribute,
    domain: attribute,
    createdAt: z.int().optional(),
  })
  .transform(
    ({ clusterType, status, cloudProvider, region, domain, createdAt, ...ids }): ClusterRecord => ({
      ...ids,
      clusterType,
      status,
      cloudProvider,
      region,
      domain,
      createdAt,
    }),
  );

const RecordSecret = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('index'), names: z.array(Name).readonly() }),
  z
    .strictObject({
      kind: z.literal('record'),
      name: Name,
      records: z.array(Record).readonly(),
      unusable: z.array(z.strictObject({ name: Name, field: Name })).readonly(),
      changedAt: z.int().optional(),
    })
    .transform(({ changedAt, ...record }) => ({ ...record, changedAt })),
]);

/** A step of following records as a message. */
const StepMessage = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('listed'), items: z.array(z.tuple([Name, RecordSecret])).readonly() }),
  z.strictObject({ kind: z.literal('changed'), name: Name, item: RecordSecret }),
  z.strictObject({ kind: z.literal('gone'), name: Name }),
  z.strictObject({ kind: z.literal('resumed') }),
  z.strictObject({ kind: z.literal('unreadable'), why: Text }),
  /** Following ended for a reason other than the management cluster. */
  z.strictObject({ kind: z.literal('ended') }),
]);
type StepMessage = z.output<typeof StepMessage>;

/** Returns the message for a step. */
export function toStepMessage(step: RecordStep): StepMessage {
  if (step.kind === 'listed') return { kind: 'listed', items: [...step.items] };
  return step.kind === 'unreadable' ? { ...step, why: step.why.slice(0, 300) } : step;
}

/** Returns the step of a message; `undefined` if following has ended. */
export function toRecordStep(message: StepMessage): RecordStep | undefined {
  if (message.kind === 'ended') return undefined;
  return message.kind === 'listed' ? { kind: 'listed', items: new Map(message.items) } : message;
}

/** Reports of the probing process. It handles untrusted input, so its reports are validated like external input. */
export const WorkerReport = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('ready') }),
  z.strictObject({ kind: z.literal('pong'), stats: Stats }),
  z.strictObject({
    kind: z.literal('inventory'),
    readings: z
      .array(
        z.union([
          z.strictObject({ source: Source, items: z.array(Item).readonly() }),
          z.strictObject({ source: Source, unreadable: Text }),
          z.strictObject({ source: Source, isReadable: z.literal(true) }),
        ]),
      )
      .readonly(),
  }),
  z.strictObject({ kind: z.literal('step'), id: z.int(), step: StepMessage }),
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
