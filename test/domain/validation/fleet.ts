import { billCluster, causesStopping } from '../../../src/domain/billing/billing.ts';
import type { Fact, KnownFact } from '../../../src/domain/facts/fact.ts';
import type { InventoryStatus } from '../../../src/domain/inventory.ts';
import { DAY_MS, HOUR_MS, type Instant, MINUTE_MS } from '../../../src/domain/time.ts';
import type { Condition } from '../../../src/domain/validation/judging/condition.ts';
import { type Judgement, judgeRun } from '../../../src/domain/validation/judging/judge.ts';
import { type Policies, PolicySettings, policiesOf } from '../../../src/domain/validation/judging/policy.ts';
import type { ClusterState } from '../../../src/domain/validation/judging/run-input.ts';
import type { Verdict } from '../../../src/domain/validation/judging/verdict.ts';
import { RunFold } from '../../../src/domain/validation/records/run-fold.ts';
import {
  parseRunRecord,
  type RunRecord,
  runId,
  type Shard,
  type StoredRecord,
  shardName,
  startRecord,
  WHOLE_FLEET,
} from '../../../src/domain/validation/records/run-record.ts';
import { serializeRun } from '../../../src/domain/validation/records/write-run.ts';
import { at } from '../facts/facts.ts';

/** A fleet that is probed, judged and recorded in memory, without a ledger. */

export const START = at('2026-04-15T12:00:00.000Z');
export const REGISTERED = START - 10 * DAY_MS;
export { DAY_MS, HOUR_MS, MINUTE_MS };

export const policies = (settings: object = {}): Policies => policiesOf(PolicySettings.parse(settings));

/** The state of a cluster that is billed since its registration, and of which nothing bad is known. */
export const billedSince = (registeredAt: Instant): ClusterState => ({
  registeredAt,
  deletedAt: undefined,
  billable: true,
  unreachable: false,
  stoppedSince: undefined,
  missingSince: undefined,
  isStoppedManually: false,
});

export type Seen = Omit<Verdict, 'at'> & { readonly after?: number };
export const alive = (uid?: string): Seen => ({ state: 'alive', code: 'ok', ...(uid && { uid }) });
export const refused: Seen = { state: 'unreachable', code: 'refused' };
export const timeout: Seen = { state: 'unknown', code: 'timeout' };
export const unverifiable: Seen = { state: 'unverifiable', code: 'no-credential' };

/** Default latency of a probe in ms. */
const PROBE_MS = 40;
const RUN_MS = 2_000;

/** The records of a run, and when each was recorded. */
export interface PlayedRun {
  readonly run: string;
  readonly tick: Instant;
  readonly records: readonly { readonly record: StoredRecord; readonly recordedAt: Instant }[];
  readonly judgement: Judgement;
}

export class Fleet {
  policies: Policies;
  shard: Shard = WHOLE_FLEET;
  proceedUntil: Instant | undefined;
  inventory = new Map<string, InventoryStatus>();
  readonly labels = new Map<string, Readonly<Record<string, string>>>();
  extra: Condition[] = [];
  fold = new RunFold();
  readonly facts = new Map<string, KnownFact<Fact>[]>();
  readonly played: PlayedRun[] = [];
  #position = 0;

  constructor(settings: object = {}, clusters: readonly string[] = ['c1']) {
    this.policies = policies(settings);
    for (const cluster of clusters) this.register(cluster);
  }

  register(clusterId: string, effectiveAt = REGISTERED, accountId = 'acme', billable = true): void {
    this.add({ type: 'ClusterRegistered', clusterId, effectiveAt, accountId, name: clusterId, billable });
  }

  add(fact: Fact): string {
    const position = ++this.#position;
    const known = this.facts.get(fact.clusterId) ?? [];
    this.facts.set(fact.clusterId, [...known, { eventId: String(position), order: position, fact }]);
    return String(position);
  }

