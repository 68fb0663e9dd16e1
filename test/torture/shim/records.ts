/** A call that the shim has recorded. */
export interface ShimRecord {
  /** w write, t truncate, s sync, o create, r rename, l link, u unlink, a output of the process, c a counted call. */
  readonly kind: string;
  readonly path: string;
  /** New path of a rename or a link. */
  readonly to: string;
  /** Offset of a write, length of a truncation, or the number of a counted call. */
  readonly offset: number;
  readonly bytes: Buffer;
}

const HEAD_BYTES = 24;

/** Parses what the shim has recorded: four lengths of 32 bits, an offset of 64 bits, two paths, and the bytes. */
export function* parseRecords(file: Buffer): Generator<ShimRecord> {
  for (let at = 0; at < file.length; ) {
    const [kind, path, to, size] = [0, 4, 8, 12].map((offset) => file.readUInt32LE(at + offset)) as [
      number,
      number,
      number,
      number,
    ];
    const offset = Number(file.readBigInt64LE(at + 16));
    const pathAt = at + HEAD_BYTES;
    const bytesAt = pathAt + path + to;
    yield {
      kind: String.fromCharCode(kind),
      path: file.toString('utf8', pathAt, pathAt + path),
      to: file.toString('utf8', pathAt + path, bytesAt),
      offset,
      bytes: file.subarray(bytesAt, bytesAt + size),
    };
    at = bytesAt + size;
  }
}
