import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Postgres } from './postgres.ts';
import type { Profiler } from './profiler.ts';
import type { Result } from './report.ts';
import type { Resources } from './resources.ts';

export interface Options {
  /** How long one measurement of a rate goes on. */
  readonly seconds: number;
  /** The sizes that the goals name, instead of smaller ones. */
  readonly full: boolean;
  /** Folder with an installation of emmett-postgresql: it needs an older `uuid` than we have, so it is not installed here. */
  readonly emmett: string | undefined;
  /** Folder with a checkout of an earlier state and its packages. */
  readonly before: string | undefined;
}

/** A row of the table of goals. */
export interface Row {
  readonly number: number;
  run(bench: Bench): Promise<Result[]>;
}

/** The services that all rows share. */
export class Bench {
  readonly rounds = 3;
  readonly options: Options;
  readonly resources: Resources;
  readonly #folder: string;
  readonly say: (text: string) => void;
  /** Absent if no profiles are wanted. */
  readonly profiler: Profiler | undefined;
  #postgres: Promise<Postgres | undefined> | undefined;
  #folders = 0;

  constructor(
    options: Options,
    resources: Resources,
    folder: string,
    { say, profiler }: Pick<Bench, 'say' | 'profiler'>,
  ) {
    this.options = options;
    this.resources = resources;
    this.#folder = folder;
    this.say = say;
    this.profiler = profiler;
  }

  /** An empty folder, on the same disk as all the others. */
  async newFolder(name: string): Promise<string> {
    this.#folders += 1;
    const folder = join(this.#folder, `${name}-${this.#folders}`);
    await mkdir(folder);
    return folder;
  }

  /** A PostgreSQL for this run, started on first use; `undefined` if PostgreSQL is not installed. */
  postgres(): Promise<Postgres | undefined> {
    this.#postgres ??= this.#startPostgres();
    return this.#postgres;
  }

  async #startPostgres(): Promise<Postgres | undefined> {
    return Postgres.start(join(this.#folder, 'pg'), this.resources);
  }
}

export const NO_POSTGRES = 'PostgreSQL is not installed here, so the peer was not measured';
