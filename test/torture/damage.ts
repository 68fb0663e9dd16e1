import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Composition } from '../../src/app/compose.ts';
import { registered, stopped } from '../support/cloud-events.ts';
import { seededRandom } from './seeded-random.ts';
import { judge, logAlone, openLedgerOn, post, wholeLedger } from './victim/judge.ts';
import type { Checks } from './victim/log-alone.ts';
import { noPromises, type Promises } from './victim/promises.ts';

/** The result of a run: how many starts had everything, and how many said that they had not. */
export interface DamageReport {
  readonly cases: number;
  /** Starts with every acknowledged fact. */
  complete: number;
  /** Starts that said what is missing and took nothing. */
  told: number;
  /** Starts that ended with an error. */
  refused: number;
  /** Cases that lost a fact in silence, or took one although something is missing. */
  readonly silent: string[];
}

export interface DamageOptions {
  readonly seed: number;
  readonly count: number;
  /** Changes the files of each case before the start, as a fault of the ledger would; for tests of this harness. */
  readonly plant?: (folder: string) => void;
  readonly progress?: (report: DamageReport) => void;
}

type Files = ReadonlyMap<string, Buffer>;

/** The files of a ledger that was killed, those of an earlier moment of the same process, and what it had acknowledged. */
interface Killed {
  readonly earlier: Files;
  readonly files: Files;
  readonly promises: Promises;
}

/** Cases that use the same killed ledger. */
const CASES_PER_LEDGER = 250;
const PAGE = 4_096;
/** Cases at once: each waits for the threads of its ledger. */
const LANES = 4;
/** A whole ledger, with HTTP, is started in one of so many cases; the others open what reads and writes the log. */
const WHOLE_EVERY = 25;
/** Files whose damage no start can see: they hold no facts, and the ledger does not read them. */
const IGNORED = /\.lock/;

/**
 * Damages one file of a killed ledger in one way, starts a ledger on it, and judges the start. Cuts, flipped bits, lost writes
 * (parts of a file as they were earlier) and reordered writes (some of them, and not those before). Each start must have every
 * acknowledged fact, or say that it has not and take nothing.
 */
export async function damage({ seed, count, plant, progress }: DamageOptions): Promise<DamageReport> {
  const report: DamageReport = { cases: count, complete: 0, told: 0, refused: 0, silent: [] };
  const root = mkdtempSync(join(tmpdir(), 'ledger-damage-'));
  try {
    for (let first = 0; first < count; first += CASES_PER_LEDGER) {
      const killed = await killedLedger(root, seededRandom(seed + first));
      const end = Math.min(count, first + CASES_PER_LEDGER);
      let next = first;
      const lane = async (_: unknown, i: number) => {
        const folder = join(root, `case-${i}`);
        while (next < end) {
          const n = next++;
          const random = seededRandom(seed * 1_000_003 + n);
          const name = `--seed ${seed} case ${n}`;
          const checks = n % 2 === 0 ? 'before-reads' : 'after-reads';
          const isWhole = n % WHOLE_EVERY === 0;
          await runCase(killed, { folder, random, name, plant, isWhole, checks }, report);
        }
      };
      await Promise.all(Array.from({ length: LANES }, lane));
      progress?.(report);
    }
    return report;
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

interface Case {
  readonly folder: string;
  readonly random: () => number;
  readonly name: string;
  readonly plant: DamageOptions['plant'];
  /** Whether a whole ledger is started, instead of what reads and writes the log. */
  readonly isWhole: boolean;
  readonly checks: Checks;
}

async function runCase(
  killed: Killed,
  { folder, random, name, plant, isWhole, checks }: Case,
  report: DamageReport,
): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { mode: 0o700 });
  const { files, what } = damaged(killed, random);
  for (const [file, bytes] of files) writeFileSync(join(folder, file), bytes, { mode: 0o600 });
  plant?.(folder);
  const outcome = await judge(killed.promises, folder, {}, isWhole ? wholeLedger : logAlone, checks);
  if (outcome === 'complete' || outcome === 'refused') report[outcome]++;
  else if (outcome === 'read-only') report.told++;
  else report.silent.push(`${name}, ${what}: ${outcome}`);
}

