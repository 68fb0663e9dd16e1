import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Which calls the shim affects, and how. See shim.c. */
export interface ShimSettings {
  readonly folder: string;
  readonly suffix?: string;
  /** Any of w (write), s (sync), r (read), m (create, rename, link, unlink). */
  readonly calls: string;
  readonly mode: 'error' | 'short' | 'slow' | 'exit' | 'log' | 'count';
  /** The first call that is affected, from 1. */
  readonly at?: number;
  readonly times?: number;
  readonly errno?: number;
  readonly log?: string;
}

const SOURCE = fileURLToPath(new URL('./shim.c', import.meta.url));

/** The library that is preloaded into a ledger. It is compiled once, and removed when this process ends. */
export class Shim {
  readonly #library: string;

  private constructor(library: string) {
    this.#library = library;
  }

  /** Compiles it. @returns `undefined` if this machine has no C compiler, or no glibc */
  static compile(): Shim | undefined {
    const folder = mkdtempSync(join(tmpdir(), 'ledger-shim-'));
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
    const library = join(folder, 'shim.so');
    const { status } = spawnSync('cc', [
      '-shared',
      '-fPIC',
      '-O1',
      '-o',
      library,
      SOURCE,
      '-ldl',
      '-lpthread',
    ]);
    return status === 0 ? new Shim(library) : undefined;
  }

  /** Returns the variables of a process that it is loaded into. */
  environment({ folder, suffix = '', calls, mode, at = 1, times = 1, errno = 5, log = '' }: ShimSettings) {
    return {
      LD_PRELOAD: this.#library,
      SHIM_FOLDER: folder,
      SHIM_SUFFIX: suffix,
      SHIM_CALLS: calls,
      SHIM_MODE: mode,
      SHIM_AT: String(at),
      SHIM_TIMES: String(times),
      SHIM_ERRNO: String(errno),
      SHIM_LOG: log,
    };
  }
}
