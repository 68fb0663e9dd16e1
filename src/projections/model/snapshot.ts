import { createHash } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Position } from '../../util/log-numbers.ts';
import { messageOf } from '../../util/message-of.ts';
import { OWNER_ONLY, replaceFile } from '../../util/replace-file.ts';
import { LedgerModel } from './ledger-model.ts';

/**
 * A snapshot only saves the time of a replay. Its file is a header, a part of JSON and the columns of the fact table:
 *
 *     "CLSNAP01" | SHA-256 of all that follows | uint32 bytes of JSON | JSON | column bytes, in order
 *
 * The JSON says by which rules it was folded and what the last event was, so that a stale or torn one is known.
 */
const MAGIC = Buffer.from('CLSNAP01');
const HASH_BYTES = 32;

/** The history that a snapshot belongs to: see `LogStarts`. */
export interface SnapshotOrigin {
  readonly firstStartId: string;
  readonly startId: string;
  readonly epoch: number;
}

/** Changes whenever the fold, or what the model keeps, does: an older snapshot is then of no use. */
export const FOLD_VERSION = 13;

interface Header {
  readonly foldVersion: number;
  readonly position: Position;
  /** The history that the snapshot belongs to; absent if it is not checked. */
  readonly origin?: SnapshotOrigin;
  readonly columnBytes: readonly number[];
  readonly parts: LedgerModel['parts'];
}

/** Returns the bytes of a model. Two models of the same log have equal bytes if they have the same origin. */
export function encodeModel(model: LedgerModel, origin?: SnapshotOrigin): Buffer {
  const { columns, head } = model.facts;
  const header: Header = {
    foldVersion: FOLD_VERSION,
    position: head,
    ...(origin !== undefined && { origin }),
    columnBytes: columns.map(({ byteLength }) => byteLength),
    parts: model.parts,
  };
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(json.length);
  const body = [length, json, ...columns];
  const hash = createHash('sha256');
  for (const part of body) hash.update(part);
  return Buffer.concat([MAGIC, hash.digest(), ...body]);
}

/** A restored model, and the history that it belongs to. */
export interface Snapshot {
  readonly model: LedgerModel;
  readonly origin: SnapshotOrigin | undefined;
}

/** Restores a model. @throws RangeError with the reason if the bytes are not a complete snapshot of this release. */
export function decodeModel(bytes: Buffer): LedgerModel {
  return decodeSnapshot(bytes).model;
}

function decodeSnapshot(bytes: Buffer): Snapshot {
  const start = MAGIC.length + HASH_BYTES;
  if (bytes.length < start + 4 || !bytes.subarray(0, MAGIC.length).equals(MAGIC))
    throw new RangeError('no snapshot');
  const hash = createHash('sha256').update(bytes.subarray(start)).digest();
  if (!hash.equals(bytes.subarray(MAGIC.length, start))) throw new RangeError('torn or damaged');
  const jsonEnd = start + 4 + bytes.readUInt32LE(start);
  const header = JSON.parse(bytes.toString('utf8', start + 4, jsonEnd)) as Header;
  if (header.foldVersion !== FOLD_VERSION) throw new RangeError(`of fold version ${header.foldVersion}`);
  const columns: Uint8Array[] = [];
  let at = jsonEnd;
  for (const size of header.columnBytes) {
    columns.push(bytes.subarray(at, at + size));
    at += size;
  }
  return { model: LedgerModel.restore(columns, header.parts), origin: header.origin };
}

/** Replaces a snapshot file atomically: a reader finds the complete old or the complete new snapshot. */
export async function writeSnapshot(file: string, bytes: Buffer): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await replaceFile(file, bytes, OWNER_ONLY);
}

/** Reads a snapshot. If it cannot be used, reports why to `ignored` and returns `undefined`. */
export async function readSnapshot(
  file: string,
  ignored: (why: string) => void,
): Promise<Snapshot | undefined> {
  try {
    return decodeSnapshot(await readFile(file));
  } catch (error) {
    const isAbsent = (error as NodeJS.ErrnoException).code === 'ENOENT';
    if (!isAbsent) ignored(messageOf(error));
    return undefined;
  }
}
