import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { seededRandom } from './seeded-random.ts';
import { parseRecords, type ShimRecord } from './shim/records.ts';
import type { Shim } from './shim/shim.ts';
import { judge } from './victim/judge.ts';
import { addPromise, noPromises, type Promises, parseLines } from './victim/promises.ts';
import { runVictim } from './victim/run-victim.ts';

/** The result of a run. */
export interface LostWritesReport {
  images: number;
  /** Number of recorded calls from which the images were made. */
  calls: number;
  readonly findings: string[];
}

export interface LostWritesOptions {
  readonly seed: number;
  readonly count: number;
  /** Treats no sync as one, as a disk that lies or `synchronous = OFF` would; for tests of this harness. */
  readonly ignoreSyncs?: boolean;
  readonly progress?: (report: LostWritesReport) => void;
}

/** Images that are made from one recorded life. */
const IMAGES_PER_LIFE = 100;
const SECTOR = 512;

/**
 * Records every write and sync of a ledger, and makes of them what a power failure could have left: all that was synced before a
 * random call, and a random part of the rest, down to torn sectors. A ledger that starts on it must have every promise that was
 * given before that call, and take facts.
 */
export async function lostWrites(
  shim: Shim,
  { seed, count, ignoreSyncs = false, progress }: LostWritesOptions,
): Promise<LostWritesReport> {
  const report: LostWritesReport = { images: 0, calls: 0, findings: [] };
  const root = mkdtempSync(join(tmpdir(), 'ledger-lost-writes-'));
  try {
    let records: ShimRecord[] = [];
    for (let n = 0; n < count; n++) {
      const life = join(root, 'life');
      if (n % IMAGES_PER_LIFE === 0) {
        records = await recordedLife(shim, root, seed + n);
        report.calls += records.length;
      }
      const random = seededRandom(seed * 1_000_003 + n);
      const end = Math.floor(random() * (records.length + 1));
      const { files, promises } = imageOf(records.slice(0, end), ignoreSyncs ? () => 0 : random, ignoreSyncs);
      const folder = join(root, 'image');
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(folder, { mode: 0o700 });
      for (const [path, bytes] of files)
        writeFileSync(join(folder, relative(life, path)), bytes, { mode: 0o600 });
      const verdict = await judge(promises, folder);
      if (verdict !== 'complete')
        report.findings.push(`--seed ${seed} image ${n}, after ${end} calls: ${verdict}`);
      report.images++;
      if (n % 50 === 49) progress?.(report);
    }
    return report;
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

async function recordedLife(shim: Shim, root: string, seed: number): Promise<ShimRecord[]> {
  const folder = join(root, 'life');
  const log = join(root, 'calls');
  rmSync(folder, { recursive: true, force: true });
  rmSync(log, { force: true });
  mkdirSync(folder, { mode: 0o700 });
  await runVictim({ folder, seed, steps: 40 }, shim.environment({ folder, calls: 'wsm', mode: 'log', log }));
  return [...parseRecords(readFileSync(log))];
}

/** A file on the disk, and what was written since its last sync. */
interface DiskFile {
  bytes: Buffer;
  pending: ShimRecord[];
}

/** Returns the files after a power failure behind the last record, and what was promised before it. */
function imageOf(records: readonly ShimRecord[], random: () => number, ignoreSyncs: boolean) {
  const files = new Map<string, DiskFile>();
  const fileAt = (path: string) => {
    const file = files.get(path) ?? { bytes: Buffer.alloc(0), pending: [] };
    files.set(path, file);
    return file;
  };
  let output = '';
  for (const record of records) {
    const { kind, path, to, bytes } = record;
    if (kind === 'a') output += bytes.toString();
    else if (kind === 'w' || kind === 't') fileAt(path).pending.push(record);
    else if (kind === 'o') fileAt(path);
    else if (kind === 'u') files.delete(path);
    else if (kind === 's' && !ignoreSyncs && files.has(path)) settle(fileAt(path), () => 1);
    else if (kind === 'r' || kind === 'l') {
      files.set(to, fileAt(path));
      if (kind === 'r') files.delete(path);
    }
  }
  // Nothing, all, or a part of what was not synced is on the disk.
  const share = [0, 1, random()][Math.floor(random() * 3)] as number;
  for (const file of files.values())
    settle(file, () => (random() < share ? 1 : random() < 0.2 ? random() : 0));
  const promises: Promises = noPromises();
  for (const line of parseLines(output)) addPromise(promises, line);
  return { files: new Map([...files].map(([path, { bytes }]) => [path, bytes])), promises };
}

/** Writes what is pending. @param partOf says which part of each write arrives, from 0 to 1 */
function settle(file: DiskFile, partOf: () => number): void {
  for (const { kind, offset, bytes } of file.pending) {
    const part = partOf();
    if (part === 0) continue;
    const size = part === 1 ? bytes.length : Math.floor((bytes.length * part) / SECTOR) * SECTOR;
    const length = kind === 't' ? offset : Math.max(file.bytes.length, offset + size);
    const grown = Buffer.alloc(length);
    file.bytes.copy(grown);
    if (kind === 'w') bytes.copy(grown, offset, 0, size);
    file.bytes = grown;
  }
  file.pending = [];
}
