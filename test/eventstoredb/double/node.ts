import type { Faults } from './faults.ts';
import type { EventLog } from './log.ts';
import type { OpenReads } from './open-reads.ts';
import type { ProposedEvent } from './records.ts';
import type { SubscriptionControl } from './subscription-control.ts';

/** The state that the services of a node share. */
export interface Node {
  readonly log: EventLog;
  /** The log that reads and subscriptions see. */
  readonly readableLog: EventLog;
  readonly faults: Faults;
  readonly reads: OpenReads;
  readonly subscriptions: SubscriptionControl;
  /** Longest append, in bytes of event data. */
  readonly maxAppendSize: number;
  /** How long an unfinished append on the batch path is kept, in ms. */
  readonly writeTimeoutMs: number;
  isTooLarge(events: readonly ProposedEvent[]): boolean;
}
