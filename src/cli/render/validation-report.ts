import { z } from 'zod';
import type { Detail, Output } from '../terminal/output.ts';
import type { Column } from '../terminal/table.ts';

/** Shapes of what the validator answers, as far as tables show them, and how they are shown. */

const Counts = z.object({ alive: z.int(), unreachable: z.int(), unknown: z.int(), unverifiable: z.int() });
type Counts = z.output<typeof Counts>;

export const Breaker = z.looseObject({
  open: z.boolean(),
  since: z.string().optional(),
  why: z.string().optional(),
  bad: z.int().optional(),
  of: z.int().optional(),
  canaries: z.array(z.string()).optional(),
});
type Breaker = z.output<typeof Breaker>;

const Verdict = z.looseObject({
  clusterId: z.string(),
  state: z.string(),
  code: z.string(),
  at: z.string(),
  detail: z.string().optional(),
});
type Verdict = z.output<typeof Verdict>;

const Fact = z.looseObject({
  type: z.string(),
  clusterId: z.string(),
  effectiveAt: z.string().optional(),
  policy: z.string().optional(),
});
type Fact = z.output<typeof Fact>;

const Condition = z.looseObject({
  kind: z.string(),
  subject: z.string(),
  data: z.record(z.string(), z.union([z.string(), z.number()])),
});
type Condition = z.output<typeof Condition>;

export const Run = z.looseObject({
  id: z.string(),
  state: z.enum(['running', 'completed', 'abandoned']),
  abandoned: z.string().optional(),
  startedAt: z.string(),
  deadline: z.string(),
  progress: z.looseObject({ done: z.int(), total: z.int().nullable() }).optional(),
  result: z
    .looseObject({
      completedAt: z.string(),
      durationMs: z.int(),
      counts: Counts,
      withheld: z.boolean(),
      breaker: Breaker,
    })
    .optional(),
  verdicts: z.array(Verdict),
  facts: z.array(Fact),
  wouldHave: z.array(Fact),
  raised: z.array(Condition),
  resolved: z.array(z.string()),
  next: z.string().optional(),
});
export type Run = z.output<typeof Run>;

export const Plan = z.looseObject({
  decidedAt: z.string(),
  counts: Counts,
  withheld: z.boolean(),
  breaker: Breaker,
  facts: z.array(Fact),
  wouldHave: z.array(Fact),
  conditions: z.array(Condition),
  verdicts: z.array(Verdict),
});
export type Plan = z.output<typeof Plan>;

/** What a run came to. */
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
  await section(out, 'Recorded', 'nothing was concluded', FACTS.slice(0, 2), run.facts);
  await section(out, 'Kept back by the mode', undefined, FACTS, run.wouldHave);
  await section(out, 'Alerts raised or changed', undefined, CONDITIONS, run.raised);
  const resolved = run.resolved.map((id) => ({ id }));
  await section(out, 'Alerts resolved', undefined, [{ title: 'ALERT', cell: ({ id }) => id }], resolved);
}

/** What a run would come to. */
export async function showPlan(out: Output, plan: Plan): Promise<void> {
  const { counts, withheld, breaker } = plan;
  const bad = plan.verdicts.filter(({ state }) => state !== 'alive');
  await out.details([
    ['would be decided at', plan.decidedAt],
    ...countDetails(counts),
    ...breakerDetails(breaker, withheld),
  ]);
  await section(out, 'Not alive', 'all are alive', VERDICTS, bad);
  await section(out, 'Would be recorded', 'nothing would be recorded', FACTS, plan.facts);
  await section(out, 'Would be kept back by the mode', undefined, FACTS, plan.wouldHave);
  await section(out, 'Would be alerted about', undefined, CONDITIONS, plan.conditions);
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
    ['took', `${durationMs} ms`],
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

function breakerDetails(breaker: Breaker, isWithheld: boolean): Detail[] {
  const words = describeBreaker(breaker);
  return [['breaker', isWithheld ? `${words}: nothing is concluded` : words]];
}

/** The breaker in words: open while so much is bad that it is more likely us. */
export function describeBreaker({ open, since, why, bad, of, canaries = [] }: Breaker): string {
  if (!open) return 'closed';
  const whys: Readonly<Record<string, string>> = {
    canary: `a canary does not answer: ${canaries.join(', ')}`,
    all: `none of ${of} answers`,
    ratio: `${bad} of ${of} turned bad`,
  };
  return `open since ${since}, ${whys[why ?? ''] ?? why}`;
}

const VERDICTS: readonly Column<Verdict>[] = [
  { title: 'CLUSTER', cell: ({ clusterId }) => clusterId },
  { title: 'VERDICT', cell: ({ state }) => state },
  { title: 'CODE', cell: ({ code }) => code },
  { title: 'AT', cell: ({ at }) => at },
  { title: 'DETAIL', cell: ({ detail }) => detail },
];

const FACTS: readonly Column<Fact>[] = [
  { title: 'CLUSTER', cell: ({ clusterId }) => clusterId },
  { title: 'FACT', cell: ({ type }) => type },
  { title: 'EFFECTIVE AT', cell: ({ effectiveAt }) => effectiveAt },
  { title: 'POLICY', cell: ({ policy }) => policy },
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

/** A table under its title. @param empty what is said where there is nothing in it. */
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