/** Returns the files of a ledger with one of them damaged. */
function damaged({ files, earlier }: Killed, random: () => number): { files: Files; what: string } {
  const pick = <T>(all: readonly T[]) => all[Math.floor(random() * all.length)] as T;
  const names = [...files.keys()].filter((name) => !IGNORED.test(name) && (files.get(name)?.length ?? 0) > 0);
  // Half of the cases damage what holds the newest facts.
  const wal = names.filter((name) => name.endsWith('-wal'));
  const name = pick(random() < 0.5 && wal.length > 0 ? wal : names);
  const bytes = Buffer.from(files.get(name) as Buffer);
  const at = Math.floor(random() * bytes.length);
  const kind = pick(['cut', 'flip', 'lost', 'reordered', 'gone'] as const);
  const others = [...files].filter(([other]) => other !== name);
  if (kind === 'gone') return { files: new Map(others), what: `${name} gone` };
  if (kind === 'cut')
    return { files: new Map([...others, [name, bytes.subarray(0, at)]]), what: `${name} cut at ${at}` };
  if (kind === 'flip') bytes[at] = (bytes[at] as number) ^ (1 << Math.floor(random() * 8));
  else
    loseWrites(
      bytes,
      earlier.get(name) ?? Buffer.alloc(0),
      kind === 'lost' ? () => true : () => random() < 0.5,
      at,
    );
  return { files: new Map([...others, [name, bytes]]), what: `${name} ${kind} at ${at}` };
}

/** Puts back what pages from an offset on held earlier, if they are chosen. */
function loseWrites(bytes: Buffer, earlier: Buffer, isChosen: () => boolean, from: number): void {
  for (let at = from - (from % PAGE); at < bytes.length; at += PAGE) {
    if (!isChosen()) continue;
    bytes.fill(0, at, Math.min(at + PAGE, bytes.length));
    if (at < earlier.length) earlier.copy(bytes, at, at, Math.min(at + PAGE, earlier.length));
  }
}

const TIME = '2026-04-01T00:00:00.000Z';

/** Runs a ledger for two sessions, and copies its files while it is in the second one, as they are if it is killed. */
async function killedLedger(root: string, random: () => number): Promise<Killed> {
  const folder = join(root, 'used');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { mode: 0o700 });
  const promises = noPromises();
  let cluster = 0;
  const record = async (ledger: Composition, facts: number) => {
    for (let n = 0; n < facts; n++) {
      const id = `c${cluster++}`;
      const event =
        random() < 0.8 || cluster < 3
          ? registered(id, TIME)
          : stopped('c1', `2026-04-${10 + (n % 20)}T00:00:00.000Z`);
      const { status, body } = await post(ledger, event);
      if (status !== 201) continue;
      const { eventId, position, recordedAt } = JSON.parse(body) as Record<string, string>;
      promises.facts.push({
        eventId: String(eventId),
        position: Number(position),
        recordedAt: String(recordedAt),
      });
    }
  };
  const first = await openLedgerOn(folder);
  await record(first, 10 + Math.floor(random() * 30));
  await first.close();
  const second = await openLedgerOn(folder);
  await record(second, 1 + Math.floor(random() * 40));
  const earlier = copyOf(folder, root);
  await record(second, 1 + Math.floor(random() * 60));
  if (random() < 0.5) {
    const { size, root } = await second.signedLog.checkpoint();
    promises.checkpoints.push({ size, root: Buffer.from(root).toString('base64') });
  }
  await record(second, Math.floor(random() * 20));
  const files = copyOf(folder, root);
  await second.close();
  return { earlier, files, promises };
}

/** Reads all files of a folder. By a copy, since closing a file would release the locks of this process on it. */
function copyOf(folder: string, root: string): Files {
  const copy = join(root, 'copy');
  rmSync(copy, { recursive: true, force: true });
  cpSync(folder, copy, { recursive: true });
  return new Map(readdirSync(copy).map((name) => [name, readFileSync(join(copy, name))]));
}
