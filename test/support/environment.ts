import { inject } from 'vitest';

/** Connection string of a running EventStoreDB, such as `esdb://127.0.0.1:2113?tls=false`, if there is one (global-setup.ts). */
export const eventStoreDbUrl: string | undefined = inject('eventStoreDbUrl') || undefined;

/** Whether nodes can be started here. */
export const canStartNodes: boolean = inject('hasEventStored');