  /** Returns the state of a cluster in the ledger. */
  stateOf(clusterId: string, now: Instant): ClusterState {
    const facts = this.facts.get(clusterId) ?? [];
    const { registration, deletion, switches } = billCluster(facts);
    const voided = new Set(facts.map(({ fact }) => fact.type === 'FactVoided' && fact.voids));
    const observations = facts
      .filter(({ eventId, fact: { type } }) => /^Cluster(Unr|R)eachable$/.test(type) && !voided.has(eventId))
      .sort((a, b) => a.fact.effectiveAt - b.fact.effectiveAt || a.order - b.order);
    const causes = causesStopping(switches, now);
    const stopOf = (cause: 'unreachable' | 'missing') =>
      causes.includes(cause) ? switches[cause].findLast((change) => change.at <= now)?.at : undefined;
    return {
      registeredAt: registration?.fact.effectiveAt ?? REGISTERED,
      deletedAt: deletion?.fact.effectiveAt,
      billable: registration?.fact.billable ?? true,
      unreachable: observations.at(-1)?.fact.type === 'ClusterUnreachable',
      stoppedSince: stopOf('unreachable'),
      missingSince: stopOf('missing'),
      isStoppedManually: causes.includes('manual'),
    };
  }

  /** Judges verdicts at a tick and records nothing. */
  judge(tick: Instant, seen: Readonly<Record<string, Seen>>): Judgement {
    const decidedAt = tick + RUN_MS;
    const shard = shardName(this.shard);
    return judgeRun({
      run: runId(tick, this.shard),
      shard,
      tick,
      decidedAt,
      policies: this.policies,
      breaker: this.fold.breakerOf(shard),
      proceedUntil: this.proceedUntil,
      conditions: this.extra,
      clusters: Object.entries(seen).map(([clusterId, { after = PROBE_MS, ...verdict }]) => ({
        clusterId,
        accountId: 'acme',
        labels: this.labels.get(clusterId),
        state: this.stateOf(clusterId, decidedAt),
        inventory: this.inventory.get(clusterId) ?? 'unknown',
        history: this.fold.historyOf(clusterId),
        verdict: { ...verdict, at: tick + after },
      })),
    });
  }

  /** Runs a whole run: judges it, records its facts, writes its records and reads them back. */
  run(tick: Instant, seen: Readonly<Record<string, Seen>>): Judgement {
    const judgement = this.judge(tick, seen);
    for (const { fact } of judgement.facts) this.add(fact);
    const started = startRecord({
      tick,
      shard: this.shard,
      trigger: 'schedule',
      policies: this.policies.digest,
      by: 'validator',
      deadline: tick + 4 * MINUTE_MS,
      everyMs: 5 * MINUTE_MS,
    });
    const finished = serializeRun({
      tick,
      decidedAt: tick + RUN_MS,
      policies: this.policies,
      judgement,
      historyBefore: (clusterId) => this.fold.historyOf(clusterId),
      before: this.fold.shards.get(shardName(this.shard)),
      durationMs: RUN_MS,
    });
    const records = [
      { record: started, recordedAt: tick },
      ...finished.map((record) => ({ record, recordedAt: tick + RUN_MS })),
    ];
    const run = runId(tick, this.shard);
    this.played.push({ run, tick, records, judgement });
    for (const { record, recordedAt } of records) this.fold.apply(run, stored(record), recordedAt);
    return judgement;
  }

  /** Runs every five minutes, each seeing the same, until `ms` have passed since `tick`; gives the last tick. */
  runs(tick: Instant, ms: number, seen: Readonly<Record<string, Seen>>): Instant {
    let last = tick;
    for (let next = tick; next <= tick + ms; next += 5 * MINUTE_MS) {
      this.run(next, seen);
      last = next;
    }
    return last;
  }

  /** All facts that runs have added, in order. */
  get concluded(): Fact[] {
    return this.played.flatMap(({ judgement }) => judgement.facts.map(({ fact }) => fact));
  }
}

/** Returns a record as a store returns it. */
export function stored({ type, data }: StoredRecord): RunRecord {
  return parseRunRecord(type, JSON.parse(JSON.stringify(data)));
}

export const typesOf = (facts: readonly { readonly fact: Fact }[]): string[] =>
  facts.map(({ fact }) => `${fact.clusterId} ${fact.type}`);
