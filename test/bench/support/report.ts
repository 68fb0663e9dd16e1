import { type Measured, shortNumber } from './measure.ts';

/** A goal of a row, and how far we are. */
export interface Verdict {
  /** The contender that the ratio compares with. */
  readonly against: string;
  readonly ratio: number;
  readonly goal: string;
  /** `undefined` if the ratio has no goal. */
  readonly isMet: boolean | undefined;
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
  return verdicts.map(({ against, ratio, goal, isMet }, i) => {
    const peer = peers.find(({ name }) => name === against);
    return [
      i === 0 ? row : '',
      i === 0 ? work : '',
      i === 0 ? mine : '',
      i === 0 && floor !== undefined ? shortNumber(floor.median) : '',
      peer === undefined ? against : `${peer.name}: ${figure(peer)}`,
      ratio.toPrecision(3),
      goal,
      isMet === undefined ? '' : isMet ? 'met' : 'not met',
    ];
  });
}

function figure({ median, latencyMs }: Measured): string {
  if (latencyMs === undefined) return shortNumber(median);
  return `${shortNumber(median)} (p50 ${latencyMs.p50.toFixed(1)}, p99 ${latencyMs.p99.toFixed(1)} ms)`;
}
