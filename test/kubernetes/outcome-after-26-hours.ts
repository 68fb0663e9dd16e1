import { expect } from 'vitest';
import { conditionId } from '../../src/domain/validation/judging/condition.ts';
import { Fleet as Clusters, HOUR_MS, MINUTE_MS, type Seen, START } from '../domain/validation/fleet.ts';

const TICK = 5 * MINUTE_MS;
const OTHERS = Array.from({ length: 20 }, (_, i) => `other${i}`);

/** State after 26 hours: whether the bill has ended, and the alerts that are raised. */
export type Outcome = `${'billed' | 'stopped'}${string}`;

/**
 * Plays 26 hours of runs in which one cluster of 21 gives a verdict, by the default policy.
 * @param formerUid its identity in the hour before; `undefined` if it was never seen alive.
 */
export function outcomeAfter26Hours(verdict: Seen, formerUid: string | undefined): Outcome {
  const clusters = new Clusters({}, ['c1', ...OTHERS]);
  const others = Object.fromEntries(OTHERS.map((id) => [id, { state: 'alive', code: 'ok' } as const]));
  if (formerUid !== undefined)
    clusters.runs(START, HOUR_MS, { c1: { state: 'alive', code: 'ok', uid: formerUid }, ...others });
  clusters.runs(START + HOUR_MS + TICK, 26 * HOUR_MS, { c1: verdict, ...others });
  const now = START + 28 * HOUR_MS;
  const { stoppedSince, unreachable } = clusters.stateOf('c1', now);
  const conditions = clusters.played.at(-1)?.judgement.conditions ?? [];
  const isBilled = stoppedSince === undefined;
  const alerts = [
    ...(isBilled && unreachable ? ['cluster-unreachable'] : []),
    ...conditions.map(conditionId).map((id) => id.replace(':c1', '')),
  ];
  const stoppedOthers = OTHERS.filter((id) => clusters.stateOf(id, now).stoppedSince !== undefined);
  expect(stoppedOthers).toEqual([]);
  return `${isBilled ? 'billed' : 'stopped'}${alerts.length > 0 ? ': ' : ''}${alerts.sort().join(', ')}`;
}
