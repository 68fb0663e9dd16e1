import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as wait } from 'node:timers/promises';
import { judge } from './victim/judge.ts';
import { type Acknowledged, noPromises } from './victim/promises.ts';
import { type RunningVictim, runVictim, startVictim } from './victim/run-victim.ts';

/** Files without which a store cannot be restored on another machine, and which a backup does not have. */
const KEYS = ['log-key', 'webhook-key'];
/** Time after the begin of a copy in which it is killed, in milliseconds. */
const MAX_DELAY_MS = 600;

/** Backs up the ledger of a folder while it runs, restores the backup elsewhere, and kills both. */
export class Copies {
  readonly #folder: string;
  readonly #backup: string;
  readonly #kept: string;
  readonly #elsewhere: string;
  /** Facts that the kept backup must have. */
  #keptFacts: readonly Acknowledged[] = [];

  /** @param folder the files of the ledger @param place a folder for copies */
  constructor(folder: string, place: string) {
    this.#folder = folder;
    this.#backup = join(place, 'backup.db');
    this.#kept = join(place, 'kept.db');
    this.#elsewhere = join(place, 'elsewhere');
  }

  /**
   * Kills a ledger and a backup of it at once, at a random moment of the backup. If the file has its name, it must be whole and
   * have every fact that was acknowledged before the command began.
   * @param before facts of the earlier lives
   * @returns what is wrong, in words
   */
  async killBackup(
    victim: RunningVictim,
    before: readonly Acknowledged[],
    random: () => number,
  ): Promise<string[]> {
    const facts = [...before, ...victim.printed().flatMap((line) => ('fact' in line ? [line.fact] : []))];
    const copier = startVictim({ folder: this.#folder, action: 'backup', backup: this.#backup });
    await copier.promised(0);
    await wait(random() * MAX_DELAY_MS);
    victim.process.kill('SIGKILL');
    copier.process.kill('SIGKILL');
    const { code, stderr } = await copier.ended;
    if (code !== null && code !== 0) return [`a backup ended with ${code}: ${stderr.slice(0, 500)}`];
    if (!existsSync(this.#backup)) return code === 0 ? ['a backup succeeded and left no file'] : [];
    const missing = missingIn(this.#backup, facts);
    rmSync(this.#kept, { force: true });
    renameSync(this.#backup, this.#kept);
    this.#keptFacts = facts;
    return missing.map((text) => `${text} in a backup`);
  }

  /** Whether there is a backup that could be restored. */
  get hasBackup(): boolean {
    return existsSync(this.#kept);
  }

  /** Kills a restore of the newest whole backup, repeats it, and starts a ledger on it. @returns what is wrong, in words */
  async killRestore(random: () => number): Promise<string[]> {
    mkdirSync(this.#elsewhere, { recursive: true, mode: 0o700 });
    for (const key of KEYS)
      if (existsSync(join(this.#folder, key)))
        copyFileSync(join(this.#folder, key), join(this.#elsewhere, key));
    const restore = { folder: this.#elsewhere, action: 'restore', backup: this.#kept } as const;
    const killed = startVictim(restore);
    await killed.promised(0);
    await wait(random() * MAX_DELAY_MS);
    killed.process.kill('SIGKILL');
    await killed.ended;
    const { code, stderr } = await runVictim(restore);
    if (code !== 0) return [`a restore after a killed one ended with ${code}: ${stderr.slice(0, 500)}`];
    const verdict = await judge({ ...noPromises(), facts: [...this.#keptFacts] }, this.#elsewhere);
    rmSync(this.#elsewhere, { recursive: true, force: true });
    return verdict === 'complete' ? [] : [`a restored ledger: ${verdict}`];
  }
}

/** Compares facts with the rows of a store, read with SQLite alone. @returns what is missing, in words */
export function missingIn(file: string, facts: readonly Acknowledged[]): string[] {
  const db = new DatabaseSync(file, { readOnly: true });
  try {
    const select = db.prepare('SELECT id FROM log WHERE position = ?');
    const missing = facts.filter(({ position, eventId }) => select.get(position)?.['id'] !== eventId);
    return missing.length === 0 ? [] : [`${missing.length} acknowledged facts are missing`];
  } finally {
    db.close();
  }
}
