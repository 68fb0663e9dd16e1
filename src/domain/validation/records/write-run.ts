import type { Fact } from '../../facts/fact.ts';
import { serializeFact } from '../../facts/recorded-fact.ts';
import type { InventoryStatus } from '../../inventory.ts';
import { DAY_MS, formatInstant, type Instant } from '../../time.ts';
import { type Condition, conditionId } from '../judging/condition.ts';
import type { Judgement } from '../judging/judge.ts';
import type { Breaker } from '../judging/outage.ts';
import { digestOf, type Policies, type Policy } from '../judging/policy.ts';
import type { ProbeHistory } from '../judging/probe-history.ts';
import type { Verdict, VerdictState } from '../judging/verdict.ts';
import type { Counts, Listed, StoredRecord } from './run-record.ts';

/**
 * Maximum size of the data of one event in bytes. With metadata it stays well below the limit of an entry of the
 * audit log.
 */
export const MAX_RECORD_BYTES = 48 * 1024;

/** State that the last completed run of the shard left, as `ValidationBook.lastOf(shard)` returns it. */
export interface PreviousRun {
  readonly run: string;
  readonly policies: string;
  /** Tick of the last full list. */
  readonly fullAt: Instant;
  /** Ids of the clusters that the run probed. */
  readonly members: ReadonlySet<string>;
  /** Conditions that the run found, by id. */
  readonly conditions: ReadonlyMap<string, Condition>;
}

export interface JudgedRun {
  readonly tick: Instant;
  readonly decidedAt: Instant;
  readonly policies: Policies;
  readonly judgement: Judgement;
  /** Returns the history of a cluster before the run. */
  readonly historyBefore: (clusterId: string) => ProbeHistory | undefined;
  readonly before: PreviousRun | undefined;
  readonly durationMs: number;
}

/**
 * Returns the records of a judged run whose facts are durable, in the order in which they are appended after its
 * start. They may be appended in several writes. The last record completes the run.
 */
export function serializeRun(finished: JudgedRun): StoredRecord[] {
  const { tick, decidedAt, policies, judgement, before, durationMs } = finished;
  const full = needsFullList(tick, policies, before);
  const listed = judgement.verdicts.filter(({ isChanged }) => full || isChanged);
  const verdicts = listed.map(({ clusterId, verdict, isChanged }): VerdictItem => {
    return {
      state: verdict.state,
      code: verdict.code,
      entry: listedVerdict(clusterId, verdict, isChanged, tick),
    };
  });
  const listings = judgement.verdicts.flatMap(({ clusterId }): ListingItem[] => {
    const status = judgement.histories.get(clusterId)?.listing?.status;
    const isSame = status === finished.historyBefore(clusterId)?.listing?.status;
    return status === undefined || isSame ? [] : [{ clusterId, status }];
  });
  const probed = new Set(judgement.verdicts.map(({ clusterId }) => clusterId));
  const left = [...(before?.members ?? [])].filter((clusterId) => !probed.has(clusterId)).sort();
  const { raised, resolved } = conditionChanges(judgement.conditions, before?.conditions ?? new Map());
  const { breaker } = judgement;
  return [
    ...recordedChunks(verdicts, listings, left),
    ...judgedChunks(judgement, raised, resolved, finished.historyBefore),
    {
      type: 'ValidationCompleted',
      data: {
        base: before?.run ?? null,
        full,
        decidedAt: formatInstant(decidedAt),
        counts: countsOf(judgement.verdicts.map(({ verdict }) => verdict)),
        changed: judgement.verdicts.filter(({ isChanged }) => isChanged).length,
        facts: judgement.facts.length,
        wouldHave: judgement.wouldHave.length,
        withheld: judgement.isWithheld,
        breaker: breakerData(breaker),
        raised: raised.length,
        resolved: resolved.length,
        durationMs,
        ...(full && { thresholds: thresholdsOf(policies) }),
      },
    },
  ];
}

/** In stored records `countedRuns` is called `trust`. */
function breakerData({ countedRuns, ...breaker }: Breaker) {
  const trust = countedRuns && { trust: { from: formatInstant(countedRuns.from), runs: countedRuns.runs } };
  if (!breaker.open) return { open: false as const, ...trust };
  const { since, canaries } = breaker;
  return { ...breaker, since: formatInstant(since), canaries: [...canaries], ...trust };
}

/** Returns whether the run needs a full list: once a day, after a change of policy, and if there is no previous run. */
function needsFullList(tick: Instant, policies: Policies, before: PreviousRun | undefined): boolean {
  if (before === undefined || before.policies !== policies.digest) return true;
  return Math.floor(tick / DAY_MS) !== Math.floor(before.fullAt / DAY_MS);
}

export function countsOf(verdicts: readonly Pick<Verdict, 'state'>[]): Counts {
  const counts = { alive: 0, unreachable: 0, unknown: 0, unverifiable: 0 };
  for (const { state } of verdicts) counts[state]++;
  return counts;
}

/** Status of a cluster in the inventory that differs from the previous run. */
interface ListingItem {
  readonly clusterId: string;
  readonly status: InventoryStatus;
}

interface VerdictItem {
  readonly state: VerdictState;
  readonly code: string;
  readonly entry: Listed;
}

