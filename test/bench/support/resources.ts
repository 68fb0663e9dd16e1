import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const TMPFS = 0x0102_1994;

/** Releases resources when the benchmark ends, however it ends: the last acquired first. */
export class Resources {
  readonly #releases: (() => Promise<unknown>)[] = [];
  #released: Promise<void> | undefined;

  onRelease(release: () => Promise<unknown>): void {
    this.#releases.push(release);
  }

  /** Whether the end has begun: what fails from now on fails because of it. */
  get isReleased(): boolean {
    return this.#released !== undefined;
  }

  /** Ends all processes and removes all folders. */
  release(): Promise<void> {
    this.#released ??= this.#release();
    return this.#released;
  }

  async #release(): Promise<void> {
    for (let next = this.#releases.pop(); next !== undefined; next = this.#releases.pop()) {
      await next().catch(() => undefined);
    }
  }

  /** A folder on a disk: on a file system in memory an fsync would cost nothing, and nothing would be durable. */
  async folderOnDisk(): Promise<string> {
    for (const candidate of [tmpdir(), '/var/tmp', process.cwd()]) {
      const found = await statfs(candidate).catch(() => undefined);
      if (found === undefined || found.type === TMPFS) continue;
      const folder = await mkdtemp(join(candidate, 'ledger-bench-'));
      this.onRelease(() => rm(folder, { recursive: true, force: true }));
      return folder;
    }
    throw new Error('no folder on a disk was found for the benchmark');
  }
}

const PATIENCE_MS = 25_000;

/** Asks a process to end and waits for it; one that does not is killed. */
export async function end(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
  await exited;
  clearTimeout(timer);
}
