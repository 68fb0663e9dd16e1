/**
 * Records of a run: the events of its stream. A run records the changes since the previous run of its shard. Once a
 * day, and after a change of policy, it records a full list. `serializeRun` (write-run.ts) creates the records.
 */

import { z } from 'zod';
import { UnreadableFact } from '../../facts/fact.ts';
import { INVENTORY_STATUSES } from '../../inventory.ts';
import type { STREAMS } from '../../stream-table.ts';
import { formatInstant, type Instant, parseInstant } from '../../time.ts';
import { CONDITION_KINDS } from '../judging/condition.ts';
import type { Breaker } from '../judging/outage.ts';

/** A part of the fleet. A hash of the id assigns each cluster to a shard. */
export interface Shard {
  /** From 1 to `count`. */
  readonly index: number;
  readonly count: number;
}

export const WHOLE_FLEET: Shard = { index: 1, count: 1 };

export function shardName({ index, count }: Shard): string {
  return `${index}of${count}`;
}

/**
 * Returns the id of a run, which streams and URLs contain: its tick in ISO 8601 basic format, and its shard if
 * there are several. Examples: `20260415T120000.000Z`, `20260415T120000.000Z-2of3`.
 */
export function runId(tick: Instant, shard: Shard = WHOLE_FLEET): string {
  const instant = formatInstant(tick).replaceAll(/[-:]/g, '');
  return shard.count === 1 ? instant : `${instant}-${shardName(shard)}`;
}

const RUN_ID = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d\.\d{3}Z)(?:-([1-9]\d{0,3})of([1-9]\d{0,3}))?$/;

/** @returns `undefined` if the text is not the id of a run. */
export function parseRunId(text: string): { readonly tick: Instant; readonly shard: Shard } | undefined {
  const [, year, month, day, hour, minute, second, index, count] = RUN_ID.exec(text) ?? [];
  const tick = parseInstant(`${year}-${month}-${day}T${hour}:${minute}:${second}`);
  if (tick === undefined) return undefined;
  const shard = index === undefined ? WHOLE_FLEET : { index: Number(index), count: Number(count) };
  return shard.index <= shard.count && runId(tick, shard) === text ? { tick, shard } : undefined;
}

export const TRIGGERS = ['schedule', 'request', 'once'] as const;
export type Trigger = (typeof TRIGGERS)[number];

const InstantData = z.string().transform((text, check) => {
  const instant = parseInstant(text);
  if (instant !== undefined) return instant;
  check.addIssue({ code: 'custom', message: 'is not an instant' });
  return z.NEVER;
});
const whole = z.int().nonnegative();

const Counts = z.object({ alive: whole, unreachable: whole, unknown: whole, unverifiable: whole });
export type Counts = z.output<typeof Counts>;

const trust = { trust: z.object({ from: InstantData, runs: whole }).exactOptional() };
const StoredBreaker = z.discriminatedUnion('open', [
  z.object({ open: z.literal(false), ...trust }),
  z.object({
    ...trust,
    open: z.literal(true),
    since: InstantData,
    why: z.enum(['canary', 'all', 'ratio']),
    bad: whole,
    of: whole,
    canaries: z.array(z.string()),
  }),
]);
/** `trust` is the stored name of `countedRuns`. */
const BreakerData = StoredBreaker.transform(
  ({ trust: countedRuns, ...breaker }): Breaker => ({ ...breaker, ...(countedRuns && { countedRuns }) }),
);

const ConditionData = z.object({
  kind: z.enum(CONDITION_KINDS),
  subject: z.string(),
  accountId: z.string().exactOptional(),
  data: z.record(z.string(), z.union([z.string(), z.number()])),
});

/**
 * A listed verdict of a cluster: its id, the time from the tick to the verdict in ms, its UID, and a detail. Absent
 * values at the end are omitted; in between they are `null`. Without a time the verdict is unchanged.
 */
const Listed = z.tuple(
  [z.string()],
  z.union([z.string(), z.number(), z.null()]),
) as unknown as z.ZodType<Listed>;
export type Listed = readonly [
  clusterId: string,
  offsetMs?: number | null,
  uid?: string | null,
  detail?: string,
];

const AnnouncedData = z.enum(['recorded', 'would', 'ended']).nullable();

