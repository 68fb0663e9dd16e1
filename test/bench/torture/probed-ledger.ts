import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { end, type Resources } from '../support/resources.ts';
import type { Measured } from './loop-probe.ts';

/** A running ledger that says what its event loop did. */
export interface Probed {
  readonly url: string;
  measured(work: () => Promise<unknown>): Promise<Measured>;
  stop(): Promise<void>;
}

/** Starts a ledger on a file, in a process of its own, and waits until it is ready. */
export async function startProbed(
  resources: Resources,
  dataDir: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<Probed> {
  const main = fileURLToPath(new URL('../../../src/main.ts', import.meta.url));
  const probe = new URL('./loop-probe.ts', import.meta.url).href;
  const child = fork(main, [], {
    env: { LEDGER_HTTP_PORT: '0', LEDGER_DATA_DIR: dataDir, ...environment },
    execArgv: ['--expose-gc', '--import', probe],
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  resources.onRelease(() => end(child));
  const url = await urlOf(child);
  for (;;) {
    const ready = await fetch(`${url}/readyz`);
    if (ready.status === 200) break;
    await wait(100);
  }
  const message = async () => (await once(child, 'message'))[0] as unknown;
  return {
    url,
    stop: () => end(child),
    measured: async (work) => {
      const begun = message();
      child.send('begin');
      await begun;
      const ended = message();
      await work().finally(() => child.send('end'));
      return (await ended) as Measured;
    },
  };
}

async function urlOf(child: ChildProcess): Promise<string> {
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  lines.on('line', (line) => {
    const [, url] = /listening at (http:\/\/127\.0\.0\.1:\d+)/.exec(line) ?? [];
    if (url !== undefined) resolve(url);
  });
  child.once('exit', (code) => reject(new Error(`the ledger ended with ${code}`)));
  return promise;
}
