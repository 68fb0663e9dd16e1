/**
 * Facts about clusters: immutable, in the past tense. Each type has a schema of its fields besides `type`, `clusterId` and
 * `effectiveAt`; the TypeScript types are inferred from the schemas. docs/billing-rules.md defines their meaning.
 */
import { z } from 'zod';
import { formatInstant, type Instant, parseInstant, readInstant } from '../time.ts';

/** Cluster ids are parts of stream names and URLs, so that few characters are allowed. */
export const ClusterId = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/,
    'must be 1 to 128 of A-Z a-z 0-9 . _ - and begin with a letter or digit',
  );
export const AccountId = z
  .string()
  .regex(
    /^[A-Za-z0-9_][A-Za-z0-9._:@-]{0,127}$/,
    'must be 1 to 128 of A-Z a-z 0-9 . _ : @ - and begin with a letter, digit or _',
  );
export const EventId = z
  .string()
  .regex(
    /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/,
    'must be an event id of this ledger: a UUID in lower case',
  );

/** Returns the schema of a line of text without control characters. */
export const line = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .refine(
      (text) => text.isWellFormed() && !/\p{Cc}/u.test(text),
      'must be text without control characters',
    );

const Label = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._/-]{0,127}$/, 'must be 1 to 128 of A-Z a-z 0-9 . _ / -');

/**
 * A reference to the credentials of a cluster, such as `argocd/cluster-c1`. Text that looks like a credential (a JSON Web
 * Token, several lines) is rejected, so that no credential is stored.
 */
const Connection = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._/:@-]{0,252}$/,
    'must be a reference of 1 to 253 of A-Z a-z 0-9 . _ / : @ -',
  )
  .refine(
    (text) => !/^ey[JI][A-Za-z0-9_-]+\./.test(text),
    'must be a reference to a credential, not a credential',
  );

/** Evidence for people and auditors. The ledger never computes with it. */
type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
/** A schema that refers to itself would take half of the time that checking an event takes, also if the event has no evidence. */
const Json = z
  .custom<Json>(isJson, 'must be a JSON value')
  .meta({ id: 'Json', description: 'Any JSON value.' });
const Evidence = z.record(z.string().min(1).max(128), Json);

function isJson(value: unknown): boolean {
  if (typeof value !== 'object' || value === null)
    return value === null || ['boolean', 'string'].includes(typeof value) || Number.isFinite(value);
  return Object.values(value).every(isJson);
}

