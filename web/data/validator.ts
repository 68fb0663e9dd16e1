import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import type { z } from 'zod';
import type { DecisionsOut, UndecidedOut } from '../../src/api/undecided.ts';
import type { RunDetailOut, RunOut, RunPlanOut, RunRequestedOut } from '../../src/api/validations.ts';
import type { ValidatorOut } from '../../src/api/validator.ts';
import { allPages } from './all-pages.ts';
import { path, request } from './request.ts';

export type Run = RunOut;
export type RunDetail = RunDetailOut;
export type RunPlan = RunPlanOut;
export type Undecided = UndecidedOut;
export type Breaker = ValidatorOut['shards'][number]['breaker'];
/** Number of clusters by verdict. */
export type VerdictCounts = RunPlan['counts'];
/** A fact that a run concluded, or would have concluded. */
export type ConcludedFact = RunPlan['facts'][number];

const RUNNING_MS = 1_000;
const IDLE_MS = 15_000;

/** The state of the validator. While a run is active, its progress is read every second. */
export const validatorQuery = queryOptions({
  queryKey: ['validator', 'state'],
  queryFn: ({ signal }) => request<ValidatorOut>('/v1/validator', { signal }),
  refetchInterval: ({ state }) => (state.data?.running.length ? RUNNING_MS : IDLE_MS),
});

interface RunPage {
  readonly items: readonly Run[];
  readonly next?: string;
}

/** The runs, latest first. */
export const runsQuery = infiniteQueryOptions({
  queryKey: ['validator', 'runs'],
  queryFn: ({ signal, pageParam }) =>
    request<RunPage>('/v1/validations', { query: { limit: 100, cursor: pageParam }, signal }),
  initialPageParam: undefined as string | undefined,
  getNextPageParam: ({ next }) => next,
  refetchInterval: IDLE_MS,
});

/** A run with all its changed verdicts. */
export const runQuery = (runId: string) =>
  queryOptions({
    queryKey: ['validator', 'run', runId],
    queryFn: async ({ signal }) => {
      const first = await request<RunDetail>(path`/v1/validations/${runId}`, {
        query: { limit: 1_000 },
        signal,
      });
      const verdicts = [...first.verdicts];
      let cursor = first.next;
      while (cursor !== undefined) {
        const page: RunDetail = await request(path`/v1/validations/${runId}`, {
          query: { limit: 1_000, cursor },
          signal,
        });
        verdicts.push(...page.verdicts);
        cursor = page.next;
      }
      return { ...first, verdicts };
    },
    refetchInterval: ({ state }) => (state.data?.state === 'running' ? RUNNING_MS : false),
  });

export const undecidedQuery = queryOptions({
  queryKey: ['validator', 'undecided'],
  queryFn: ({ signal }) => allPages<Undecided>('/v1/undecided', {}, signal),
});

export function runNow(): Promise<z.output<typeof RunRequestedOut>> {
  return request('/v1/validations', { method: 'POST', body: {} });
}

/** Probes every cluster, and returns what a run would do. Nothing is recorded. */
export function dryRun(): Promise<RunPlan> {
  return request('/v1/validations', { method: 'POST', body: { dryRun: true } });
}

/** Lets runs take effect although the breaker is open. @param proceedForHours 0 takes the decision back */
export function decideOutage(body: {
  readonly proceedForHours: number;
  readonly note?: string;
}): Promise<ValidatorOut> {
  return request('/v1/validator/decisions', { method: 'POST', body });
}

/** A decision about clusters that only a person can decide about. */
export interface UndecidedDecision {
  readonly decision: 'stop' | 'leave';
  readonly clusterIds: readonly string[];
  readonly effectiveAt?: string;
  readonly reason: string;
}

export function decideUndecided(body: UndecidedDecision): Promise<z.output<typeof DecisionsOut>> {
  return request('/v1/undecided/decisions', { method: 'POST', body });
}
