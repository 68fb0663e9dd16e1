/** The stream is not in the expected state. Nothing was written: read the stream and decide again. */
export class VersionConflict extends Error {
  override readonly name = 'VersionConflict';
}

/**
 * The store did not acknowledge in time, or there is no connection. An append may or may not have been written: repeat it with
 * the same ids and the same expected state.
 */
export class StoreUnavailable extends Error {
  override readonly name: string = 'StoreUnavailable';
}

/**
 * The store is known not to answer, or does not give the ledger the rights that it needs. Nothing was written, and an immediate
 * repeat is useless. The message says what an operator has to do, if that is known.
 */
export class StoreRefused extends StoreUnavailable {
  override readonly name = 'StoreRefused';
}

/** Another program holds a lock on the store. Nothing was written: try again. */
export class StoreBusy extends StoreUnavailable {}

/** The store lacks events that it has acknowledged, and takes no more until an operator accepts the loss. Nothing was written. */
export class LogBehind extends Error {
  override readonly name = 'LogBehind';
}

/** The disk is full. Nothing was written. Reads work, and appends work again once there is space. */
export class StoreFull extends Error {
  override readonly name = 'StoreFull';
}

/**
 * The store must no longer be written to, and the process must stop: after an I/O error, since a failed append may still be on
 * the disk at the next start; or because the log is not the one that was followed before.
 */
export class StoreFailed extends Error {
  override readonly name = 'StoreFailed';
}

/** The events cannot be written to any store. Nothing was written. */
export class InvalidAppend extends Error {
  override readonly name = 'InvalidAppend';
}

/** The store is closed. */
export class StoreClosed extends Error {
  override readonly name = 'StoreClosed';
}
