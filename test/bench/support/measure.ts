import { loadavg } from 'node:os';
import type { Profile } from './profile.ts';
import type { Profiler } from './profiler.ts';

/** One run of one contender. */
export interface Sample {
  /** Work per second, or milliseconds for a piece of work: the row says which. */
  readonly value: number;
  /** Latency of single requests, if the contender makes requests. */
  readonly latencyMs?: Latency;
  /** CPU of the server for one unit of work, in microseconds, by kind of thread. */
  readonly cpuUs?: CpuByThread;
}

/** Microseconds of CPU by kind of thread. */
export type CpuByThread = Readonly<Record<'main' | 'workers' | 'V8' | 'others', number>>;

export interface Latency {
  readonly p50: number;
  readonly p99: number;
}

/** Somebody who does the work of a row: we, a peer, or the floor below which nobody can be. */
export interface Contender {
  readonly name: string;
  measure(): Promise<Sample>;
}

/** The result of a contender over all rounds. */
export interface Measured {
  readonly name: string;
  readonly values: readonly number[];
  readonly min: number;
  readonly median: number;
  readonly max: number;
  /** Medians over the rounds. */
  readonly cpuUs?: CpuByThread;
  /** Load of the machine (number of waiting and running threads, average of a minute) after each round. */
  readonly load: readonly number[];
  /** Medians over the rounds of the percentiles of each. */
  readonly latencyMs?: Latency;
  /** Taken in a further round, whose figures do not count. */
  readonly profile?: Profile;
}

/** The services that a measurement uses. The profiler is absent if no profiles are wanted. */
interface Surroundings {
  readonly say: (text: string) => void;
  readonly profiler: Profiler | undefined;
}

/** The contender whose profile is taken. */
const OURS = 'ours';

/**
 * Measures all contenders once per round, each round beginning with another one: what disturbs the machine for a while, and
 * what grows from round to round, is shared by all. One more round before them, whose figures are dropped, warms up.
 * If profiles are wanted, one of the ledger is taken after the last round.
 */
export async function interleaved(
  contenders: readonly Contender[],
  rounds: number,
  { say, profiler }: Surroundings,
): Promise<Measured[]> {
  const samples = new Map(contenders.map(({ name }) => [name, [] as (Sample & { load: number })[]]));
  for (let round = -1; round < rounds; round++) {
    for (const [i] of contenders.entries()) {
      const contender = contenders[(i + round + 1) % contenders.length] as Contender;
      const sample = await contender.measure();
      if (round < 0) continue;
      const load = currentLoad();
      samples.get(contender.name)?.push({ ...sample, load });
      say(
        `  round ${round + 1}: ${contender.name}: ${shortNumber(sample.value)}${cpuText(sample)}, load ${load.toFixed(1)}`,
      );
    }
  }
  const measured = Array.from(samples, ([name, own]) => summary(name, own));
  const ours = contenders.find(({ name }) => name === OURS);
  if (profiler === undefined || ours === undefined) return measured;
  const profile = await profiler.profiled(() => ours.measure());
  return measured.map((each) => (each.name === OURS ? { ...each, profile } : each));
}

/** Returns whether the figures of a contender differ by more than a third: then the machine was not quiet. */
export function isUnsteady({ min, max }: Measured): boolean {
  return max > (4 / 3) * min;
}

function cpuText({ cpuUs }: Pick<Sample, 'cpuUs'>): string {
  if (cpuUs === undefined) return '';
  const parts = Object.entries(cpuUs).map(([kind, us]) => `${kind} ${us.toFixed(1)}`);
  return `, CPU ${totalUs(cpuUs).toFixed(1)} µs (${parts.join(', ')})`;
}

export function totalUs(cpuUs: CpuByThread): number {
  return cpuUs.main + cpuUs.workers + cpuUs.V8 + cpuUs.others;
}

/** Returns the result of a contender that is not measured in turn with others. */
export function measuredAlone(name: string, samples: readonly Sample[]): Measured {
  return summary(
    name,
    samples.map((sample) => ({ ...sample, load: currentLoad() })),
  );
}

/** Returns the average number of running and waiting threads of the last minute. */
function currentLoad(): number {
  return loadavg()[0] ?? Number.NaN;
}

function summary(name: string, samples: readonly (Sample & { readonly load: number })[]): Measured {
  const values = samples.map(({ value }) => value);
  const latencies = samples.flatMap(({ latencyMs }) => latencyMs ?? []);
  const cpus = samples.flatMap(({ cpuUs }) => cpuUs ?? []);
  const cpuOf = (kind: keyof CpuByThread) => median(cpus.map((cpu) => cpu[kind]));
  const measured = {
    name,
    values,
    min: Math.min(...values),
    median: median(values),
    max: Math.max(...values),
    load: samples.map(({ load }) => load),
    ...(cpus.length > 0 && {
      cpuUs: {
        main: cpuOf('main'),
        workers: cpuOf('workers'),
        V8: cpuOf('V8'),
        others: cpuOf('others'),
      },
    }),
  };
  if (latencies.length === 0) return measured;
  const p50 = median(latencies.map((latency) => latency.p50));
  return { ...measured, latencyMs: { p50, p99: median(latencies.map((latency) => latency.p99)) } };
}

export function median(values: readonly number[]): number {
  return percentile(
    values.toSorted((a, b) => a - b),
    0.5,
  );
}

/** @param sorted in ascending order. */
export function percentile(sorted: ArrayLike<number>, share: number): number {
  const at = Math.min(sorted.length - 1, Math.floor(sorted.length * share));
  return sorted[at] ?? Number.NaN;
}

/** Calls `work` until the time is up. @returns the sum of what it returned, per second. */
export async function perSecond(
  seconds: number,
  work: (isOver: () => boolean) => Promise<number>,
): Promise<Sample> {
  const start = performance.now();
  const end = start + seconds * 1_000;
  const done = await work(() => performance.now() >= end);
  return { value: done / ((performance.now() - start) / 1_000) };
}

/** @returns how many milliseconds of CPU `work` takes in this process: other processes do not change that. */
export async function cpuMilliseconds(work: () => Promise<unknown> | unknown): Promise<Sample> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return { value: (user + system) / 1_000 };
}

/** @returns how many milliseconds `work` takes. */
export async function milliseconds(work: () => Promise<unknown> | unknown): Promise<Sample> {
  const start = performance.now();
  await work();
  return { value: performance.now() - start };
}

export function shortNumber(value: number): string {
  if (value >= 100_000) return `${Math.round(value / 1_000)}k`;
  if (value >= 10_000) return `${(value / 1_000).toFixed(1)}k`;
  if (value >= 100) return value.toFixed(0);
  return value.toPrecision(3);
}
