import type { z } from 'zod';
import { type BreakerOut, RunDetailOut, RunPlanOut } from '../../api/validations.ts';
import type { Detail, Output } from '../terminal/output.ts';
import type { Column } from '../terminal/table.ts';

export type Run = RunDetailOut;
type Counts = NonNullable<Run['result']>['counts'];
type Verdict = RunPlanOut['verdicts'][number];
type Condition = Run['raised'][number];

/** The answer to a dry run; its conditions have the fields of those of a run. */
export const Plan = RunPlanOut.extend({ conditions: RunDetailOut.shape.raised });
type Plan = z.output<typeof Plan>;

interface Fact {
  readonly clusterId: string;
  readonly type: string;
  readonly effectiveAt?: string;
  readonly policy?: unknown;
}

/** Prints the result of a run. */
export async function showRun(out: Output, run: Run): Promise<void> {
  const { result } = run;
  await out.details([
    ['run', run.id],
    ['state', run.state],
    ['started at', run.startedAt],
    ...(result === undefined ? [] : resultDetails(result)),
  ]);
  if (result === undefined) return;
  await section(out, 'Verdicts that changed', 'no verdict changed', VERDICTS, run.verdicts);
  await section(out, 'Recorded', 'no facts were recorded', FACTS.slice(0, 2), run.facts);
  await section(out, 'Not recorded because of the mode', undefined, FACTS, run.wouldHave);
  await section(out, 'Alerts raised or changed', undefined, CONDITIONS, run.raised);
  const resolved = run.resolved.map((id) => ({ id }));
  await section(out, 'Alerts resolved', undefined, [{ title: 'ALERT', cell: ({ id }) => id }], resolved);
}

/** Prints the result that a run would have. */
export async function showPlan(out: Output, plan: Plan): Promise<void> {
  const { counts, withheld, breaker } = plan;
  const notAlive = plan.verdicts.filter(({ state }) => state !== 'alive');
  await out.details([
    ['decided at', plan.decidedAt],
    ...countDetails(counts),
    ...breakerDetails(breaker, withheld),
  ]);
  await section(out, 'Not alive', 'all clusters are alive', VERDICTS, notAlive);
  await section(out, 'Would be recorded', 'no facts would be recorded', FACTS, plan.facts);
  await section(out, 'Would not be recorded because of the mode', undefined, FACTS, plan.wouldHave);
  await section(out, 'Would raise alerts', undefined, CONDITIONS, plan.conditions);
}

function resultDetails({
  completedAt,
  durationMs,
  counts,
  breaker,
  withheld,
}: NonNullable<Run['result']>): Detail[] {
  return [
    ['completed at', completedAt],
    ['duration', `${durationMs} ms`],
    ...countDetails(counts),
    ...breakerDetails(breaker, withheld),
  ];
}

function countDetails({ alive, unreachable, unknown, unverifiable }: Counts): Detail[] {
  return [
    ['alive', alive],
    ['unreachable', unreachable],
    ['unknown', unknown],
    ['unverifiable', unverifiable],
  ];
}

function breakerDetails(breaker: BreakerOut, isWithheld: boolean): Detail[] {
  const state = describeBreaker(breaker);
  return [['breaker', isWithheld ? `${state}: no facts are concluded` : state]];
}

/** Returns the state of the breaker as text. It is open while so many clusters fail that the ledger's own network is at fault. */
export function describeBreaker({ open, since, why, bad, of, canaries = [] }: BreakerOut): string {
  if (!open) return 'closed';
  const reasons: Readonly<Record<string, string>> = {
    canary: `a canary cluster does not answer: ${canaries.join(', ')}`,
    all: `none of ${of} clusters answers`,
    ratio: `${bad} of ${of} clusters stopped answering`,
  };
  return `open since ${since}, ${reasons[why ?? ''] ?? why}`;
}

const VERDICTS: readonly Column<Verdict>[] = [
  { title: 'CLUSTER', cell: ({ clusterId }) => clusterId },
  { title: 'VERDICT', cell: ({ state }) => state },
  { title: 'CODE', cell: ({ code }) => code },
  { title: 'AT', cell: ({ at }) => at },
  { title: 'DETAIL', isWide: true, cell: ({ detail }) => detail },
];

const FACTS: readonly Column<Fact>[] = [
  { title: 'CLUSTER', cell: ({ clusterId }) => clusterId },
  { title: 'FACT', cell: ({ type }) => type },
  { title: 'EFFECTIVE AT', cell: ({ effectiveAt }) => effectiveAt },
  { title: 'POLICY', cell: ({ policy }) => (typeof policy === 'string' ? policy : undefined) },
];

const CONDITIONS: readonly Column<Condition>[] = [
  { title: 'KIND', cell: ({ kind }) => kind },
  { title: 'SUBJECT', cell: ({ subject }) => subject },
  {
    title: 'WHY',
    cell: ({ data }) =>
      Object.entries(data)
        .map(([name, value]) => `${name} ${value}`)
        .join(', ') || undefined,
  },
];

/** Prints a table under a title. @param empty line to print if there are no rows. */
async function section<Row>(
  out: Output,
  title: string,
  empty: string | undefined,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
): Promise<void> {
  if (rows.length === 0) return empty === undefined ? undefined : out.line(`\n${empty}`);
  await out.line(`\n${out.style('bold', title)}`);
  await out.table(columns, rows);
}
