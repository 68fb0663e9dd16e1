import { closeSync, constants, openSync, readFileSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import type { Position } from '../../util/log-numbers.ts';
import { OWNER_ONLY } from '../../util/replace-file.ts';

/** Consecutive events of the log, and the checksum of their rows. */
export interface Span {
  /** Position before the first event. */
  readonly after: Position;
  /** Position of the last event. */
  readonly through: Position;
  readonly checksum: number;
}

/** The acknowledged events of a store, as its witness says. */
export interface Acknowledged {
  /** Position of the last acknowledged event; 0 if there was none. */
  readonly position: Position;
  /** Id of that event; empty if there was none. */
  readonly id: string;
  /** The newest events. A signed checkpoint covers those before them. */
  readonly spans: readonly Span[];
}

/** The values of a row of the table `log`, in the order of its columns. */
type Row = readonly (string | number | null)[];

const SLOT_BYTES = 512;
const SLOTS = 2;

/** Returns the witness of a store file. */
export function witnessFile(path: string): string {
  return `${path}-acknowledged`;
}

/** Returns a span without events at the end of a log. */
export function emptySpan(head: Position): Span {
  return { after: head, through: head, checksum: 0 };
}

/** The bytes of a row of the table `log` that `addRow` adds to a checksum, as an expression of SQL. */
export const ROW_BYTES =
  "concat_ws(char(0), position, stream, revision, ifnull(previous, ''), id, type, data, metadata, recorded_at)";

/** Continues a checksum with a row. */
function addRow(checksum: number, row: Row): number {
  return crc32(row.join('\0'), checksum);
}

/**
 * The witness of a store file: a small file beside it with what was last acknowledged. It is written after each commit and
 * before the acknowledgement, into two slots in turn, so that a torn write leaves the other one. It is not synced: it outlives
 * the process and not a power failure, which may leave an older one. At a start it shows whether the log lacks anything.
 */
export class AcknowledgedFile {
  readonly #fd: number;
  #written = 0;
  #position: Position;
  #id: string;
  /** Events of the span `#current` are not signed yet; those of `#before` may be. */
  #before: Span;
  #current: Span;

  /** Creates or replaces the witness. */
  constructor(path: string, { position, id, spans: [span] }: Acknowledged) {
    this.#position = position;
    this.#id = id;
    this.#before = span ?? emptySpan(position);
    this.#current = emptySpan(position);
    this.#fd = openSync(witnessFile(path), constants.O_RDWR | constants.O_CREAT, OWNER_ONLY);
    for (let slot = 0; slot < SLOTS; slot++) this.#write();
  }

  /** Notes committed rows before they are acknowledged. */
  add(rows: readonly Row[]): void {
    const last = rows.at(-1);
    if (last === undefined) return;
    let { checksum } = this.#current;
    for (const row of rows) checksum = addRow(checksum, row);
    this.#position = last[0] as Position;
    this.#id = last[4] as string;
    this.#current = { ...this.#current, through: this.#position, checksum };
    this.#write();
  }

  /** Notes that a signed checkpoint covers all events up to a position. */
  signed(position: Position): void {
    if (position < this.#before.through) return;
    const { through } = this.#current;
    const nothing = emptySpan(through);
    this.#before = position < through ? this.#current : nothing;
    this.#current = nothing;
    this.#write();
  }

  #write(): void {
    const spans = [this.#before, this.#current];
    const number = this.#written++;
    const text = JSON.stringify({ number, position: this.#position, id: this.#id, spans });
    const line = `${text} ${hexOf(crc32(text))}`;
    writeSync(this.#fd, `${line.padEnd(SLOT_BYTES - 1)}\n`, (number % SLOTS) * SLOT_BYTES);
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/**
 * Reads the witness of a store file.
 * @returns `undefined` if there is none, `'damaged'` if it cannot be read.
 */
export function readAcknowledged(path: string): Acknowledged | 'damaged' | undefined {
  let text: string;
  try {
    text = readFileSync(witnessFile(path), 'latin1');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const slots = Array.from({ length: SLOTS }, (_, slot) =>
    parseSlot(text.slice(slot * SLOT_BYTES, (slot + 1) * SLOT_BYTES)),
  ).filter((slot) => slot !== undefined);
  return slots.sort((a, b) => b.number - a.number)[0] ?? 'damaged';
}

function parseSlot(slot: string): (Acknowledged & { readonly number: number }) | undefined {
  const line = slot.trimEnd();
  const end = line.lastIndexOf(' ');
  const text = line.slice(0, Math.max(0, end));
  if (text === '' || line.slice(end + 1) !== hexOf(crc32(text))) return undefined;
  return JSON.parse(text) as Acknowledged & { readonly number: number };
}

function hexOf(checksum: number): string {
  return checksum.toString(16).padStart(8, '0');
}
