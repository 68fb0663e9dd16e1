import { text } from 'node:stream/consumers';
import { setFlagsFromString, writeHeapSnapshot } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Prober } from '../../../src/kubernetes/prober/prober.ts';
import type { ProbeTarget } from '../../../src/kubernetes/prober/prober-messages.ts';
import { ProberOptions } from '../../../src/kubernetes/settings/prober-options.ts';

/**
 * A server that only probes. It reads its instructions as JSON from standard input, prints the id of its worker and
 * its results, and can write a heap snapshot.
 */
interface Told {
  readonly options?: object;
  readonly targets?: readonly ProbeTarget[];
  /** File for the heap snapshot. */
  readonly snapshot?: string;
  /** Whether the process ends after the run. */
  readonly isOnce?: boolean;
}

const {
  options = {},
  targets = [],
  snapshot,
  isOnce = snapshot !== undefined,
} = JSON.parse(await text(process.stdin)) as Told;
const say = (what: unknown) => process.stdout.write(`${JSON.stringify(what)}\n`);
const log = { warn: (details: object, message: string) => void say({ ...details, message }) };
const prober = new Prober(ProberOptions.parse(options), { now: Date.now, log });
await prober.start();
say({ pid: await prober.pid() });
for await (const result of prober.probe(targets)) say(result);
if (snapshot !== undefined) {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  writeHeapSnapshot(snapshot);
}
if (isOnce) await prober.stop();
else setInterval(() => undefined, 60_000);
