import type { ValidatorSettings } from '../config/validator-settings.ts';
import type { InventoryCondition, SourceReading } from '../domain/inventory.ts';
import { formatInstant, type Instant, readInstant } from '../domain/time.ts';
import type { Condition } from '../domain/validation/judging/condition.ts';
import { policiesOf } from '../domain/validation/judging/policy.ts';
import type { EventStore } from '../eventstore/event-store.ts';
import type { ValidatorControl } from '../http/server/app.ts';
import { ValidatorJob } from '../jobs/validator-job.ts';
import type { Prober } from '../kubernetes/prober/prober.ts';
import type { ClockGuard } from '../ledger/clock-guard.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { ValidationRuns } from '../ledger/validation-runs.ts';
import type { Projections } from '../projections/projections.ts';
import { ledgerInventory } from '../projections/queries/ledger-inventory.ts';
import { InventoryReconciler } from '../usecases/reconcile-inventory.ts';
import { inventorySource } from '../usecases/record-book.ts';
import { type InventoryReport, RunValidation } from '../usecases/run-validation.ts';
import type { SourceHealth } from '../usecases/source-health.ts';
import type { Logger } from '../util/logger.ts';

interface Parts {
  readonly store: EventStore;
  readonly ledger: Ledger;
  readonly projections: Projections;
  readonly log: Logger;
  readonly now: () => number;
  /** Returns the time that events are stamped with. */
  readonly recordingTime: () => number;
  readonly clockGuard: ClockGuard;
  readonly prober: Prober;
  readonly health: SourceHealth;
  /** Returns the followed records of the platforms as inventories. */
  readonly records: () => readonly SourceReading[];
}

export interface OpenValidator {
  readonly control: ValidatorControl;
  readonly job: ValidatorJob;
  readonly prober: Prober;
  stop(): Promise<void>;
}

/** Returns whether any source of credentials is configured. */
export function hasSources({ credentials }: ValidatorSettings): boolean {
  return Object.values(credentials).some((source) => source !== undefined);
}

/** Creates the validator and starts its schedule; returns `undefined` if no source of credentials is configured. */
export function openValidator(parts: Parts, settings: ValidatorSettings): OpenValidator | undefined {
  if (!hasSources(settings)) return undefined;
  const { store, ledger, projections, log, now, recordingTime, clockGuard, prober } = parts;
  const { shard, runDeadline, schedule } = settings;
  const dependencies = {
    store,
    ledger,
    projections,
    log,
    now,
    recordingTime,
    clockGuard,
    probes: prober,
    runs: new ValidationRuns(store, recordingTime),
  };
  const inventory = inventoryOf(parts);
  const options = { policies: policiesOf(settings.policy), shard, deadlineMs: runDeadline };
  const validator = new RunValidation({ ...dependencies, inventory }, options);
  const job = new ValidatorJob(validator, schedule === 'off' ? undefined : schedule, now, log);
  job.start();
  return { control: job, job, prober, stop: () => job.stop() };
}

/** Creates the comparison of the inventories (credential sources and platform records) with the ledger. */
function inventoryOf({ projections, now, records, prober, health }: Parts) {
  const reconciler = new InventoryReconciler({
    listed: () => prober.inventory(),
    readings: records,
    inventory: () => ledgerInventory(projections.model, now(), inventorySource),
    now,
  });
  return async (): Promise<InventoryReport> => {
    const { conditions, statuses, readings } = await reconciler.run((key) => firstSeenOf(projections, key));
    health.note(readings, now());
    return {
      statusOf: (clusterId) => statuses.get(clusterId) ?? 'unknown',
      conditions: conditions.flatMap(conditionOf),
    };
  };
}

/** Returns when earlier runs first found a condition. */
function firstSeenOf({ model }: Projections, key: string): Instant | undefined {
  for (const { conditions } of model.validations.shards) {
    const since = readInstant(String(conditions.get(key)?.data['since']));
    if (!Number.isNaN(since)) return since;
  }
  return undefined;
}

/** Converts an inventory condition. The judgement itself raises `billed-but-missing`, from the inventory status. */
function conditionOf(found: InventoryCondition): Condition[] {
  if (found.type === 'billed-but-missing') return [];
  const { type: kind, reference: subject, name, source, since } = found;
  return [{ kind, subject, data: { name, source, since: formatInstant(since) } }];
}
