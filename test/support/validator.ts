import type { InventoryStatus } from '../../src/domain/inventory.ts';
import type { Condition } from '../../src/domain/validation/judging/condition.ts';
import { type Judgement, judgeRun, VALIDATOR_SOURCE } from '../../src/domain/validation/judging/judge.ts';
import { PolicySettings, policiesOf } from '../../src/domain/validation/judging/policy.ts';
import type { Verdict } from '../../src/domain/validation/judging/verdict.ts';
import { runId, startRecord } from '../../src/domain/validation/records/run-record.ts';
import { serializeRun } from '../../src/domain/validation/records/write-run.ts';
import type { JsonObject } from '../../src/eventstore/json.ts';
import { ValidationRuns } from '../../src/ledger/validation-runs.ts';
import { clustersToProbe } from '../../src/projections/queries/clusters-to-probe.ts';
import type { TestLedger } from './ledger.ts';
import { until } from './until.ts';

export type Seen = Omit<Verdict, 'at'>;
export const ALIVE: Seen = { state: 'alive', code: 'ok', uid: '00000000-0000-4000-8000-00000000000a' };
export const REFUSED: Seen = { state: 'unreachable', code: 'refused', detail: 'connect ECONNREFUSED' };
export const NO_CREDENTIAL: Seen = { state: 'unverifiable', code: 'no-credential' };

export interface RunOptions {
  readonly settings?: object;
  readonly conditions?: readonly Condition[];
  /** State of clusters in the inventory; by default `unknown`. */
  readonly inventory?: Readonly<Record<string, InventoryStatus>>;
  /** How far it gets: `claimed`, or `judged` with its facts appended, or all the way. */
  readonly upTo?: 'claimed' | 'judged' | 'completed';
  readonly everyMs?: number;
}

/**
 * Runs the validator on a real ledger. The test supplies the results of the probes; everything else is the real code.
 */
export class TestValidator {
  readonly #ledger: TestLedger;

  constructor(ledger: TestLedger) {
    this.#ledger = ledger;
  }

  /** One run at the ledger's clock; who is not named is seen alive. */
  async run(
    seen: Readonly<Record<string, Seen>> = {},
    options: RunOptions = {},
  ): Promise<Judgement | undefined> {
    const { store, ledger, projections } = this.#ledger.rooms;
    const now = () => this.#ledger.now;
    const policies = policiesOf(PolicySettings.parse(options.settings ?? {}));
    const tick = now();
    const run = runId(tick);
    const runs = new ValidationRuns(store, now);
    const start = startRecord({
      tick,
      shard: { index: 1, count: 1 },
      trigger: 'schedule',
      policies: policies.digest,
      by: 'test',
      deadline: tick + 240_000,
      everyMs: options.everyMs ?? 300_000,
    });
    const claimed = await runs.claim(run, start);
    if (claimed === undefined || options.upTo === 'claimed') return undefined;
    await this.#caughtUp();
    const { model } = projections;
    const clusters = [...clustersToProbe(model, policies, now())].map((cluster) => ({
      ...cluster,
      inventory: options.inventory?.[cluster.clusterId] ?? 'unknown',
      history: model.validations.historyOf(cluster.clusterId),
      verdict: { ...(seen[cluster.clusterId] ?? ALIVE), at: tick },
    }));
    const { validations } = model;
    const judgement = judgeRun({
      run,
      shard: '1of1',
      tick,
      decidedAt: now(),
      policies,
      breaker: validations.breakerOf('1of1'),
      proceedUntil: validations.decision?.until,
      clusters,
      conditions: options.conditions ?? [],
    });
    const submissions = judgement.facts.map(({ id, fact }) => ({
      fact,
      origin: { source: VALIDATOR_SOURCE, id, actor: 'validator' },
      event: fact as unknown as JsonObject,
    }));
    if (submissions.length > 0) await ledger.record(submissions, { mayBackdate: true });
    if (options.upTo !== 'judged') {
      const finished = serializeRun({
        tick,
        decidedAt: now(),
        policies,
        judgement,
        historyBefore: (clusterId) => validations.historyOf(clusterId),
        before: validations.lastOf('1of1'),
        durationMs: 0,
      });
      await runs.append(claimed, finished);
    }
    await this.#caughtUp();
    return judgement;
  }

  /** Runs every five minutes for as long as is said. */
  async runs(
    minutes: number,
    seen: Readonly<Record<string, Seen>> = {},
    options: RunOptions = {},
  ): Promise<void> {
    for (let passed = 0; passed <= minutes; passed += 5) {
      await this.run(seen, options);
      this.#ledger.pass(300_000);
    }
  }

  async #caughtUp(): Promise<void> {
    const head = await this.#ledger.head();
    await until(() => this.#ledger.rooms.projections.model.position >= head);
  }
}
