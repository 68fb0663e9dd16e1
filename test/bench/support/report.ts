import { isUnsteady, type Measured, shortNumber } from './measure.ts';

/** A goal of a row, and how far we are. */
export interface Verdict {
  /** The contender that the ratio compares with. */
  readonly against: string;
  readonly ratio: number;
  readonly goal: string;
  /** `undefined` if the ratio has no goal, or cannot be judged. */
  readonly isMet: boolean | undefined;
  /** Whether it cannot be judged, because the floor was not steady. */
  readonly isUnsteady?: boolean;
}

/** The result of one row, or of one part of it. */
export interface Result {
  readonly row: string;
  readonly work: string;
  readonly unit: string;
  readonly ours: Measured;
  readonly floor: Measured | undefined;
  readonly peers: readonly Measured[];
  readonly verdicts: readonly Verdict[];
  /** Remarks for the reader, such as a peer that could not be run. */
  readonly notes: readonly string[];
}

/** How often we do the work in the time in which the other does it once. */
export function atLeast(ours: Measured, other: Measured, goal: number): Verdict {
  const ratio = ours.median / other.median;
  return { against: other.name, ratio, goal: `>= ${goal} x`, isMet: ratio >= goal };
}

/** A rate against another, without a goal. */
export function rateAgainst(ours: Measured, other: Measured): Verdict {
  return { against: other.name, ratio: ours.median / other.median, goal: '', isMet: undefined };
}

/** A time against another, without a goal. */
export function timeAgainst(ours: Measured, other: Measured): Verdict {
  return { against: other.name, ratio: other.median / ours.median, goal: '', isMet: undefined };
}

/** How much sooner than the other we are done. */
export function sooner(ours: Measured, other: Measured, goal: number): Verdict {
  const ratio = other.median / ours.median;
  return { against: other.name, ratio, goal: `>= ${goal} x`, isMet: ratio >= goal };
}

/** A goal that is a figure and no ratio; it is said in the units of the row. */
export function within(against: string, found: number, most: number, unit: string): Verdict {
  return { against, ratio: found, goal: `<= ${most} ${unit}`, isMet: found <= most };
}

/** Returns results whose floor varied by more than a third without verdicts: the machine was not quiet enough to judge. */
export function onlyJudged(results: readonly Result[]): Result[] {
  return results.map((result) => {
    const { floor } = result;
    if (floor === undefined || !isUnsteady(floor)) return result;
    const verdicts = result.verdicts.map((verdict) => ({ ...verdict, isMet: undefined, isUnsteady: true }));
    const range = `${shortNumber(floor.min)} to ${shortNumber(floor.max)}`;
    const note = `not judged: the floor varied from ${range}; repeat it on a quiet machine`;
    return { ...result, verdicts, notes: [...result.notes, note] };
  });
}

/** Returns a line for each goal that is not met, and one for each that could not be judged. */
export function shortfalls(results: readonly Result[]): { notMet: string[]; notJudged: string[] } {
  const lines = (holds: (verdict: Verdict) => boolean) =>
    results.flatMap(({ row, work, verdicts }) =>
      verdicts
        .filter((verdict) => verdict.goal !== '' && holds(verdict))
        .map(
          ({ against, ratio, goal }) =>
            `row ${row}, ${work}: ${against}: ${ratio.toPrecision(3)}, goal ${goal}`,
        ),
    );
  return {
    notMet: lines(({ isMet }) => isMet === false),
    notJudged: lines(({ isUnsteady = false }) => isUnsteady),
  };
}

/** Returns the results with a goal that is not met, or that could not be judged. */
export function withShortfall(results: readonly Result[]): Result[] {
  return results.filter(({ verdicts }) => verdicts.some(({ goal, isMet }) => goal !== '' && isMet !== true));
}

const HEADINGS = ['row', 'work', 'ours', 'floor', 'peer', 'ratio', 'goal', ''];

/** A line per goal. */
export function asTable(results: readonly Result[]): string {
  const lines = [HEADINGS, ...results.flatMap(linesOf)];
  const widths = HEADINGS.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const table = lines.map((line) =>
    line
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  const notes = results.flatMap(({ row, notes }) => notes.map((note) => `row ${row}: ${note}`));
  return `${[...table, '', ...notes].join('\n')}\n`;
}

function linesOf(result: Result): string[][] {
  const { row, work, unit, ours, floor, peers, verdicts } = result;
  const mine = `${figure(ours)} ${unit}`;
  return verdicts.map(({ against, ratio, goal, isMet, isUnsteady = false }, i) => {
    const peer = peers.find(({ name }) => name === against);
    return [
      i === 0 ? row : '',
      i === 0 ? work : '',
      i === 0 ? mine : '',
      i === 0 && floor !== undefined ? shortNumber(floor.median) : '',
      peer === undefined ? against : `${peer.name}: ${figure(peer)}`,
      ratio.toPrecision(3),
      goal,
      isUnsteady ? 'not judged' : isMet === undefined ? '' : isMet ? 'met' : 'not met',
    ];
  });
}

function figure({ min, median, max, latencyMs }: Measured): string {
  const range = `${shortNumber(median)} [${shortNumber(min)}, ${shortNumber(max)}]`;
  if (latencyMs === undefined) return range;
  return `${range} (p50 ${latencyMs.p50.toFixed(1)}, p99 ${latencyMs.p99.toFixed(1)} ms)`;
}
