import { z } from 'zod';
import { formatInstant, type Instant, parseInstant, readInstant } from '../time.ts';

/**
 * Facts: what is recorded of one cluster, immutable, past tense. One schema per type says what it carries besides its
 * `type`, `clusterId` and `effectiveAt`; the types follow from the schemas. docs/billing-rules.md says what they mean.
 */

/** Ids are also parts of stream names and of URLs, so their alphabet is small. */
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

/** One line of text for people. */
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
 * Where the credentials of a cluster are kept, such as `argocd/cluster-c1`: a reference, never a credential. What looks
 * like one (a JSON Web Token, several lines) is refused before it can be stored.
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

/** What was seen, for people and auditors; the ledger never computes with it. */
type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
const Json: z.ZodType<Json> = z
  .lazy(() =>
    z.union([z.null(), z.boolean(), z.number(), z.string(), z.array(Json), z.record(z.string(), Json)]),
  )
  .meta({ id: 'Json' });
const Evidence = z.record(z.string().min(1).max(128), Json);

const Reason = line(1_000);
const deletionProgress = { deletionId: line(255).optional(), reason: Reason.optional() };
const observation = {
  since: z.string().refine(isWrittenInstant, 'must be YYYY-MM-DDTHH:MM:SS.mmmZ').optional(),
  evidence: Evidence.optional(),
  policy: line(255).optional(),
};

function isWrittenInstant(text: string): boolean {
  const instant = parseInstant(text);
  return instant !== undefined && formatInstant(instant) === text;
}

/** The causes that can stop billing, each a switch of its own. */
export const CAUSES = ['unreachable', 'missing', 'manual'] as const;
export const Cause = z.enum(CAUSES);
export type Cause = z.infer<typeof Cause>;

/** `deleted` marks the notice that the ledger itself appends with a deletion; it is no switch. */
const AnyCause = z.enum([...CAUSES, 'deleted']);
const billing = { cause: AnyCause, reason: Reason.optional(), ...observation };

/** The attributes of a cluster. Each may differ over time: a fact says only those that it carries. */
const attributes = {
  accountId: AccountId,
  name: line(253),
  clusterType: line(64),
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
  ClusterRegistered: z.strictObject({
    ...Attributes.shape,
    accountId: attributes.accountId,
    name: attributes.name,
  }),
  ClusterChanged: Attributes.refine(
    (changed) => Object.keys(changed).length > 0,
    `must have at least one of ${ATTRIBUTES.join(', ')}`,
  ),
  ClusterDeletionRequested: z.strictObject(deletionProgress),
  ClusterDeletionConfirmed: z.strictObject(deletionProgress),
  ClusterDeletionCancelled: z.strictObject(deletionProgress),
  ClusterDeletionFailed: z.strictObject(deletionProgress),
  ClusterDeleted: z.strictObject({ reason: Reason.optional() }),
  ClusterUnreachable: z.strictObject(observation),
  ClusterReachable: z.strictObject(observation),
  BillingStopped: z.strictObject(billing),
  BillingResumed: z.strictObject(billing),
  FactVoided: z.strictObject({ voids: EventId, reason: Reason }),
} as const;

export type FactType = keyof typeof factPayloads;
export const FACT_TYPES = Object.keys(factPayloads) as FactType[];

export type Payload<T extends FactType> = z.output<(typeof factPayloads)[T]>;
export type FactOf<T extends FactType> = {
  readonly [K in T]: Readonly<{ type: K; clusterId: string; effectiveAt: Instant } & Payload<K>>;
}[T];
export type Fact = FactOf<FactType>;

/** A fact with its place in the log, which names it too. */
export interface OrderedFact<F = Fact> {
  readonly order: number;
  readonly fact: F;
}

/** A fact with its identity and its place. */
export interface KnownFact<F = Fact> extends OrderedFact<F> {
  readonly eventId: string;
}

/** What the log cannot tell us: a fact of a type or version that this release does not know, or a damaged one. */
export class UnreadableFact extends Error {
  override readonly name = 'UnreadableFact';
}

type Recorded = Readonly<Record<string, unknown>>;

/**
 * The ways from an older shape of a type to the next: step `n` turns data of version `n + 1` into version `n + 2`. Pure and
 * total; a stored sample of every version stays in test/domain/samples/. A type is recorded under its name, from its
 * second version on with that: `ClusterRegistered`, `ClusterRegistered.v2`.
 */
const upcasters: { readonly [T in FactType]?: readonly ((data: Recorded) => Recorded)[] } = {
  // Version 1 recorded `billable: true` also if nothing was posted, and only the first registration decided. So that a cluster
  // that was free stays free, `true` counts as not posted.
  ClusterRegistered: [({ billable, ...data }) => (billable === false ? { ...data, billable } : data)],
};

function latestVersion(type: FactType): number {
  return (upcasters[type]?.length ?? 0) + 1;
}

/** The name under which facts of a type are recorded today. */
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
 * Reads a recorded fact of any version up to ours. What was checked before it was recorded is not checked again in
 * depth, since a replay reads millions; what the bill depends on is.
 * @param clusterId the cluster whose stream it stands in; it must be the one that the fact names.
 * @throws UnreadableFact where type or version are unknown or a field that billing needs is not of its form.
 */
export function parseFact(clusterId: string, recordedAs: string, recorded: unknown): Fact {
  const { type, version } = readType(recordedAs);
  if (typeof recorded !== 'object' || recorded === null)
    throw new UnreadableFact(`${type} carries no object`);
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
