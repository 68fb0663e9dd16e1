import { z } from 'zod';
import { UnreadableFact } from '../../facts/fact.ts';
import { formatInstant, type Instant, parseInstant } from '../../time.ts';
import { CONDITION_KINDS } from '../judging/condition.ts';
import type { Breaker } from '../judging/outage.ts';

/**
 * Runs as they are recorded: the events of the stream of a run. A run says what has changed since the run before it of the
 * same shard; a full list comes once a day and after a change of policy. `recordsOf` (write-run.ts) makes them.
 */

/** A part of the fleet: clusters are shared out by a hash of their ids. */
export interface Shard {
  /** From 1 to `of`. */
  readonly index: number;
  readonly count: number;
}

export const WHOLE_FLEET: Shard = { index: 1, count: 1 };

export function shardName({ index, count }: Shard): string {
  return `${index}of${count}`;
}

/**
 * The name of a run, also in streams and URLs: its tick in the basic format of ISO 8601, and its shard where there are
 * several. `20260415T120000.000Z`, `20260415T120000.000Z-2of3`.
 */
export function runId(tick: Instant, shard: Shard = WHOLE_FLEET): string {
  const instant = formatInstant(tick).replaceAll(/[-:]/g, '');
  return shard.count === 1 ? instant : `${instant}-${shardName(shard)}`;
}

const RUN_ID = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d\.\d{3}Z)(?:-([1-9]\d{0,3})of([1-9]\d{0,3}))?$/;

/** @returns `undefined` where the text names no run. */
export function parseRunId(text: string): { readonly tick: Instant; readonly shard: Shard } | undefined {
  const [, year, month, day, hour, minute, second, index, count] = RUN_ID.exec(text) ?? [];
  const tick = parseInstant(`${year}-${month}-${day}T${hour}:${minute}:${second}`);
  if (tick === undefined) return undefined;
  const shard = index === undefined ? WHOLE_FLEET : { index: Number(index), count: Number(count) };
  return shard.index <= shard.count && runId(tick, shard) === text ? { tick, shard } : undefined;
}

const PREFIX = 'validation-';

export function runStream(run: string): string {
  return PREFIX + run;
}

/** The run whose records stand in a stream, or `undefined` where it holds something else. */
export function runOfStream(stream: string): string | undefined {
  return stream.startsWith(PREFIX) ? stream.slice(PREFIX.length) : undefined;
}

export const TRIGGERS = ['schedule', 'request', 'once'] as const;
export type Trigger = (typeof TRIGGERS)[number];

const InstantData = z.string().transform((text, check) => {
  const instant = parseInstant(text);
  if (instant !== undefined) return instant;
  check.addIssue({ code: 'custom', message: 'is no instant' });
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
 * A cluster whose verdict is listed: its id, the ms from the tick to when it was seen, its UID, words for people. What is
 * absent at the end is left out, `null` in between. Without an instant it is as it was in the run before.
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
    /** A run that is not complete by then counts for nothing. */
    deadline: InstantData,
    /** Time from one scheduled run to the next, in ms: what tells that the validator has gone stale. */
    everyMs: whole.exactOptional(),
    /** Clusters to probe, where it is known. */
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
    /** Clusters of the run before that are no longer probed. */
    left: z.array(z.string()),
  }),
  ValidationJudged: z.object({
    /** Facts that the mode kept back, in the form of recorded ones. */
    wouldHave: z.array(z.looseObject({ type: z.string(), clusterId: z.string(), effectiveAt: z.string() })),
    /** Facts that were appended: their clusters and types. */
    facts: z.array(z.tuple([z.string(), z.string()])),
    marks: z.array(z.tuple([z.string(), AnnouncedData, AnnouncedData, z.boolean()])),
    raised: z.array(ConditionData),
    /** Ids of conditions that no longer hold. */
    resolved: z.array(z.string()),
  }),
  ValidationCompleted: z.object({
    /** The run that the changes are relative to; `null` for a full list that stands for itself. */
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
    /** Thresholds by the name that facts give, in full lists. */
    thresholds: z.record(z.string(), z.record(z.string(), z.union([z.string(), z.number()]))).exactOptional(),
  }),
} as const;

export type RecordType = keyof typeof schemas;
export type RunRecord = {
  readonly [T in RecordType]: { readonly type: T; readonly data: z.output<(typeof schemas)[T]> };
}[RecordType];
export type DataOf<T extends RecordType> = Extract<RunRecord, { type: T }>['data'];
/** As it is written down. */
export type StoredRecord = {
  readonly [T in RecordType]: { readonly type: T; readonly data: z.input<(typeof schemas)[T]> };
}[RecordType];

/** Reads a record back. @throws UnreadableFact */
export function parseRunRecord(type: string, data: unknown): RunRecord {
  if (!Object.hasOwn(schemas, type)) throw new UnreadableFact(`${type} is not known`);
  const parsed = schemas[type as RecordType].safeParse(data);
  if (parsed.success) return { type, data: parsed.data } as RunRecord;
  const [issue] = parsed.error.issues;
  throw new UnreadableFact(`${type} cannot be read: ${issue?.path.join('.')} ${issue?.message}`);
}

/** The first event of a run; whoever appends it, expecting no stream, has the run. */
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