const schemas = {
  ValidationStarted: z.object({
    tick: InstantData,
    shard: z.string(),
    trigger: z.enum(TRIGGERS),
    /** Digest of the policies. */
    policies: z.string(),
    by: z.string(),
    /** A run that is not complete by then has no effect. */
    deadline: InstantData,
    /** Time between scheduled runs, in ms. It decides when the alert for a stale validator is raised. */
    everyMs: whole.exactOptional(),
    /** Number of clusters to probe, if known. */
    total: whole.exactOptional(),
  }),
  ValidationProgressed: z.object({ done: whole, total: whole, counts: Counts }),
  ValidationRecorded: z.object({
    verdicts: z.array(
      z.object({
        state: z.enum(['alive', 'unreachable', 'unknown', 'unverifiable']),
        code: z.string(),
        clusters: z.array(Listed),
      }),
    ),
    /** Statuses in the inventory, where they differ from the previous run. */
    inventory: z
      .array(z.object({ status: z.enum(INVENTORY_STATUSES), clusters: z.array(z.string()) }))
      .exactOptional(),
    /** Clusters of the previous run that are no longer probed. */
    left: z.array(z.string()),
  }),
  ValidationJudged: z.object({
    /** Facts that the mode withheld, serialized as recorded facts are. */
    wouldHave: z.array(z.looseObject({ type: z.string(), clusterId: z.string(), effectiveAt: z.string() })),
    /** Facts that were appended, as cluster id and type. */
    facts: z.array(z.tuple([z.string(), z.string()])),
    /** Per cluster what was announced: unreachable, stopped, gone, missing. */
    marks: z.array(
      z.tuple([z.string(), AnnouncedData, AnnouncedData, z.boolean(), AnnouncedData.optional()]),
    ),
    raised: z.array(ConditionData),
    /** Ids of conditions that ended. */
    resolved: z.array(z.string()),
  }),
  ValidationCompleted: z.object({
    /** The run that the changes are relative to; `null` if there was none. */
    base: z.string().nullable(),
    full: z.boolean(),
    decidedAt: InstantData,
    counts: Counts,
    changed: whole,
    facts: whole,
    wouldHave: whole,
    withheld: z.boolean(),
    breaker: BreakerData,
    raised: whole,
    resolved: whole,
    durationMs: whole,
    /** Thresholds by the name of the policy, in full lists. */
    thresholds: z
      .record(z.string(), z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])))
      .exactOptional(),
  }),
} as const satisfies Record<(typeof STREAMS.validation.types)[number], z.ZodType>;

export type RecordType = keyof typeof schemas;
export type RunRecord = {
  readonly [T in RecordType]: { readonly type: T; readonly data: z.output<(typeof schemas)[T]> };
}[RecordType];
export type DataOf<T extends RecordType> = Extract<RunRecord, { type: T }>['data'];
/** A record in its stored form. */
export type StoredRecord = {
  readonly [T in RecordType]: { readonly type: T; readonly data: z.input<(typeof schemas)[T]> };
}[RecordType];

/** Parses a stored record. @throws UnreadableFact */
export function parseRunRecord(type: string, data: unknown): RunRecord {
  if (!Object.hasOwn(schemas, type)) throw new UnreadableFact(`${type} is not known`);
  const parsed = schemas[type as RecordType].safeParse(data);
  if (parsed.success) return { type, data: parsed.data } as RunRecord;
  const [issue] = parsed.error.issues;
  throw new UnreadableFact(`${type} cannot be read: ${issue?.path.join('.')} ${issue?.message}`);
}

/** Returns the first event of a run. The process that appends it to the absent stream owns the run. */
export function startRecord(start: {
  readonly tick: Instant;
  readonly shard: Shard;
  readonly trigger: Trigger;
  readonly policies: string;
  readonly by: string;
  readonly deadline: Instant;
  readonly everyMs?: number;
  readonly total?: number;
}): StoredRecord {
  const { tick, shard, deadline, ...rest } = start;
  const data = {
    ...rest,
    tick: formatInstant(tick),
    shard: shardName(shard),
    deadline: formatInstant(deadline),
  };
  return { type: 'ValidationStarted', data };
}
