import type { InventoryStatus } from '../../inventory.ts';
import type { Instant } from '../../time.ts';
import type { Condition } from '../judging/condition.ts';
import type { Announced } from '../judging/probe-history.ts';
import type { Verdict } from '../judging/verdict.ts';
import type { DataOf, Listed } from './run-record.ts';

/** A run that has begun and not ended. Its records take effect when it is complete. */
export interface ActiveRun {
  readonly run: string;
  readonly start: DataOf<'ValidationStarted'>;
  readonly startedAt: Instant;
  readonly progress: DataOf<'ValidationProgressed'> | undefined;
  readonly changes: readonly (readonly [clusterId: string, verdict: Verdict])[];
  /** Statuses in the inventory, where they differ from the previous run. */
  readonly listings: readonly (readonly [clusterId: string, status: InventoryStatus])[];
  readonly left: readonly string[];
  readonly marks: DataOf<'ValidationJudged'>['marks'];
  readonly raised: readonly Condition[];
  readonly resolved: readonly string[];
}

export function newActiveRun(run: string, start: DataOf<'ValidationStarted'>, startedAt: Instant): ActiveRun {
  const nothing = {
    progress: undefined,
    changes: [],
    listings: [],
    left: [],
    marks: [],
    raised: [],
    resolved: [],
  };
  return { run, start, startedAt, ...nothing };
}

export function withRecorded(
  run: ActiveRun,
  { verdicts, inventory = [], left }: DataOf<'ValidationRecorded'>,
): ActiveRun {
  const { tick } = run.start;
  const changes = verdicts.flatMap(({ state, code, clusters }) =>
    clusters.map(([clusterId, offset, uid, detail]: Listed) => {
      const at = tick + (offset ?? 0);
      const verdict = { state, code, at, ...(uid && { uid }), ...(detail && { detail }) };
      return [clusterId, verdict] as const;
    }),
  );
  const listings = inventory.flatMap(({ status, clusters }) =>
    clusters.map((clusterId) => [clusterId, status] as const),
  );
  return {
    ...run,
    changes: [...run.changes, ...changes],
    listings: [...run.listings, ...listings],
    left: [...run.left, ...left],
  };
}

export function withJudged(
  run: ActiveRun,
  { marks, raised, resolved }: DataOf<'ValidationJudged'>,
): ActiveRun {
  return {
    ...run,
    marks: [...run.marks, ...marks],
    raised: [...run.raised, ...raised],
    resolved: [...run.resolved, ...resolved],
  };
}

type StoredAnnounced = readonly [
  Announced['unreachable'] | null,
  Announced['stopped'] | null,
  boolean,
  missing?: Announced['missing'] | null,
];

export function parseAnnounced([unreachable, stopped, gone, missing]: StoredAnnounced): Announced {
  return {
    unreachable: unreachable ?? undefined,
    stopped: stopped ?? undefined,
    gone: gone ? true : undefined,
    missing: missing ?? undefined,
  };
}
