export { LedgerClient, type LedgerClientOptions } from './client.ts';
export type { components, paths } from './contract.ts';
export { LedgerRefused, LedgerUnreachable, OutboxError, type Problem } from './errors.ts';
export {
  type DataOf,
  type EventName,
  type EventOptions,
  type LifecycleEvent,
  lifecycleEvent,
  type PostedResult,
  type Receipt,
} from './events.ts';
export { Outbox, type OutboxOptions, type OutboxStatus } from './outbox/outbox.ts';
export type { RejectedEvent } from './outbox/outbox-file.ts';
