import { ActionIcon, Group, Text } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import type { Caller } from '../data/caller.ts';
import { request } from '../data/request.ts';
import { PAGES, type Page } from '../pages/page.ts';
import { Icon } from '../ui/icons.tsx';

/** Returns the path of a page that has no parameters. */
function targetOf({ paths }: Page): string | undefined {
  return paths.find((path) => !path.includes('$'));
}

/** The pages that the caller may open, and who the caller is. */
export function Navigation({ caller }: { readonly caller: Caller }) {
  const { t } = useTranslation('shell');
  const pages = PAGES.filter(
    ({ isInNavigation, roles }) =>
      isInNavigation && (caller.role === 'operator' || roles.includes(caller.role)),
  );
  return (
    <>
      <div className="shell-links">
        {pages.map((page) => (
          <Link
            key={page.id}
            to={targetOf(page) ?? '/'}
            activeOptions={{ exact: targetOf(page) === '/', includeSearch: false }}
            className="shell-link"
          >
            <Icon name={page.id} />
            <span>{t(`page.${page.id}`)}</span>
          </Link>
        ))}
      </div>
      <Group px={10} pt="xs" gap={4} justify="space-between" wrap="nowrap">
        <Text size="xs" c="dimmed" className="breakable" component="div">
          <span className="name">{caller.name ?? caller.actor}</span>
          <br />
          {t(`common:role.${caller.role}`)}
        </Text>
        {caller.state === 'signed-in' && <SignOut />}
      </Group>
    </>
  );
}

/** Ends the session, and forgets everything that this browser has read. */
function SignOut() {
  const { t } = useTranslation('shell');
  const signOut = useMutation({
    mutationFn: () => request('/v1/session', { method: 'DELETE' }),
    // A new page: nothing that was read stays in memory.
    onSuccess: () => location.assign('/sign-in'),
  });
  return (
    <ActionIcon
      variant="subtle"
      color="gray"
      c="inherit"
      aria-label={t('signOut')}
      title={t('signOut')}
      loading={signOut.isPending}
      onClick={() => signOut.mutate()}
    >
      <Icon name="signOut" />
    </ActionIcon>
  );
}
