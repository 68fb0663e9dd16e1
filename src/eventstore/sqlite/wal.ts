import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** State of a write-ahead log (the file `-wal`). */
export interface WalState {
  /** Number of frames up to the last commit that SQLite reads at its next start. */
  readonly frames: number;
  /** Why SQLite would read less than was written; `undefined` if nothing says so. */
  readonly damage: string | undefined;
  /** Whether the header cannot be read, so that SQLite ignores the whole file. */
  readonly hasBadHeader: boolean;
}

const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
/** The lowest bit says whether checksums are of big-endian words. */
const MAGIC = 0x377f0682;
const VERSION = 3_007_000;
/** Frames that are read at once. */
const CHUNK = 256;

/**
 * Examines a write-ahead log before SQLite recovers it. SQLite takes the first frame that is not valid as the end of the log,
 * and drops all that follows without a word. That is right for a torn end: a commit that was not synced, and so was never
 * acknowledged. It is wrong for a damaged frame in the middle. They differ by what follows: the next commit is written only
 * after the sync of the one before it. A bad frame, then a frame that ends a commit, then a frame whose checksum continues that
 * one, is damage. Frames of former uses of the file have other salts.
 *
 * The format is https://www.sqlite.org/fileformat2.html#walformat.
 *
 * @returns `undefined` if there is no file, or nothing in it.
 */
export function examineWal(file: string): WalState | undefined {
  let fd: number;
  try {
    fd = openSync(file, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return examine(fd, fstatSync(fd).size);
  } finally {
    closeSync(fd);
  }
}

function examine(fd: number, size: number): WalState | undefined {
  if (size === 0) return undefined;
  const header = Buffer.alloc(HEADER_BYTES);
  readSync(fd, header, 0, HEADER_BYTES, 0);
  const magic = header.readUInt32BE(0);
  const pageBytes = header.readUInt32BE(8);
  const isBigEndian = (magic & 1) === 1;
  const sum = checksum(header.subarray(0, 24), [0, 0], isBigEndian);
  const isValid =
    size >= HEADER_BYTES &&
    magic >>> 1 === MAGIC >>> 1 &&
    header.readUInt32BE(4) === VERSION &&
    isAt(header, 24, sum);
  if (!isValid) return { frames: 0, damage: undefined, hasBadHeader: true };
  const salts = header.subarray(16, 24);
  return {
    ...examineFrames(readFrames(fd, size, pageBytes), { salts, sum, isBigEndian }),
    hasBadHeader: false,
  };
}

type Sum = readonly [number, number];

interface Chain {
  readonly salts: Buffer;
  /** The checksum that the first frame continues. */
  readonly sum: Sum;
  readonly isBigEndian: boolean;
}

function examineFrames(
  frames: Iterable<Buffer>,
  { salts, sum, isBigEndian }: Chain,
): Pick<WalState, 'frames' | 'damage'> {
  let previous = sum;
  let number = 0;
  let committed = 0;
  let bad: number | undefined;
  /** Whether the previous frame, after a bad one, ended a commit. */
  let isAfterCommit = false;
  for (const frame of frames) {
    number++;
    const next = checksum(
      frame.subarray(FRAME_HEADER_BYTES),
      checksum(frame.subarray(0, 8), previous, isBigEndian),
      isBigEndian,
    );
    const isLive = frame.subarray(8, 16).equals(salts);
    const continues = isLive && isAt(frame, 16, next);
    const isCommit = isLive && frame.readUInt32BE(4) !== 0;
    if (bad !== undefined && continues && isAfterCommit)
      return { frames: committed, damage: `frame ${bad} is damaged, and later commits follow it` };
    if (!continues) bad ??= number;
    else if (bad === undefined && isCommit) committed = number;
    isAfterCommit = bad !== undefined && isCommit;
    previous = [frame.readUInt32BE(16), frame.readUInt32BE(20)];
  }
  return { frames: committed, damage: undefined };
}

/** Yields the whole frames of a file, each with its header. A frame is valid until the next one is read. */
function* readFrames(fd: number, size: number, pageBytes: number): Generator<Buffer> {
  const frameBytes = FRAME_HEADER_BYTES + pageBytes;
  const chunk = Buffer.alloc(CHUNK * frameBytes);
  for (let at = HEADER_BYTES; at + frameBytes <= size; ) {
    const read = readSync(fd, chunk, 0, chunk.length, at);
    const whole = Math.floor(read / frameBytes);
    for (let i = 0; i < whole; i++) yield chunk.subarray(i * frameBytes, (i + 1) * frameBytes);
    if (whole === 0) return;
    at += whole * frameBytes;
  }
}

/** Returns whether the two words at an offset are a checksum. */
function isAt(bytes: Buffer, offset: number, [a, b]: Sum): boolean {
  return bytes.readUInt32BE(offset) === a && bytes.readUInt32BE(offset + 4) === b;
}

/** Continues a checksum with more bytes, a multiple of 8. */
function checksum(bytes: Buffer, [first, second]: Sum, isBigEndian: boolean): Sum {
  const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let [a, b] = [first, second];
  for (let at = 0; at + 8 <= bytes.byteLength; at += 8) {
    a = (a + words.getUint32(at, !isBigEndian) + b) >>> 0;
    b = (b + words.getUint32(at + 4, !isBigEndian) + a) >>> 0;
  }
  return [a, b];
}
