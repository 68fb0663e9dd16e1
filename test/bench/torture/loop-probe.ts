/**
 * Loaded into the ledger before its main module (`--import`). From the message `begin` on it measures each turn of the event
 * loop, until the message `end`, which is answered with what it found.
 */
import { setImmediate as turn } from 'node:timers/promises';

/** The cost of a request for the process that answered it. */
export interface Measured {
  /** Longest turn of the event loop in milliseconds of CPU of the main thread, so that other processes do not matter. */
  readonly holdMs: number;
  /** Longest turn in milliseconds of the clock. */
  readonly wallMs: number;
  /** CPU of the main thread over all turns, in milliseconds. */
  readonly cpuMs: number;
  /** Growth of the resident memory at its peak, in MiB. */
  readonly rssMiB: number;
}

const EVERY_MS = 5;

let isMeasuring = false;

process.on('message', (message) => {
  if (message === 'begin') void measure();
  if (message === 'end') isMeasuring = false;
});
// The channel must not keep the ledger from ending.
process.channel?.unref();

async function measure(): Promise<void> {
  isMeasuring = true;
  globalThis.gc?.();
  await turn();
  const first = cpuMs();
  const rss = process.memoryUsage.rss();
  let [holdMs, wallMs, peak] = [0, 0, rss];
  let [cpu, at, sampledAt] = [cpuMs(), performance.now(), performance.now()];
  process.send?.('begun');
  while (isMeasuring) {
    await turn();
    const [now, used] = [performance.now(), cpuMs()];
    holdMs = Math.max(holdMs, used - cpu);
    wallMs = Math.max(wallMs, now - at);
    if (now - sampledAt > EVERY_MS) {
      peak = Math.max(peak, process.memoryUsage.rss());
      sampledAt = now;
    }
    [cpu, at] = [cpuMs(), performance.now()];
  }
  peak = Math.max(peak, process.memoryUsage.rss());
  const measured: Measured = { holdMs, wallMs, cpuMs: cpuMs() - first, rssMiB: (peak - rss) / 2 ** 20 };
  process.send?.(measured);
}

function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}
