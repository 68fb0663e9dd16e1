import { QueryClient } from '@tanstack/react-query';
import { RequestFailed } from './problem.ts';

const MAX_RETRIES = 2;

/** The cache of answers. Events of the live stream invalidate it, so an answer that was read a moment ago is fresh. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      // Requests are sent although the browser believes to be offline: the ledger may run on this machine.
      networkMode: 'always',
      retry: (count, error) => count < MAX_RETRIES && error instanceof RequestFailed && error.isTemporary,
      retryDelay: (count, error) =>
        error instanceof RequestFailed && error.retryAfterSeconds !== undefined
          ? error.retryAfterSeconds * 1_000
          : 500 * 2 ** count,
    },
    mutations: { networkMode: 'always' },
  },
});
