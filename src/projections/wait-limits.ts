/** Maximum time that a read waits until the ledger has caught up with its log, or has reached a position. */
export const READ_TIMEOUT_MS = 2_000;

/** Maximum time that a write waits until its event is visible to reads. The event is durable before that. */
export const VISIBLE_TIMEOUT_MS = 2_000;
