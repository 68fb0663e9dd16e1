import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Profiler as V8 } from 'node:inspector';
import { type Profile, profileFrom, startProfile } from './profile.ts';

const AT_LEAST_MS = 1_000;

/** Takes profiles of the ledger: of its process if one is running, otherwise of this process, in which the ledger's code then runs. */
export class Profiler {
  #server: ChildProcess | undefined;

  /** Watches a ledger that was started with `profile-probe.ts`, until it ends. */
  watch(server: ChildProcess): void {
    this.#server = server;
    server.once('exit', () => {
      if (this.#server === server) this.#server = undefined;
    });
  }

  /** Does the work for a second at least, so that there are enough samples. */
  async profiled(work: () => Promise<unknown>): Promise<Profile> {
    const stop = await this.#start();
    for (const end = performance.now() + AT_LEAST_MS; performance.now() < end; ) await work();
    return profileFrom(await stop());
  }

  async #start(): Promise<() => Promise<V8.Profile>> {
    const server = this.#server;
    if (server === undefined) return startProfile();
    const told = async () => {
      const answer = once(server, 'message');
      server.send('profile');
      return (await answer)[0] as unknown;
    };
    await told();
    return async () => (await told()) as V8.Profile;
  }
}
