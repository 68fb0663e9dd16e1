import { Burger, Group, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { Link, Outlet, useLocation, useNavigate } from '@tanstack/react-router';
import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { callerQuery } from '../data/caller.ts';
import { LiveProvider } from '../data/live.tsx';
import { RequestFailed } from '../data/problem.ts';
import { PAGES } from '../pages/page.ts';
import { Failed, PageSkeleton } from '../ui/states.tsx';
import { ConnectionBadge, ConnectionBanner } from './connection.tsx';
import { Navigation } from './navigation.tsx';
import { Preferences } from './preferences.tsx';
import { ReadOnlyBanner } from './read-only-banner.tsx';

/** The frame of every page: the navigation, the state of the connection, and the preferences of the viewer. */
export function Shell() {
  const { t } = useTranslation('shell');
  const [isOpen, { toggle, close }] = useDisclosure(false);
  const { pathname, searchStr } = useLocation();
  const caller = useQuery(callerQuery);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the menu closes when the page changes.
  useEffect(close, [pathname]);

  const isSignedOut = caller.error instanceof RequestFailed && caller.error.status === 401;
  if (isSignedOut && PAGES.some(({ id }) => id === 'sign-in'))
    return <SignedOut next={`${pathname}${searchStr}`} />;

  const content =
    caller.data !== undefined ? (
      <>
        <ReadOnlyBanner />
        <Outlet />
      </>
    ) : caller.error !== null ? (
      <Failed error={caller.error} onRetry={() => void caller.refetch()} />
    ) : (
      <PageSkeleton />
    );
  const shell = (
    <div className="shell" data-open={isOpen || undefined}>
      <a href="#content" className="skip-link">
        {t('skip')}
      </a>
      <header className="shell-header">
        <Group gap="xs" wrap="nowrap">
          <div className="shell-burger">
            <Burger
              opened={isOpen}
              onClick={toggle}
              size="sm"
              aria-label={t(isOpen ? 'closeMenu' : 'openMenu')}
              aria-expanded={isOpen}
              aria-controls="navigation"
            />
          </div>
          <Text component={Link} to="/" fw={700} c="inherit" td="none" style={{ whiteSpace: 'nowrap' }}>
            {t('product')}
          </Text>
        </Group>
        <Group gap={6} wrap="nowrap">
          {caller.data !== undefined && <ConnectionBadge />}
          <Preferences />
        </Group>
      </header>
      <nav id="navigation" className="shell-navigation" aria-label={t('navigation')}>
        {caller.data !== undefined && <Navigation caller={caller.data} />}
      </nav>
      <main id="content" className="shell-main" tabIndex={-1}>
        {content}
      </main>
      {caller.data !== undefined && <ConnectionBanner />}
    </div>
  );
  return caller.data === undefined ? shell : <LiveProvider>{shell}</LiveProvider>;
}

/**
 * Leads to the sign-in page, once: the address changes while that page is still being loaded.
 * @param next address to show after the sign-in
 */
function SignedOut({ next }: { readonly next: string }) {
  const navigate = useNavigate();
  // biome-ignore lint/correctness/useExhaustiveDependencies: only the first address counts.
  useEffect(() => void navigate({ to: '/sign-in', search: { next } as never, replace: true }), []);
  return null;
}