function listedVerdict(clusterId: string, verdict: Verdict, isChanged: boolean, tick: Instant): Listed {
  const offset = isChanged ? verdict.at - tick : null;
  const detail = isChanged ? verdict.detail : undefined;
  if (detail !== undefined) return [clusterId, offset, verdict.uid ?? null, detail];
  if (verdict.uid !== undefined) return [clusterId, offset, verdict.uid];
  return isChanged ? [clusterId, offset] : [clusterId];
}

type Recorded = Extract<StoredRecord, { type: 'ValidationRecorded' }>['data'];
type Group = { state: VerdictState; code: string; clusters: Listed[] };

function recordedChunks(
  verdicts: readonly VerdictItem[],
  listings: readonly ListingItem[],
  left: readonly string[],
): StoredRecord[] {
  const items = [...verdicts, ...listings, ...left];
  return chunked(items, (chunk): StoredRecord => {
    const groups = new Map<string, Group>();
    const listed = new Map<InventoryStatus, string[]>();
    const data: Recorded = { verdicts: [], left: [] };
    for (const item of chunk) {
      if (typeof item === 'string') {
        data.left.push(item);
        continue;
      }
      if ('status' in item) {
        const clusters = listed.get(item.status);
        if (clusters === undefined) listed.set(item.status, [item.clusterId]);
        else clusters.push(item.clusterId);
        continue;
      }
      const { state, code, entry } = item;
      let group = groups.get(`${state} ${code}`);
      if (group === undefined) {
        group = { state, code, clusters: [] };
        groups.set(`${state} ${code}`, group);
        data.verdicts.push(group);
      }
      group.clusters.push(entry);
    }
    const inventory = Array.from(listed, ([status, clusters]) => ({ status, clusters }));
    return {
      type: 'ValidationRecorded',
      data: inventory.length === 0 ? data : { ...data, inventory },
    };
  });
}

type Judged = Extract<StoredRecord, { type: 'ValidationJudged' }>['data'];
type JudgedItem = { readonly [K in keyof Judged]: readonly [K, Judged[K][number]] }[keyof Judged];

function judgedChunks(
  { facts, wouldHave, histories }: Judgement,
  raised: readonly Condition[],
  resolved: readonly string[],
  historyBefore: JudgedRun['historyBefore'],
): StoredRecord[] {
  const items: JudgedItem[] = [
    ...wouldHave.map(({ fact }) => ['wouldHave', storedFact(fact)] as const),
    ...facts.map(({ fact }) => ['facts', [fact.clusterId, fact.type] as [string, string]] as const),
    ...Array.from(histories).flatMap(([clusterId, history]) =>
      announcedItems(clusterId, history, historyBefore(clusterId)),
    ),
    ...raised.map((condition) => ['raised', condition] as const),
    ...resolved.map((id) => ['resolved', id] as const),
  ];
  return chunked(items, (chunk): StoredRecord => {
    const data: Judged = { wouldHave: [], facts: [], marks: [], raised: [], resolved: [] };
    for (const [name, item] of chunk) (data[name] as unknown[]).push(item);
    return { type: 'ValidationJudged', data };
  });
}

function storedFact(fact: Fact): Judged['wouldHave'][number] {
  const { type, data } = serializeFact(fact, { source: '', id: '', actor: '' });
  return { ...data, type };
}

function announcedItems(
  clusterId: string,
  { announced }: ProbeHistory,
  before: ProbeHistory | undefined,
): JudgedItem[] {
  const announcedBefore = before?.announced ?? {};
  const kinds = ['unreachable', 'stopped', 'gone', 'missing'] as const;
  if (kinds.every((kind) => announced[kind] === announcedBefore[kind])) return [];
  const { unreachable = null, stopped = null, gone, missing } = announced;
  const mark: Judged['marks'][number] = [clusterId, unreachable, stopped, gone === true];
  if (missing !== undefined) mark.push(missing);
  return [['marks', mark] as const];
}

/** Returns the conditions that are new or changed, and the ids of those that ended. */
function conditionChanges(now: readonly Condition[], before: ReadonlyMap<string, Condition>) {
  const ids = new Set(now.map(conditionId));
  const raised = now.filter(
    (condition) => digestOf(before.get(conditionId(condition))) !== digestOf(condition),
  );
  return { raised, resolved: [...before.keys()].filter((id) => !ids.has(id)) };
}

function thresholdsOf({ fallback, exceptions }: Policies) {
  const policies: readonly Policy[] = [fallback, ...exceptions.map(({ policy }) => policy)];
  return Object.fromEntries(policies.map(({ policy, ...thresholds }) => [policy, thresholds]));
}

/** Splits items into chunks whose JSON is not larger than an event may be. */
function chunked<T, R>(items: readonly T[], write: (chunk: readonly T[]) => R): R[] {
  const chunks: R[] = [];
  let chunk: T[] = [];
  let bytes = 0;
  for (const item of items) {
    // Adds room for a group that this item may open.
    const size = bytesOf(item) + 64;
    if (chunk.length > 0 && bytes + size > MAX_RECORD_BYTES) {
      chunks.push(write(chunk));
      chunk = [];
      bytes = 0;
    }
    chunk.push(item);
    bytes += size;
  }
  if (chunk.length > 0) chunks.push(write(chunk));
  return chunks;
}

const encoder = new TextEncoder();

function bytesOf(item: unknown): number {
  return encoder.encode(JSON.stringify(item)).length;
}
