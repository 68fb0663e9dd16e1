/**
 * Loaded into the ledger before its main module (`--import`). From the message `begin` on it measures each turn of the event
 * loop, until the message `end`, which is answered with what it found. It adds no turns: an idle ledger stays idle.
 */
import { setTimeout as wait } from 'node:timers/promises';

/** The cost of a request for the process that answered it. */
export interface Measured {
  /** Longest turn of the event loop in milliseconds of CPU of the main thread, so that other processes do not matter. */
  readonly holdMs: number;
  /** CPU of the main thread, in milliseconds. */
  readonly cpuMs: number;
  /** CPU of the whole process in milliseconds: also the writer of the store, compression, compiler and garbage collector. */
  readonly processCpuMs: number;
  /** Growth of the resident memory at its peak, in MiB. */
  readonly rssMiB: number;
}

const EVERY_MS = 5;

let end: (() => void) | undefined;

process.on('message', (message) => {
  if (message === 'begin') void begin();
  if (message === 'end') end?.();
});
// The channel must not keep the ledger from ending.
process.channel?.unref();

/** The threads of the garbage collector go on for as long as this at most. */
const SWEPT_MS = 100;

async function begin(): Promise<void> {
  globalThis.gc?.();
  await wait(SWEPT_MS);
  const rss = process.memoryUsage.rss();
  const [first, firstOfProcess] = [cpuMs(), processCpuMs()];
  let [holdMs, peak, cpu, sampledAt] = [0, rss, first, performance.now()];
  let isEnded = false;
  const look = () => {
    holdMs = Math.max(holdMs, cpuMs() - cpu);
    if (performance.now() - sampledAt > EVERY_MS) {
      peak = Math.max(peak, process.memoryUsage.rss());
      sampledAt = performance.now();
    }
    cpu = cpuMs();
    // An immediate without reference runs after each turn, and does not cause one.
    if (!isEnded) setImmediate(look).unref();
  };
  end = () => {
    isEnded = true;
    look();
    const rssMiB = (Math.max(peak, process.memoryUsage.rss()) - rss) / 2 ** 20;
    const processCpu = processCpuMs() - firstOfProcess;
    const measured: Measured = { holdMs, cpuMs: cpuMs() - first, processCpuMs: processCpu, rssMiB };
    process.send?.(measured);
  };
  look();
  process.send?.('begun');
}

function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

function processCpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}
