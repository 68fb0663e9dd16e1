import { readdirSync, readFileSync } from 'node:fs';
import type { CpuByThread } from './measure.ts';

/**
 * Returns the CPU that the threads of a process have used, in microseconds, by kind: the main thread, workers of Node.js, the
 * garbage collector and compiler of V8, and others. Threads that have ended are not counted.
 * @returns `undefined` if the system does not know (only Linux does).
 */
export function threadCpu(pid: number): CpuByThread | undefined {
  const cpu = { main: 0, workers: 0, V8: 0, others: 0 };
  try {
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      const read = (file: string) => readFileSync(`/proc/${pid}/task/${thread}/${file}`, 'utf8');
      const ns = Number(read('schedstat').split(' ')[0]);
      cpu[kindOf(Number(thread) === pid, read('comm').trim())] += ns / 1_000;
    }
    return cpu;
  } catch {
    return undefined;
  }
}

function kindOf(isMain: boolean, name: string): keyof CpuByThread {
  if (isMain) return 'main';
  if (name === 'V8Worker') return 'V8';
  return name === 'WorkerThread' ? 'workers' : 'others';
}

/** Returns what was used between two readings for one unit of work. */
export function cpuPerUnit(before: CpuByThread, after: CpuByThread, units: number): CpuByThread {
  const used = (kind: keyof CpuByThread) => Math.max(0, after[kind] - before[kind]) / units;
  return { main: used('main'), workers: used('workers'), V8: used('V8'), others: used('others') };
}
