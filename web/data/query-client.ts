import { MutationCache, QueryCache, QueryClient } from '@tanstack/react-query';
import { callerQuery } from './caller.ts';
import { RequestFailed } from './problem.ts';

const MAX_RETRIES = 2;

/** Asks again who is signed in if an answer says that nobody is: the session has ended. The shell then shows the sign-in page. */
function onError(error: Error): void {
  if (!(error instanceof RequestFailed) || error.status !== 401) return;
  const caller = queryClient.getQueryState(callerQuery.queryKey);
  if (caller?.status === 'success') void queryClient.invalidateQueries({ queryKey: callerQuery.queryKey });
}

/** The cache of answers. Events of the live stream invalidate it, so an answer that was read a moment ago is fresh. */
export const queryClient = new QueryClient({
  queryCache: new QueryCache({ onError }),
  mutationCache: new MutationCache({ onError }),
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
