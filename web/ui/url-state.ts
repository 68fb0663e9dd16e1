import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback } from 'react';

/** The parameters of the address of a page. */
export type UrlState = Readonly<Record<string, string | undefined>>;

/**
 * Returns the parameters of the address, and a function that changes some of them. What is chosen on a page is kept there, so that
 * a link shows the same. A parameter that is set to `undefined` is left out.
 */
export function useUrlState(): readonly [UrlState, (changes: UrlState) => void] {
  const search = useSearch({ strict: false }) as UrlState;
  const navigate = useNavigate();
  const change = useCallback(
    (changes: UrlState) =>
      void navigate({
        to: '.',
        search: ((last: UrlState) => ({ ...last, ...changes })) as never,
        replace: true,
        resetScroll: false,
      }),
    [navigate],
  );
  return [search, change];
}
