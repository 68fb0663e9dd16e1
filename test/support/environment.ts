import { inject } from 'vitest';

/** A running EventStoreDB, such as `esdb://127.0.0.1:2113?tls=false`; `undefined` where there is none (global-setup.ts). */
export const eventStoreDbUrl: string | undefined = inject('eventStoreDbUrl') || undefined;

/** Whether nodes can be started here. */
export const canStartNodes: boolean = inject('hasEventStored');
