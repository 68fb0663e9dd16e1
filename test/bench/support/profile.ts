import type { Profiler as V8 } from 'node:inspector';
import { Session } from 'node:inspector/promises';
import { fileURLToPath } from 'node:url';

/** The work of the main thread of a process, from samples of its stack. */
export interface Profile {
  /** Share of the time in which it waited: for the disk, for other threads and processes, or for a request. */
  readonly waiting: number;
  /** The functions with the most time of their own, and their shares of the time in which it did not wait. */
  readonly top: readonly { readonly name: string; readonly share: number }[];
  /** For the developer tools of Chrome, as a file with the ending `.cpuprofile`. */
  readonly raw: V8.Profile;
}

const TOP = 15;
const SAMPLE_EVERY_US = 500;
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** Takes samples of the main thread of this process until the returned function is called. */
export async function startProfile(): Promise<() => Promise<V8.Profile>> {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.setSamplingInterval', { interval: SAMPLE_EVERY_US });
  await session.post('Profiler.start');
  return async () => {
    const { profile } = await session.post('Profiler.stop');
    session.disconnect();
    return profile;
  };
}

/** Adds up the samples. */
export function profileFrom(raw: V8.Profile): Profile {
  const nameOf = new Map(raw.nodes.map(({ id, callFrame }) => [id, functionName(callFrame)]));
  const times = new Map<string, number>();
  for (const [i, node] of (raw.samples ?? []).entries()) {
    const name = nameOf.get(node) ?? '?';
    times.set(name, (times.get(name) ?? 0) + Math.max(0, raw.timeDeltas?.[i] ?? 0));
  }
  const all = sum(times.values());
  const idle = times.get('(idle)') ?? 0;
  times.delete('(idle)');
  // The start of the profile itself.
  for (const name of times.keys()) if (name.includes('node:inspector')) times.delete(name);
  const longest = [...times].sort(([, a], [, b]) => b - a).slice(0, TOP);
  return {
    waiting: idle / all,
    top: longest.map(([name, time]) => ({ name, share: time / sum(times.values()) })),
    raw,
  };
}

/** Returns a line for the waiting, and one for each function. */
export function profileText({ waiting, top }: Profile): string[] {
  const percent = (share: number) => `${(100 * share).toFixed(1).padStart(5)} %`;
  return [
    `${percent(waiting)} of the time waiting; of the rest:`,
    ...top.map(({ name, share }) => `${percent(share)} ${name}`),
  ];
}

function functionName({ functionName, url, lineNumber }: V8.Profile['nodes'][number]['callFrame']): string {
  if (url === '') return functionName === '' ? '(native)' : functionName;
  const file = url.replace(`file://${ROOT}`, '').replace(/^.*node_modules\//, '');
  return `${functionName === '' ? '(anonymous)' : functionName} ${file}:${lineNumber + 1}`;
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
