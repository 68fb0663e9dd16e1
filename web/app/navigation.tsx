import { ScrollArea, Text } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import type { Caller } from '../data/caller.ts';
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
      <ScrollArea flex={1} type="auto">
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
      </ScrollArea>
      <Text size="xs" c="dimmed" px={10} pt="xs" className="breakable">
        {t('signedInAs', { actor: caller.actor, role: t(`common:role.${caller.role}`) })}
      </Text>
    </>
  );
}
