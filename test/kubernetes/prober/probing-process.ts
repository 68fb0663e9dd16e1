import { text } from 'node:stream/consumers';
import { setFlagsFromString, writeHeapSnapshot } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Prober } from '../../../src/kubernetes/prober/prober.ts';
import type { ProbeTarget } from '../../../src/kubernetes/prober/prober-messages.ts';
import { ProberOptions } from '../../../src/kubernetes/settings/prober-options.ts';

/**
 * A server that does nothing but probe: it says the id of its worker, probes what it is told to, says what it found, and, where
 * it is asked to, writes down all that its memory holds. What it is told comes as JSON on its standard input.
 */
interface Told {
  readonly options?: object;
  readonly targets?: readonly ProbeTarget[];
  /** File for the heap snapshot. */
  readonly snapshot?: string;
  /** Whether it ends after the run. */
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