const Reason = line(1_000);
const deletionProgress = { deletionId: line(255).optional(), reason: Reason.optional() };
const observation = {
  since: z
    .string()
    .refine(isWrittenInstant, 'must be YYYY-MM-DDTHH:MM:SS.mmmZ')
    .meta({ format: 'date-time', pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$' })
    .optional(),
  evidence: Evidence.optional(),
  policy: line(255).optional(),
};

function isWrittenInstant(text: string): boolean {
  const instant = parseInstant(text);
  return instant !== undefined && formatInstant(instant) === text;
}

/** The causes that can stop billing. Each stops and resumes independently of the others. */
export const CAUSES = ['unreachable', 'missing', 'manual'] as const;
export const Cause = z.enum(CAUSES);
export type Cause = z.infer<typeof Cause>;

/** `deleted` marks the notice that the ledger appends with a deletion. It does not stop billing on its own. */
const AnyCause = z.enum([...CAUSES, 'deleted']);
const billing = { cause: AnyCause, reason: Reason.optional(), ...observation };

/** The type of a cluster, such as `workload`. Usage, adjustments and limits are also by type. */
export const ClusterType = line(64);

/** The attributes of a cluster. Each may change over time. A fact sets only the attributes that it contains. */
const attributes = {
  accountId: AccountId,
  name: line(253),
  clusterType: ClusterType,
  cloudProvider: line(64),
  region: line(64),
  labels: z
    .record(Label, z.string().max(256))
    .refine((labels) => Object.keys(labels).length <= 64, 'must be at most 64 labels'),
  billable: z.boolean(),
  connection: Connection,
};
const Attributes = z.strictObject(attributes).partial();
export type ClusterAttributes = Readonly<z.output<typeof Attributes>>;
export const ATTRIBUTES = Object.keys(attributes) as (keyof ClusterAttributes)[];

/** The attributes that decide who is billed for a cluster, as what, and whether at all. */
export const BILLING_ATTRIBUTES = ['accountId', 'clusterType', 'billable'] as const;
export type BillingAttribute = (typeof BILLING_ATTRIBUTES)[number];

export const factPayloads = {
  ClusterRegistered: z
    .strictObject({
      ...Attributes.shape,
      accountId: attributes.accountId,
      name: attributes.name,
    })
    .meta({ id: 'ClusterRegisteredData' }),
  ClusterChanged: Attributes.refine(
    (changed) => Object.keys(changed).length > 0,
    `must have at least one of ${ATTRIBUTES.join(', ')}`,
  ).meta({ id: 'ClusterChangedData', minProperties: 1 }),
  ClusterDeletionRequested: z.strictObject(deletionProgress).meta({ id: 'ClusterDeletionRequestedData' }),
  ClusterDeletionConfirmed: z.strictObject(deletionProgress).meta({ id: 'ClusterDeletionConfirmedData' }),
  ClusterDeletionCancelled: z.strictObject(deletionProgress).meta({ id: 'ClusterDeletionCancelledData' }),
  ClusterDeletionFailed: z.strictObject(deletionProgress).meta({ id: 'ClusterDeletionFailedData' }),
  ClusterDeleted: z.strictObject({ reason: Reason.optional() }).meta({ id: 'ClusterDeletedData' }),
  ClusterUnreachable: z.strictObject(observation).meta({ id: 'ClusterUnreachableData' }),
  ClusterReachable: z.strictObject(observation).meta({ id: 'ClusterReachableData' }),
  BillingStopped: z.strictObject(billing).meta({ id: 'BillingStoppedData' }),
  BillingResumed: z.strictObject(billing).meta({ id: 'BillingResumedData' }),
  FactVoided: z.strictObject({ voids: EventId, reason: Reason }).meta({ id: 'FactVoidedData' }),
} as const;

export type FactType = keyof typeof factPayloads;
export const FACT_TYPES = Object.keys(factPayloads) as FactType[];

export type Payload<T extends FactType> = z.output<(typeof factPayloads)[T]>;
export type FactOf<T extends FactType> = {
  readonly [K in T]: Readonly<{ type: K; clusterId: string; effectiveAt: Instant } & Payload<K>>;
}[T];
export type Fact = FactOf<FactType>;

/** A fact with its rank among the facts of its cluster. The order also identifies the fact there. */
export interface OrderedFact<F = Fact> {
  readonly order: number;
  readonly fact: F;
}

/** A fact with its order and its event id. */
export interface KnownFact<F = Fact> extends OrderedFact<F> {
  readonly eventId: string;
}

/** Thrown for a recorded fact that is damaged, or of a type or version that this release does not know. */
export class UnreadableFact extends Error {
  override readonly name = 'UnreadableFact';
}

type Recorded = Readonly<Record<string, unknown>>;

/**
 * Upcasters by type: step `n` converts data of version `n + 1` to version `n + 2`. They are pure and total, and
 * test/domain/samples/ keeps a sample of every version. Version 1 of a type is recorded under its name, later versions with
 * a suffix: `ClusterRegistered`, `ClusterRegistered.v2`.
 */
const upcasters: { readonly [T in FactType]?: readonly ((data: Recorded) => Recorded)[] } = {
  // Version 1 recorded `billable: true` also if nothing was posted, and only the first registration decided. So that a cluster
  // that was free stays free, `true` counts as not posted.
  ClusterRegistered: [({ billable, ...data }) => (billable === false ? { ...data, billable } : data)],
};

function latestVersion(type: FactType): number {
  return (upcasters[type]?.length ?? 0) + 1;
}

/** Returns the name under which this release records facts of a type. */
export function recordedType(type: FactType): string {
  const version = latestVersion(type);
  return version === 1 ? type : `${type}.v${version}`;
}

/** Returns the type of a fact that is recorded under a name, whatever its version; `undefined` if the name is not known. */
export function recordedFactType(recorded: string): FactType | undefined {
  const name = recorded.replace(/\.v\d+$/, '');
  return Object.hasOwn(factPayloads, name) ? (name as FactType) : undefined;
}

function readType(recorded: string): { type: FactType; version: number } {
  if (Object.hasOwn(factPayloads, recorded)) return { type: recorded as FactType, version: 1 };
  const [, type, version] = /^(\w+)\.v(\d+)$/.exec(recorded) ?? [];
  const isKnown = type !== undefined && Object.hasOwn(factPayloads, type);
  if (!isKnown || Number(version) > latestVersion(type as FactType)) {
    throw new UnreadableFact(`fact type ${recorded} is not known to this release`);
  }
  return { type: type as FactType, version: Number(version) };
}

/**
 * Parses a recorded fact of any version up to the latest one. It checks only the fields that billing needs, because a replay
 * parses millions of facts and all fields were validated before they were recorded.
 * @param clusterId the cluster of the stream; the fact must name the same cluster.
 * @throws UnreadableFact if the type or version is unknown, or a field that billing needs is invalid.
 */
export function parseFact(clusterId: string, recordedAs: string, recorded: unknown): Fact {
  const { type, version } = readType(recordedAs);
  if (typeof recorded !== 'object' || recorded === null)
    throw new UnreadableFact(`the data of ${type} is not an object`);
  let data = recorded as Recorded;
  for (const upcast of upcasters[type]?.slice(version - 1) ?? []) data = upcast(data);
  const effectiveAt = typeof data['effectiveAt'] === 'string' ? readInstant(data['effectiveAt']) : Number.NaN;
  if (Number.isNaN(effectiveAt)) throw new UnreadableFact(`${type} has no readable effectiveAt`);
  if (data['clusterId'] !== clusterId)
    throw new UnreadableFact(`${type} names another cluster than its stream`);
  if (!hasWhatBillingNeeds(type, data)) throw new UnreadableFact(`${type} lacks what billing needs`);
  return { ...data, type, effectiveAt } as unknown as Fact;
}

function hasWhatBillingNeeds(type: FactType, data: Recorded): boolean {
  switch (type) {
    case 'ClusterRegistered':
      return typeof data['accountId'] === 'string' && hasReadableAttributes(data);
    case 'ClusterChanged':
      return hasReadableAttributes(data);
    case 'BillingStopped':
    case 'BillingResumed':
      return AnyCause.options.includes(data['cause'] as Cause);
    case 'FactVoided':
      return typeof data['voids'] === 'string';
    default:
      return true;
  }
}

function hasReadableAttributes({ accountId, clusterType, billable }: Recorded): boolean {
  const isText = (value: unknown) => value === undefined || typeof value === 'string';
  return (
    isText(accountId) && isText(clusterType) && (billable === undefined || typeof billable === 'boolean')
  );
}
