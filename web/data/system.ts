import { queryOptions } from '@tanstack/react-query';
import type { SystemOut } from '../../src/api/system.ts';
import { request, send } from './request.ts';

export type System = SystemOut;
/** A policy of the validator, as it is configured. */
export type ConfiguredPolicy = System['validator']['policies'][number];

/** The version of the ledger, where its log stands, and its policies. */
export const systemQuery = queryOptions({
  queryKey: ['system'],
  queryFn: ({ signal }) => request<System>('/v1/system', { signal }),
});

/** The newest signed checkpoint: a signed note. */
export const checkpointQuery = queryOptions({
  queryKey: ['checkpoint'],
  queryFn: async ({ signal }) => (await send('/log/checkpoint', { accept: 'text/plain', signal })).text(),
});
