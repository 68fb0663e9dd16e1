/** The stream is not as the caller expected. Nothing was written: read again, decide again. */
export class VersionConflict extends Error {
  override readonly name = 'VersionConflict';
}

/** No acknowledgement in time, or no connection. What was to be written MAY be: repeat it with the same ids and expectation. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
}

/** There is no room. Nothing was written; reads go on, and writes too once there is room. */
export class StoreFull extends Error {
  override readonly name = 'StoreFull';
}

/**
 * The store can no longer be trusted with writes: an I/O error, after which even what failed may still be there on the
 * next start, or a log that is not the one it was. The process must stop.
 */
export class StoreFailed extends Error {
  override readonly name = 'StoreFailed';
}

/** The events can never be written as they are. Nothing was written. */
export class InvalidAppend extends Error {
  override readonly name = 'InvalidAppend';
}

/** The store was closed. */
export class StoreClosed extends Error {
  override readonly name = 'StoreClosed';
}
