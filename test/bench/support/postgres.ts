import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, chownSync, globSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import { end, type Resources } from './resources.ts';

/**
 * Durable like the ledger: an acknowledged commit is on the disk. The rest only helps PostgreSQL: room to cache, and no
 * checkpoints in between.
 */
const SETTINGS = {
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  shared_buffers: '512MB',
  max_wal_size: '4GB',
  checkpoint_timeout: '30min',
  max_connections: '120',
  listen_addresses: '',
};

const START_MS = 20_000;

/** A private cluster, reached over a Unix socket. */
export class Postgres {
  readonly #socketFolder: string;

  private constructor(socketFolder: string) {
    this.#socketFolder = socketFolder;
  }

  /** @returns `undefined` if PostgreSQL is not installed. */
  static async start(folder: string, resources: Resources): Promise<Postgres | undefined> {
    const binaries = findBinaries();
    if (binaries === undefined) return undefined;
    mkdirSync(folder);
    const user = unprivilegedUser();
    if (user !== undefined) {
      chmodSync(dirname(folder), 0o711);
      chownSync(folder, user.uid, user.gid);
    }
    const options = { cwd: folder, env: { LC_ALL: 'C', TZ: 'UTC' }, ...user };
    const data = join(folder, 'data');
    execFileSync(
      join(binaries, 'initdb'),
      ['-D', data, '-U', 'bench', '-A', 'trust', '-E', 'UTF8', '--locale=C'],
      { ...options, stdio: 'ignore' },
    );
    const settings = Object.entries(SETTINGS).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const server = spawn(join(binaries, 'postgres'), ['-D', data, '-k', folder, ...settings], {
      ...options,
      stdio: 'ignore',
    });
    resources.onRelease(() => end(server, 'SIGINT'));
    const postgres = new Postgres(folder);
    await postgres.#untilReady(server);
    return postgres;
  }

  async #untilReady(server: ChildProcess): Promise<void> {
    for (const deadline = performance.now() + START_MS; ; ) {
      try {
        await this.query('SELECT 1');
        return;
      } catch (error) {
        if (server.exitCode !== null || performance.now() > deadline) throw error;
        await wait(50);
      }
    }
  }

  /** How a client finds it. */
  get config(): { host: string; user: string; database: string } {
    return { host: this.#socketFolder, user: 'bench', database: 'postgres' };
  }

  get connectionString(): string {
    return `postgresql://bench@localhost:5432/postgres?host=${encodeURIComponent(this.#socketFolder)}`;
  }

  async connect(): Promise<pg.Client> {
    const client = new pg.Client(this.config);
    await client.connect();
    return client;
  }

  /** Runs statements over a connection of their own. */
  async query(sql: string): Promise<void> {
    const client = await this.connect();
    try {
      await client.query(sql);
    } finally {
      await client.end();
    }
  }
}

function findBinaries(): string | undefined {
  const installed = globSync('/usr/{lib/postgresql,pgsql-}*/{*/bin,bin}/initdb').map((file) => dirname(file));
  const newest = installed.toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true })).at(-1);
  return newest ?? bindirOfPgConfig();
}

function bindirOfPgConfig(): string | undefined {
  try {
    return execFileSync('pg_config', ['--bindir'], { encoding: 'utf8' }).trim();
  } catch {
    return undefined;
  }
}

/** PostgreSQL refuses to run as root. */
function unprivilegedUser(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const [uid, gid] = ['-u', '-g'].map((flag) => Number(execFileSync('id', [flag, 'nobody'])));
  return { uid: uid as number, gid: gid as number };
}
